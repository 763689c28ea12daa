"""A network gets its normalisation back and computes what it did."""

from __future__ import annotations

import pytest
import torch

from goengine.networks.files import load_network
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from goengine.networks.unfolding import unfolded

torch.set_num_threads(1)


def planes(count: int, seed: int, size: int = 19) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 48, size, size, generator=generator) < 0.2).float()


@pytest.mark.parametrize(
    "config",
    [
        PolicyValueConfig(filters=8, layers=5, neck=4, hidden=6),
        PolicyValueConfig(filters=8, layers=6, kind="residual", pools=(1,), neck=4, hidden=6),
    ],
)
def test_the_function_stays_and_batches_are_normalised(config: PolicyValueConfig) -> None:
    torch.manual_seed(2)
    net = PolicyValueNet(config).eval()
    with torch.no_grad():
        net.outcome.weight.normal_(std=0.3)
        for name, parameter in net.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.2)
    sample = planes(64, 1)
    twin = unfolded(net, sample)
    assert twin.config.norm and not twin.training
    for x in (planes(8, 3), planes(8, 4, size=9)):
        for mine, theirs in zip(twin(x), net(x), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
            assert mine.std() > 0
    for mine, theirs in zip(twin.folded()(sample), net(sample), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    twin.train()
    for mine, theirs in zip(twin(sample), net(sample), strict=True):  # the batch's own statistics
        torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-2)


def test_the_shipped_network_gets_it_back() -> None:
    net = load_network("dual-96")
    assert isinstance(net, PolicyValueNet)
    twin, x = unfolded(net, planes(8, 1)), planes(2, 5)
    with torch.no_grad():
        said, before = twin(x), net(x)
    torch.testing.assert_close(said.logits, before.logits, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(said.margin, before.margin, rtol=1e-3, atol=5e-2)
