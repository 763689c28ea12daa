"""The policy-value network: its outputs, exact folding, widening that changes nothing, files."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.layers.global_pooling import GlobalPoolingBlock
from cnncore.weights.checkpoint import save_checkpoint
from goengine.networks.files import load_network, policy_network, read_network, save_network
from goengine.networks.policy_network import NetworkError, PolicyNet
from goengine.networks.policy_value import PolicyValue, PolicyValueConfig, PolicyValueNet
from goengine.networks.widening import widen

torch.set_num_threads(1)

SHAPES = {
    "plain": PolicyValueConfig(filters=12, layers=5, norm=True, neck=4, hidden=6),
    "residual": PolicyValueConfig(filters=12, layers=6, norm=True, kind="residual", neck=4),
    "pooling": PolicyValueConfig(
        filters=12, layers=8, norm=True, kind="residual", pools=(0, 2), neck=4, hidden=6
    ),
}


def _planes(count: int = 3, size: int = 19) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randint(0, 2, (count, 48, size, size), generator=generator).byte()


def trained(config: PolicyValueConfig, *, seed: int = 0) -> PolicyValueNet:
    """Return a network whose normalisation has seen data and whose heads all say something."""
    torch.manual_seed(seed)
    net = PolicyValueNet(config)
    nn.init.normal_(net.bias.bias)
    nn.init.normal_(net.outcome.weight, 0.0, 0.3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.3)
            nn.init.normal_(module.bias, 0.0, 0.3)
        if isinstance(module, GlobalPoolingBlock):
            nn.init.normal_(module.pool.weight, 0.0, 0.3)
            nn.init.normal_(module.pool.bias, 0.0, 0.3)
    net.train()
    with torch.no_grad():
        for number in range(20):
            generator = torch.Generator().manual_seed(number)
            net(torch.randint(0, 2, (4, 48, 9, 9), generator=generator).byte())
    return net.eval()


def _assert_same(one: PolicyValue, other: PolicyValue, tolerance: float = 1e-4) -> None:
    for mine, theirs in zip(one, other, strict=True):
        assert mine.shape == theirs.shape
        assert (mine - theirs).abs().max() < tolerance * theirs.abs().max()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [2, 9, 19])
def test_every_head_answers_on_every_board(shape: str, size: int) -> None:
    net = trained(SHAPES[shape])
    with torch.inference_mode():
        said = net(_planes(size=size))
    assert said.logits.shape == (3, size * size) and said.margin.shape == (3,)
    assert said.ownership.shape == (3, size, size) and said.spread.shape == (3,)
    assert all(part.dtype == torch.float32 and part.isfinite().all() for part in said)
    assert said.ownership.abs().max() <= 1 and said.spread.min() >= 1


def test_the_margin_is_the_ownership_and_a_correction() -> None:
    net = trained(SHAPES["plain"])
    nn.init.zeros_(net.outcome.weight)
    nn.init.zeros_(net.outcome.bias)
    with torch.inference_mode():
        said = net(_planes())
        torch.testing.assert_close(said.margin, said.ownership.sum((1, 2)))
        net.outcome.bias[0] = 0.5
        torch.testing.assert_close(net(_planes()).margin - said.margin, torch.full((3,), 10.0))


@pytest.mark.parametrize("shape", SHAPES)
def test_folding_is_exact(shape: str) -> None:
    net = trained(SHAPES[shape]).double()
    folded = net.folded()
    assert folded.config == replace(net.config, norm=False)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert folded.state_dict().keys() == PolicyValueNet(folded.config).state_dict().keys()
    with torch.inference_mode():
        _assert_same(folded.double()(_planes()), net(_planes()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_widening_keeps_the_function_of_every_head(shape: str, mode: str) -> None:
    net = trained(SHAPES[shape]).double().train(mode == "train")
    wide = widen(net, 31, np.random.default_rng(3)).double()
    assert wide.config == replace(net.config, filters=31) and wide.training == net.training
    with torch.no_grad():
        expected, result = net(_planes()), wide(_planes())
    _assert_same(result, expected)


def test_all_heads_learn() -> None:
    net = trained(replace(SHAPES["pooling"], norm=False)).train()
    said = net(_planes())
    total = said.logits.sum() + said.margin.sum() + said.spread.sum() + said.ownership.sum()
    torch.autograd.backward(total)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_file_holds_the_folded_network(tmp_path: Path, shape: str, dtype: torch.dtype) -> None:
    net = trained(SHAPES[shape])
    file = tmp_path / "net.safetensors"
    save_network(net, file, metadata={"positions_seen": 5}, dtype=dtype)
    loaded, facts = read_network(file)
    assert isinstance(loaded, PolicyValueNet) and facts["positions_seen"] == 5
    assert loaded.config == replace(net.config, norm=False) and not loaded.training
    with torch.inference_mode():
        tolerance = 1e-4 if dtype == torch.float32 else 2e-2
        _assert_same(loaded(_planes()), net(_planes()), tolerance)


def test_impossible_shapes_and_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"block 3 cannot pool: this network has blocks 0 to 2"):
        PolicyValueNet(replace(SHAPES["pooling"], pools=(0, 3)))
    with pytest.raises(NetworkError, match="block 0 cannot pool: this network has no residual"):
        PolicyValueNet(replace(SHAPES["plain"], pools=(0,)))
    with pytest.raises(NetworkError, match="a neck of 0 maps"):
        PolicyValueNet(replace(SHAPES["plain"], neck=0))
    net = trained(SHAPES["plain"]).folded()
    facts = {"feature_version": 1, "config": {**asdict(net.config), "hidden": 7}}
    save_checkpoint(tmp_path / "x", net.state_dict(), kind="policy-value-network", metadata=facts)
    with pytest.raises(NetworkError, match="do not fit its config"):
        load_network(tmp_path / "x")


def test_who_needs_a_policy_network_says_so() -> None:
    judge = PolicyValueNet(replace(SHAPES["plain"], norm=False))
    with pytest.raises(
        NetworkError, match="mine is a policy-value network and only a policy network"
    ):
        policy_network(judge, "mine")
    policy = PolicyNet()
    assert policy_network(policy, "mine") is policy
