"""Evaluator: masks, softmax, symmetries, precisions, devices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from goengine.board import Board
from goengine.encoding.features import encode_batch, forget_last_moves
from goengine.encoding.symmetry import REFLECTIONS, SYMMETRIES, move_table, transform_planes
from goengine.inference.backends.torch_backend import TorchBackend, choose_device, choose_precision
from goengine.inference.evaluation import EvaluatorError
from goengine.inference.evaluator import Evaluator
from goengine.inference.priors import MIXED_TEMPERATURE, sharpen, softmax
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.types import BLACK, WHITE

torch.set_num_threads(1)


class OneLayer(nn.Module):
    """A network small enough to check, not symmetric, with clear preferences."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self.config = PolicyConfig()
        self.layer = nn.Conv2d(48, 1, 3, padding=1)
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(self.layer.weight.shape, generator=generator)
        self.layer.weight.data = weights

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        return self.layer(planes.to(self.layer.weight.dtype)).flatten(1)


def random_board(size: int, moves: int, seed: int) -> Board:
    rng = np.random.default_rng(seed)
    board = Board(size)
    for _ in range(moves):
        board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
    return board


def turned(board: Board, symmetry: int) -> Board:
    grid = transform_planes(board.grid, symmetry).ravel()
    twin = Board(board.size)
    twin.setup(black=np.flatnonzero(grid == BLACK), white=np.flatnonzero(grid == WHITE))
    twin.to_play = board.to_play
    return twin


class Records:
    """An evaluator asked about position records; it answers with the priors of points."""

    def __init__(self, network: nn.Module, *, symmetry: str = "none", **settings: object) -> None:
        self.backend = TorchBackend(network, **settings)  # type: ignore[arg-type]
        self.evaluator = Evaluator(self.backend, symmetry=symmetry)

    def logits(self, planes: np.ndarray) -> np.ndarray:
        return self.backend.run(planes).logits

    def evaluate(
        self, records: np.ndarray, *, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        found = self.evaluator.evaluate_records(records, rng=rng)
        assert found.value is None and found.lead is None and found.ownership is None
        if len(records):
            assert (found.priors[:, -1] == (found.priors[:, :-1].sum(axis=1) == 0)).all()
        return found.priors[:, :-1]


def evaluator(**settings: object) -> Records:
    choice = {"device": "cpu", "precision": "float32", **settings}
    return Records(OneLayer(), **choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("symmetry", ["none", "random", "all"])
def test_priors_are_a_distribution_over_sensible_moves(symmetry):
    boards = [random_board(9, 40, seed) for seed in range(3)]
    records = np.concatenate([board.records for board in boards])
    priors = evaluator(symmetry=symmetry).evaluate(records, rng=np.random.default_rng(1))
    assert priors.shape == (3, 81) and priors.dtype == np.float32
    np.testing.assert_allclose(priors.sum(axis=1), 1, rtol=1e-5)
    for row, board in zip(priors, boards, strict=True):
        allowed = board.sensible()[:-1]
        assert not row[~allowed].any()
        assert (row[allowed] > 0).all()


def test_priors_are_the_softmax_of_the_networks_logits():
    board = random_board(9, 20, 4)
    one = evaluator()
    logits = one.logits(encode_batch(board.records))[0]
    weights = np.exp(logits - logits.max()) * board.sensible()[:-1]
    np.testing.assert_allclose(one.evaluate(board.records)[0], weights / weights.sum(), rtol=1e-4)


def test_a_board_without_sensible_moves_gets_zeros():
    board = Board.from_diagram("X . X | X X X | . X X")
    assert not board.sensible()[:-1].any()
    assert not evaluator().evaluate(board.records).any()


def test_a_batch_equals_its_single_positions_across_chunks():
    boards = [random_board(5, seed % 12, seed) for seed in range(70)]
    records = np.concatenate([board.records for board in boards])
    one = evaluator()
    singles = np.concatenate([one.evaluate(board.records) for board in boards])
    np.testing.assert_allclose(one.evaluate(records), singles, atol=1e-6)


def test_an_empty_batch_is_an_empty_answer():
    assert len(evaluator().evaluate(Board(9).records[:0])) == 0


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_all_symmetries_make_the_answer_turn_with_the_board(symmetry):
    board = turned(random_board(7, 15, 3), 0)
    one = evaluator(symmetry="all")
    plain = one.evaluate(board.records)[0]
    other = one.evaluate(turned(board, symmetry).records)[0]
    table = move_table(7)[symmetry, :-1]
    np.testing.assert_allclose(other[table], plain, atol=1e-5)
    alone = evaluator()
    if symmetry:
        crooked = alone.evaluate(turned(board, symmetry).records)[0][table]
        assert np.abs(crooked - alone.evaluate(board.records)[0]).max() > 1e-3


def test_a_forgetful_network_sees_four_views_without_the_last_moves():
    net = PolicyNet(PolicyConfig(filters=8, layers=3, forgetful=True))
    board = random_board(9, 30, 5)
    planes = encode_batch(board.records)
    bare = planes.copy()
    forget_last_moves(bare)
    settings = {"device": "cpu", "precision": "float32"}
    one = Records(net, **settings)
    mask = board.sensible()[None, :-1]
    views = []
    for symmetry in range(SYMMETRIES):
        seen = bare if symmetry in REFLECTIONS else planes
        logits = one.logits(transform_planes(seen, symmetry))[:, move_table(9)[symmetry, :-1]]
        views.append(softmax(logits, mask))
    answer = Records(net, symmetry="all", **settings).evaluate(board.records)
    mean = sharpen(np.mean(views, axis=0), MIXED_TEMPERATURE)
    np.testing.assert_allclose(answer, mean, atol=1e-6)
    net.config = replace(net.config, forgetful=False)
    usual = Records(net, symmetry="all", **settings).evaluate(board.records)
    assert np.abs(usual - answer).max() > 1e-4
    np.testing.assert_array_equal(one.evaluate(board.records), softmax(one.logits(planes), mask))


def test_the_views_that_forget_are_the_mirrored_ones():
    corners = np.array([[1, 2], [4, 3]])
    turns = [np.rot90(corners, k).tolist() for k in range(4)]
    for symmetry in range(SYMMETRIES):
        mirrored = transform_planes(corners, symmetry).tolist() not in turns
        assert mirrored == (symmetry in REFLECTIONS)


def test_a_random_symmetry_is_one_of_the_eight_and_follows_the_rng():
    board = turned(random_board(7, 15, 3), 0)
    one = evaluator(symmetry="random")
    plain = evaluator()
    eight = []
    for symmetry in range(SYMMETRIES):
        table = move_table(7)[symmetry, :-1]
        eight.append(plain.evaluate(turned(board, symmetry).records)[0][table])
    seen = set()
    for seed in range(30):
        answer = one.evaluate(board.records, rng=np.random.default_rng(seed))[0]
        again = one.evaluate(board.records, rng=np.random.default_rng(seed))[0]
        assert (answer == again).all()
        matches = [s for s in range(SYMMETRIES) if np.allclose(answer, eight[s], atol=1e-5)]
        assert matches
        seen.update(matches)
    assert len(seen) == SYMMETRIES


def test_lower_precision_changes_little_and_leaves_the_network_alone():
    network = PolicyNet(PolicyConfig(filters=8, layers=3)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    board = random_board(19, 60, 2)
    exact = Records(network, device="cpu", precision="float32").evaluate(board.records)
    rough = Records(network, device="cpu", precision="bfloat16").evaluate(board.records)
    np.testing.assert_allclose(rough, exact, atol=2e-3)
    for name, value in network.state_dict().items():
        assert value.dtype == torch.float32
        assert (value == before[name]).all()


def test_a_network_with_batch_normalisation_is_folded():
    torch.manual_seed(1)
    network = PolicyNet(PolicyConfig(filters=8, layers=3, norm=True)).eval()
    board = random_board(19, 60, 2)
    one = Records(network, device="cpu", precision="float32").evaluate(board.records)
    two = Records(network.folded(), device="cpu", precision="float32").evaluate(board.records)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_softmax_and_sharpen_agree_at_every_temperature():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4, 9)) * 3
    mask = rng.random((4, 9)) < 0.7
    mask[3] = False
    for temperature in (0.0, 0.25, 1.0, 2.5):
        direct = softmax(logits, mask, temperature=temperature)
        np.testing.assert_allclose(sharpen(softmax(logits, mask), temperature), direct, atol=1e-6)
        np.testing.assert_allclose(direct.sum(axis=1), [1, 1, 1, 0], atol=1e-6)
        assert not direct[~mask].any()
    cold = softmax(logits, mask, temperature=0.0)
    assert ((cold == 1).sum(axis=1) == [1, 1, 1, 0]).all()


def test_softmax_takes_huge_logits():
    logits = np.array([[1e4, -1e4, 0.0]])
    assert softmax(logits, np.ones((1, 3), dtype=bool)).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"device": "abacus"}, "'abacus' is not a device: use cuda, mps or cpu"),
        ({"device": "meta"}, "'meta' is not supported: use cuda, mps or cpu"),
        ({"precision": "int3"}, "'int3' is not a precision: use float32, bfloat16, float16"),
        ({"symmetry": "most"}, "'most' is not a symmetry mode: use none, random or all"),
        ({"threads": 0}, "0 threads make no sense: use 1 or more"),
    ],
)
def test_unknown_settings_are_named(settings, text):
    with pytest.raises(EvaluatorError, match=text):
        evaluator(**settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_an_absent_device_is_refused():
    with pytest.raises(EvaluatorError, match="'cuda' is not available on this machine: use cpu"):
        choose_device("cuda")


def test_the_choice_made_by_itself_can_be_used():
    device = choose_device()
    precision = choose_precision(device)
    assert choose_device(str(device)) == device
    assert choose_precision(device, precision) == precision
    one = Records(OneLayer())
    assert (one.backend.device, one.backend.precision) == (str(device), precision)
    assert one.evaluate(Board(9).records).sum() == pytest.approx(1, abs=1e-4)


def test_boards_of_two_sizes_are_refused():
    records = np.concatenate([Board(9).records, Board(13).records])
    with pytest.raises(EvaluatorError, match="one size"):
        evaluator().evaluate(records)


def test_random_symmetry_without_an_rng_is_refused():
    with pytest.raises(EvaluatorError, match="needs an rng"):
        evaluator(symmetry="random").evaluate(Board(9).records)


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = PolicyNet(PolicyConfig(filters=16, layers=4)).eval()
    board = random_board(19, 60, 2)
    cpu = Records(network, device="cpu", precision="float32").evaluate(board.records)
    for precision in ("float32", "bfloat16", "float16"):
        gpu = Records(network, device="cuda", precision=precision).evaluate(board.records)
        np.testing.assert_allclose(gpu, cpu, atol=3e-3)


def test_boards_may_come_from_a_generator() -> None:
    evaluator = Evaluator(TorchBackend(PolicyNet(PolicyConfig(4, 3)).eval(), device="cpu"))
    boards = [random_board(9, moves, seed=moves) for moves in (3, 6)]
    listed = evaluator.evaluate(boards).priors
    np.testing.assert_array_equal(evaluator.evaluate(iter(boards)).priors, listed)
