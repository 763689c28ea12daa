"""The policy network: AlphaGo's shape, exact folding, widening that changes nothing, files."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal, TypeGuard

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.layers.residual import BasicBlock
from cnncore.weights.checkpoint import save_checkpoint
from goengine.board import Board
from goengine.encoding.features import FEATURE_VERSION
from goengine.games.game import Game
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.match.entrants import make_entrant
from goengine.networks.files import (
    NETWORK,
    default_network,
    load_network,
    name_of,
    open_network,
    read_network,
    save_network,
    shipped_networks,
)
from goengine.networks.policy_network import NetworkError, PolicyConfig, PolicyNet
from goengine.networks.widening import widen

torch.set_num_threads(1)

Kind = Literal["plain", "residual"]


def _trained(config: PolicyConfig, *, seed: int = 0) -> PolicyNet:
    """Return a network whose normalisation has seen data and whose position bias is not zero."""
    torch.manual_seed(seed)
    net = PolicyNet(config)
    nn.init.normal_(net.bias.bias)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.3)
            nn.init.normal_(module.bias, 0.0, 0.3)
    net.train()
    with torch.no_grad():
        for _ in range(30):
            net(torch.randint(0, 2, (4, config.planes, config.size, config.size)).byte())
    return net.eval()


def _planes(count: int = 3, size: int = 19) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randint(0, 2, (count, 48, size, size), generator=generator).byte()


def test_the_network_of_the_paper() -> None:
    net = PolicyNet(PolicyConfig())
    assert sum(p.numel() for p in net.parameters()) == 3_882_793
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 13
    assert [c.kernel_size[0] for c in convolutions] == [5] + [3] * 11 + [1]
    assert convolutions[-1].bias is None and net.bias.bias.shape == (361,)


@pytest.mark.parametrize("filters", [32, 64, 96, 128, 192, 256])
def test_logits_out_for_every_width(filters: int) -> None:
    net = PolicyNet(PolicyConfig(filters=filters)).eval()
    with torch.inference_mode():
        logits = net(_planes(2))
    assert logits.shape == (2, 361) and logits.dtype == torch.float32
    assert logits.isfinite().all()


def test_the_residual_tower_costs_what_128_plain_filters_cost() -> None:
    net = PolicyNet(PolicyConfig(filters=96, layers=22, norm=True, kind="residual"))
    stem, block = 25 * 48 * 96, 2 * 9 * 96 * 96
    folded = sum(p.numel() for p in net.folded().parameters())
    assert folded == stem + 96 + 10 * (block + 2 * 96) + 96 + 361 == 1_776_553
    plain = sum(m.weight.numel() for m in PolicyNet(PolicyConfig(128)).modules() if _is_conv(m))
    tower = sum(m.weight.numel() for m in net.modules() if _is_conv(m))
    assert 0.99 < tower / plain < 1.0
    assert len([m for m in net.modules() if _is_conv(m)]) == net.config.layers


def _is_conv(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    return isinstance(module, nn.Conv2d)


def test_a_new_tower_is_its_stem_and_its_head() -> None:
    net = PolicyNet(PolicyConfig(filters=8, layers=8, norm=True, kind="residual")).eval()
    with torch.inference_mode():
        stem = net.body[0](_planes().float())
        torch.testing.assert_close(net.features(_planes()), stem)
    shallow = _trained(PolicyConfig(filters=8, layers=8, norm=True, kind="residual"))
    with torch.inference_mode():
        assert (shallow.features(_planes()) - shallow.body[0](_planes().float())).abs().max() > 0.1


def test_a_residual_network_learns() -> None:
    torch.manual_seed(1)
    net = PolicyNet(PolicyConfig(filters=16, layers=6, norm=True, kind="residual"))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    moves = torch.tensor([3, 77, 200])
    losses = []
    for _ in range(30):
        loss = nn.functional.cross_entropy(net(_planes()), moves)
        losses.append(loss.item())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        assert all(p.grad is not None for p in net.parameters())
        optimizer.step()
    assert losses[-1] < 0.05 < 5.0 < losses[0]


def test_symmetric_kernels_make_an_equivariant_tower() -> None:
    """Nothing but the kernels and the position bias tells one corner from another."""
    net = _trained(PolicyConfig(filters=8, layers=6, norm=True, kind="residual")).double()
    nn.init.zeros_(net.bias.bias)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            weight = module.weight.data
            turns = [w.rot90(k, (2, 3)) for w in (weight, weight.flip(3)) for k in range(4)]
            module.weight.data = torch.stack(turns).mean(0)
    planes = _planes(2)
    with torch.inference_mode():
        plain = net(planes).view(2, 19, 19)
        turned = net(planes.rot90(1, (2, 3)).contiguous()).view(2, 19, 19)
        mirrored = net(planes.flip(3).contiguous()).view(2, 19, 19)
    torch.testing.assert_close(turned, plain.rot90(1, (1, 2)))
    torch.testing.assert_close(mirrored, plain.flip(2))


@pytest.mark.parametrize(("layers", "kind"), [(4, "plain"), (13, "plain"), (8, "residual")])
def test_folding_is_exact(layers: int, kind: Kind) -> None:
    net = _trained(PolicyConfig(filters=24, layers=layers, norm=True, kind=kind)).double()
    folded = net.folded()
    assert folded.config == replace(net.config, norm=False)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert folded.state_dict().keys() == PolicyNet(folded.config).state_dict().keys()
    with torch.inference_mode():
        expected = net(_planes())
        difference = (folded.double()(_planes()) - expected).abs().max()
    assert difference < 1e-4 * expected.abs().max()


def test_folded_192_has_the_parameters_of_the_paper() -> None:
    folded = PolicyNet(PolicyConfig(norm=True)).folded()
    assert sum(p.numel() for p in folded.parameters()) == 3_882_793


def test_other_board_sizes_run_without_the_position_bias() -> None:
    net = _trained(PolicyConfig(filters=8, layers=3))
    with torch.inference_mode():
        before = net(_planes(size=9))
        nn.init.zeros_(net.bias.bias)
        assert before.shape == (3, 81) and torch.equal(net(_planes(size=9)), before)


@pytest.mark.parametrize("kind", ["plain", "residual"])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_widening_keeps_the_function(kind: Kind, norm: bool, mode: str) -> None:
    net = _trained(PolicyConfig(filters=12, layers=6, norm=norm, kind=kind)).double()
    net.train(mode == "train")
    wide = widen(net, 31, np.random.default_rng(3)).double()
    assert wide.config == replace(net.config, filters=31)
    assert wide.training == net.training
    with torch.no_grad():
        expected, result = net(_planes()), wide(_planes())
    assert (result - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("kind", ["plain", "residual"])
def test_widened_copies_learn_apart(kind: Kind) -> None:
    net = _trained(PolicyConfig(filters=8, layers=4, norm=True, kind=kind))
    wide = widen(net, 16, np.random.default_rng(3)).train()
    loss = nn.functional.cross_entropy(wide(_planes()), torch.tensor([3, 77, 200]))
    loss.backward()
    block = wide.blocks()[1]
    weight = (block.conv1 if isinstance(block, BasicBlock) else block.conv).weight
    assert weight.grad is not None
    for new in range(8, 16):
        twins = [old for old in range(8) if torch.equal(weight[old], weight[new])]
        assert twins == [] or not torch.allclose(weight.grad[twins[0]], weight.grad[new])


def test_noise_moves_only_the_copies() -> None:
    net = _trained(PolicyConfig(filters=6, layers=3))
    plain = widen(net, 9, np.random.default_rng(1))
    noisy = widen(net, 9, np.random.default_rng(1), noise=0.1)
    first, other = plain.body[0].conv.weight, noisy.body[0].conv.weight
    assert torch.equal(first[:6], other[:6])
    assert not torch.isclose(first[6:], other[6:]).all(dim=(1, 2, 3)).any()


def test_narrowing_is_refused() -> None:
    with pytest.raises(NetworkError, match="cannot widen 8 filters to 4"):
        widen(PolicyNet(PolicyConfig(filters=8, layers=3)), 4, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize(("layers", "kind"), [(5, "plain"), (6, "residual")])
def test_a_file_holds_the_folded_network(
    tmp_path: Path, dtype: torch.dtype, layers: int, kind: Kind
) -> None:
    net = _trained(PolicyConfig(filters=16, layers=layers, norm=True, kind=kind))
    file = tmp_path / "small.safetensors"
    save_network(net, file, metadata={"positions_seen": 5}, dtype=dtype)
    loaded, facts = read_network(file)
    assert facts["positions_seen"] == 5 and not loaded.training
    assert loaded.config == replace(net.config, norm=False)
    with torch.inference_mode():
        expected, result = net(_planes()), load_network(file)(_planes())
    tolerance = 1e-4 if dtype == torch.float32 else 2e-2
    assert result.dtype == torch.float32
    assert (result - expected).abs().max() < tolerance * expected.abs().max()
    assert (tmp_path / "small.safetensors").stat().st_size < 4 * 1.1 * 60_000


def test_files_from_before_residual_networks_still_load(tmp_path: Path) -> None:
    net = _trained(PolicyConfig(filters=4, layers=3))
    config = asdict(net.config)
    assert config.pop("kind") == "plain"
    metadata = {"feature_version": FEATURE_VERSION, "config": config}
    save_checkpoint(tmp_path / "old", net.state_dict(), kind="policy-network", metadata=metadata)
    assert load_network(tmp_path / "old").config == net.config


def test_a_residual_network_evaluates_and_plays(tmp_path: Path) -> None:
    net = _trained(PolicyConfig(filters=8, layers=6, norm=True, kind="residual"))
    file = tmp_path / "tower.safetensors"
    save_network(net, file, metadata={})
    board = Board(19)
    every = Evaluator(TorchBackend(load_network(file), precision="float32"), symmetry="all")
    priors = every.evaluate([board]).priors[0, :-1].reshape(19, 19)
    assert priors.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(priors, np.rot90(priors), rtol=1e-3)  # the empty board is symmetric
    same = Evaluator(TorchBackend(net, precision="float32"), symmetry="all")
    unfolded = same.evaluate([board]).priors[0, :-1]
    np.testing.assert_allclose(unfolded.reshape(19, 19), priors, rtol=1e-3)
    entrant = make_entrant(f"policy:{file},symmetry=none,precision=float32")
    game = Game(19)
    entrant.start(game)
    rng = np.random.default_rng(0)
    for _ in range(4):
        (move,) = entrant.choose([game], rng)
        game.play(move)
    assert game.board.turn == 4


def test_bad_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    net = PolicyNet(PolicyConfig(filters=4, layers=3))
    state, config = net.state_dict(), asdict(net.config)

    def refuse(words: str, metadata: dict[str, object], kind: str = "policy-network") -> None:
        save_checkpoint(tmp_path / "x", state, kind=kind, metadata=metadata)
        with pytest.raises(NetworkError, match=words):
            load_network(tmp_path / "x")

    refuse("feature version 99", {"feature_version": 99, "config": config})
    refuse("feature version None", {"config": config})
    refuse("do not fit", {"feature_version": 1, "config": {**config, "filters": 5}})
    refuse("config", {"feature_version": 1, "config": {"colour": "blue"}})
    refuse("'spiral'", {"feature_version": 1, "config": {**config, "kind": "spiral"}})
    refuse("config", {"feature_version": 1})
    for field, value in (("filters", "4"), ("layers", 3.0), ("size", "19"), ("planes", None)):
        refuse(
            f"no usable config \\({field} = .* is not a whole number\\); export it again",
            {"feature_version": 1, "config": {**config, field: value}},
        )
    refuse("usable config .*at least 1 plane", {"feature_version": 1, "config": {"planes": -1}})
    wider = {"feature_version": 1, "config": {**config, "layers": 4}}
    refuse("do not fit its config: [^\n]*; export it again$", wider)
    refuse("is damaged", {"feature_version": 1, "config": config}, kind=["cat"])  # type: ignore[arg-type]
    refuse("holds a cat", {"feature_version": 1, "config": config}, kind="cat")
    with pytest.raises(NetworkError, match="no network named 'policy-7'"):
        load_network("policy-7")
    with pytest.raises(NetworkError, match="no checkpoint at"):
        load_network(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_not_numbers_are_refused(tmp_path: Path, number: float) -> None:
    net = PolicyNet(PolicyConfig(filters=4, layers=3))
    with torch.no_grad():
        net.bias.bias[7] = number
    save_network(net, tmp_path / "x.safetensors", metadata={})
    with pytest.raises(NetworkError, match=r"weights that are not numbers \(bias\.bias\); export"):
        open_network(tmp_path / "x.safetensors")


def test_a_folder_stands_for_the_network_that_fine_tuning_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my_games-net"
    folder.mkdir()
    with pytest.raises(NetworkError, match=r"does not hold a network.safetensors: give a "):
        load_network(folder)
    (folder / "checkpoint.safetensors").touch()
    with pytest.raises(NetworkError, match=r"'selfplay export .*my_games-net --out NAME"):
        load_network(folder)
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), folder / NETWORK, metadata={})
    with pytest.raises(NetworkError, match=r"which may have gone on: give .*network.safetensors"):
        load_network(folder)
    (folder / "start.safetensors").touch()
    assert load_network(folder).config.filters == 4
    monkeypatch.chdir(folder)
    assert load_network(".").config.filters == 4 and name_of(".") == "my_games-net"


def test_a_shipped_name_comes_before_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dual-96").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_network("dual-96").config.filters == 96
    with pytest.raises(NetworkError, match="does not hold"):
        load_network("./dual-96")


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(NetworkError, match="at least 2 layers"):
        PolicyNet(PolicyConfig(layers=1))
    with pytest.raises(NetworkError, match="13 is not possible; give 12 or 14"):
        PolicyNet(PolicyConfig(layers=13, kind="residual"))


def test_shipped_networks_load_by_name() -> None:
    for name in shipped_networks():
        net, facts = read_network(name)
        assert net.config.layers >= 13 and facts["positions_seen"] > 0
        card = Path("goengine") / "nets" / f"{name}.md"
        assert (Path(__file__).parents[3] / card).is_file(), f"{name} has no model card"


def test_the_default_network_is_the_best_one_shipped() -> None:
    names = ["policy-192", "policy-64", "policy-residual-64"]
    assert default_network(candidates=names) == "policy-residual-64"
    assert default_network(candidates=names[:2]) == "policy-64"
    assert default_network(candidates=["mine", "another"]) == "another"
    assert default_network() in shipped_networks()
    with pytest.raises(NetworkError, match="ships no network"):
        default_network(candidates=[])
