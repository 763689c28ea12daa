"""Evaluation: ranks are counted right, intervals are honest, Ctrl-C loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from goengine import BLACK, WHITE, Board, GameRecord
from goengine.encoding.features import encode_batch
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from selfplay.__main__ import main
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.fixed_samples import source_sample
from selfplay.batches.positions import PositionBatch, Positions
from selfplay.evaluation import survey
from selfplay.evaluation.held_out_answers import Answers, Contestant, Symmetry, ask, joined
from selfplay.evaluation.measures import GROUPINGS, PHASES, by_rank, difference, measure, rank_name
from selfplay.evaluation.result_lines import table
from selfplay.evaluation.source_reports import evaluate_source
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("evaluation") / "archive")


def _answers(archive: Archive, *, seed: int = 0, count: int = 96) -> Answers:
    torch.manual_seed(seed)
    contestant = Contestant("a", PolicyNet(PolicyConfig(filters=4, layers=3)).eval())
    batches = ask([contestant], source_sample(archive, "even", limit=count), batch=40)
    return joined([part for (part,) in batches])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("6d", "6 dan"),
        ("7d ama", "7 dan"),
        ("9p", "9 pro"),
        ("12k", "kyu"),
        ("17d", "other"),
        ("9p & 8p", "other"),
        ("Honinbo", "other"),
        ("", "other"),
    ],
)
def test_ranks_as_written_become_groups(text: str, name: str) -> None:
    assert rank_name(text) == name


def test_a_position_has_the_rank_of_its_mover(tmp_path: Path) -> None:
    moves = tuple((WHITE if i % 2 == 0 else BLACK, 20 * i) for i in range(8))
    game = GameRecord(
        setup_black=(180,), to_play=WHITE, moves=moves, black_rank="2k", white_rank="5d"
    )
    with ArchiveWriter(tmp_path / "ranked") as writer:
        writer.add(game, "club")
        archive = writer.commit()
    eight = np.arange(8)
    answers = Answers(0 * eight, eight, *(eight for _ in range(6)))  # type: ignore[arg-type]
    masks = by_rank(answers, archive)
    assert list(masks) == ["kyu", "5 dan"]
    assert np.array_equal(masks["5 dan"], eight % 2 == 0)
    assert np.array_equal(masks["kyu"], eight % 2 == 1)


def test_groups_partition_the_positions(archive: Archive) -> None:
    answers = _answers(archive)
    for name, grouping in GROUPINGS.items():
        masks = grouping(answers, archive)
        assert masks and np.array_equal(sum(masks.values()), np.ones(len(answers))), name
    ends = sorted(PHASES.values())
    assert ends[0][0] == 0
    assert all(left[1] == right[0] for left, right in pairwise(ends))


def test_pairs_of_networks_are_compared_position_by_position(archive: Archive) -> None:
    one, other = _answers(archive), _answers(archive, seed=1)
    gain = difference(one, other)
    assert gain.loss == pytest.approx(measure(other).loss - measure(one).loss)
    assert gain.top5 == pytest.approx(measure(other).top5.value - measure(one).top5.value)
    assert 0 < gain.loss_error < measure(one).loss_error + measure(other).loss_error
    same = difference(one, one)
    assert (same.top1, same.top1_error, same.loss, same.loss_error) == (0.0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="same positions"):
        difference(one, _answers(archive, count=40))


def test_the_same_positions_are_asked_about_every_time(archive: Archive) -> None:
    one, other = _answers(archive), _answers(archive, seed=1)
    assert np.array_equal(one.games, other.games) and np.array_equal(one.plies, other.plies)
    table = archive.games
    moves = archive.moves[table["offset"][one.games] + one.plies]
    assert np.array_equal(one.moves, moves) and len(one.seconds) == 3
    assert np.array_equal(one.losses < 0.0, np.zeros(96))
    assert (np.diff(one.chances, axis=1) <= 0).all() and (one.chances[:, 0] < 1).all()


class _Oracle(nn.Module):
    """A network that knows the moves of the one batch that it is asked about."""

    def __init__(self, batch: PositionBatch, *, rank: int) -> None:
        super().__init__()
        self.config = PolicyConfig()
        self.weight = nn.Parameter(torch.zeros(1))
        self.batch, self.rank = batch, rank

    def forward(self, planes: Tensor) -> Tensor:
        assert np.array_equal(planes.numpy(), self.batch.planes)
        logits = torch.zeros(len(planes), 361)
        for row, move in zip(logits, self.batch.moves[:, 0].tolist(), strict=True):
            row[move] = 5.0
            row[[(move + 1 + i) % 361 for i in range(self.rank)]] = 6.0
        return logits


@pytest.mark.parametrize(("rank", "top1", "top5"), [(0, 1.0, 1.0), (1, 0.0, 1.0), (5, 0.0, 0.0)])
def test_evaluation_counts_ranks(archive: Archive, rank: int, top1: float, top5: float) -> None:
    positions = Positions(archive, "test", weights={"even": 1.0})
    games, plies = positions.draw(64, np.random.default_rng(20160128))
    order = np.lexsort((plies, games))
    oracle: Any = _Oracle(positions.batch(games[order], plies[order]), rank=rank)
    report = evaluate_source(oracle, archive, "even", limit=64)
    assert report.top1.value == top1 and report.top5.value == top5
    assert sum(share.count for share in report.by_move.values()) == 64
    assert sum(part.top1.count for part in report.groups["phase"].values()) == 64
    expected = -torch.zeros(1, 361)
    expected[0, 0], expected[0, 1 : 1 + rank] = 5.0, 6.0
    assert report.loss == pytest.approx(-expected.log_softmax(1)[0, 0].item(), rel=1e-4)
    best = expected.softmax(1).max().item()
    assert report.ece == pytest.approx(abs(best - top1), abs=1e-4)
    assert "even: top-1" in table([report])


def log_probabilities(
    net: PolicyNet, planes: np.ndarray, *, symmetry: Symmetry = "none"
) -> torch.Tensor:
    evaluator = Contestant("a", net, symmetry).evaluator
    return torch.from_numpy(evaluator.evaluate_planes(planes).priors[:, :-1]).log()


def test_the_symmetry_ensemble_is_equivariant() -> None:
    torch.manual_seed(0)
    net = PolicyNet(PolicyConfig(filters=8, layers=3)).eval()
    nn.init.normal_(net.bias.bias)
    planes = torch.randint(0, 2, (2, 48, 19, 19)).byte().numpy()
    with torch.inference_mode():
        plain = log_probabilities(net, planes, symmetry="all").view(2, 19, 19)
        crooked = np.ascontiguousarray(np.rot90(planes, axes=(2, 3)))
        turned = log_probabilities(net, crooked, symmetry="all")
        single = log_probabilities(net, planes).view(2, 19, 19)
    torch.testing.assert_close(turned.view(2, 19, 19), plain.rot90(1, (1, 2)), rtol=1e-4, atol=1e-5)
    assert plain.exp().sum((1, 2)) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert (plain - single).abs().max() > 1e-3


def test_a_forgetful_network_answers_as_the_engine_does() -> None:
    torch.manual_seed(0)
    net = PolicyNet(PolicyConfig(filters=8, layers=3, forgetful=True)).eval()
    with torch.no_grad():
        net.head.weight.mul_(8)
    board = Board(19)
    for move in (60, 72, 288, 300, 61, 80):
        board.play(move)
    engine = Evaluator(TorchBackend(net, device="cpu", precision="float32"), symmetry="all")
    with torch.inference_mode():
        planes = encode_batch(board.records)
        mine = log_probabilities(net, planes, symmetry="all").exp().numpy()
    legal = board.sensible()[None, :-1]
    theirs = engine.evaluate([board]).priors[:, :-1][legal]
    assert mine[legal] / theirs == pytest.approx(np.full(theirs.shape, mine[legal].sum()), rel=0.02)
    net.config = replace(net.config, forgetful=False)
    with torch.inference_mode():
        usual = log_probabilities(net, planes, symmetry="all").exp().numpy()
    assert np.abs(usual / mine - 1).max() > 0.1


def _command(archive: Archive, *words: object) -> int:
    rest = ["--data", archive.path, "--threads", 1, "--device", "cpu", *words]
    return main(["evaluate", *map(str, rest)])


def test_the_command_prints_every_source(
    archive: Archive, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command(archive, net_file, "--limit", 20) == 0
    out = capsys.readouterr().out
    assert "even: top-1" in out and "handicap: top-1" in out
    assert "moves        1-30: top-1" in out and "phase     opening: top-1" in out


def test_one_view_and_eight_are_compared(
    archive: Archive, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--sources", "even", "--limit", 20, "--symmetry", "both", "--json")
    assert _command(archive, net_file, *words) == 0
    one, eight, gain = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["net"], one["symmetry"]) == ("tiny", "none")
    assert (eight["net"], eight["symmetry"]) == ("tiny, 8 views", "all")
    assert gain["difference"]["loss"] == pytest.approx(eight["loss"] - one["loss"])
    assert one["top1"]["count"] == 20 and one["groups"]["rank"]["other"]["top1"]["count"] == 20


def test_a_run_brings_its_learning_curve(
    archive: Archive, net_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = Recipe(
        filters=4,
        layers=3,
        positions=32,
        batch=4,
        validate_every=8,
        validate_positions=4,
        report_steps=2,
        precision="float32",
    )
    run = Run(tmp_path / "first", recipe, archive, device=torch.device("cpu"))
    assert run.fit() == "finished"
    page = tmp_path / "pages" / "report.html"
    words = (run.folder, net_file, "--sources", "even", "--limit", 40, "--report", page)
    assert _command(archive, *words) == 0
    assert "tiny against first: top-1" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "How it learned" in text and "first stands at" in text
    assert _command(archive, net_file, *words[2:], "--metrics", run.folder) == 0
    assert "first stands at" in page.read_text(encoding="utf-8")
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]


def test_ctrl_c_keeps_what_there_is(
    archive: Archive,
    net_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Iterator[list[Answers]]:
        yield next(ask(*args, **kwargs, batch=16))
        raise KeyboardInterrupt

    monkeypatch.setattr(survey, "ask", interrupted)
    page = tmp_path / "report.html"
    assert _command(archive, net_file, "--limit", 64, "--report", page) == 130
    printed = capsys.readouterr()
    first, second = (name for name in archive.sources if name)
    assert f"{first}: top-1" in printed.out and "of 16 " in printed.out
    assert f"{second}: top-1" not in printed.out
    assert "interrupted" in printed.err
    assert "The evaluation was interrupted" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["policy-7"], "no network named 'policy-7'"),
        (["NET", "--limit", "0"], "--limit 0 is not a number"),
        (["NET", "--report", "."], "--report . is a folder; name a file in it"),
        (["NET", "NET"], "named twice"),
        (["NET", "--sources", "fox"], "no source 'fox'"),
        (["NET", "--metrics", "nowhere.jsonl"], "nowhere.jsonl holds no metrics"),
    ],
)
def test_mistakes_get_one_sentence(
    words: list[str],
    sentence: str,
    archive: Archive,
    net_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(net_file) if word == "NET" else word for word in words]
    assert _command(archive, *given) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_an_unknown_symmetry_is_refused() -> None:
    with pytest.raises(ValueError, match="symmetry 'some' is unknown"):
        replace(Contestant("a", PolicyNet(PolicyConfig(4, 3))), symmetry="some")  # type: ignore[arg-type]
