"""Blocks, initialisation and the optimiser that orthogonalises."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from cnncore.layers.blocks import ConvNormAct, PositionBias, channels_last, fold_batch_norm
from cnncore.layers.initialisation import he_normal_
from cnncore.training.muon import Muon, orthogonalise, split_parameters


def _used(block: ConvNormAct) -> ConvNormAct:
    """Give the normalisation statistics and parameters that are not those of a new one."""
    torch.manual_seed(1)
    assert block.norm is not None
    nn.init.normal_(block.norm.weight, 1.0, 0.5)
    nn.init.normal_(block.norm.bias)
    for _ in range(20):
        block(3.0 * torch.randn(8, block.conv.in_channels, 7, 7) + 1.0)
    return block.eval()


@pytest.mark.parametrize("act", [True, False])
def test_folded_block_computes_the_same_function(act: bool) -> None:
    block = _used(ConvNormAct(5, 6, kernel=3, norm=True, act=act)).double()
    x = torch.randn(4, 5, 9, 9, dtype=torch.float64)
    folded = block.folded()
    assert folded.norm is None and folded.conv.bias is not None
    torch.testing.assert_close(folded.double()(x), block(x), rtol=1e-6, atol=1e-6)
    assert not torch.allclose(block.conv(x), block(x))


def test_fold_needs_running_statistics() -> None:
    norm = nn.BatchNorm2d(3, track_running_stats=False)
    with pytest.raises(ValueError, match="running statistics"):
        fold_batch_norm(nn.Conv2d(3, 3, 1), norm)


def test_even_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match="kernel size 4"):
        ConvNormAct(1, 1, kernel=4)


def test_position_bias_is_one_number_a_point_and_only_on_its_own_size() -> None:
    block = PositionBias(3)
    with torch.no_grad():
        block.bias.copy_(torch.arange(9.0))
    assert block(torch.zeros(2, 1, 3, 3)).tolist() == [list(range(9))] * 2
    assert block(torch.ones(1, 1, 4, 4)).tolist() == [[1.0] * 16]


def test_he_normal_keeps_the_second_moment_through_relu_layers() -> None:
    torch.manual_seed(0)
    x = torch.randn(256, 512)
    for _ in range(10):
        layer = nn.Linear(512, 512)
        he_normal_(layer)
        x = torch.relu(layer(x))
    assert 0.5 < x.square().mean().item() < 2.0


def test_channels_last_changes_the_layout_and_no_value() -> None:
    layer = nn.Conv2d(4, 6, 3)
    before = layer.weight.detach().clone()
    assert channels_last(layer).weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_orthogonalise_keeps_the_singular_vectors(shape: tuple[int, int]) -> None:
    torch.manual_seed(3)
    matrix = torch.randn(shape)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    result = orthogonalise(matrix)
    inner = u.T @ result @ vh.T
    assert inner.shape == (len(s), len(s))
    well = s > 0.2 * s.max()
    assert (inner.diagonal()[well] - 1.0).abs().max() < 0.4
    assert (inner - torch.diag(inner.diagonal())).abs().max() < 1e-3


def test_muon_step_is_the_orthogonalised_nesterov_momentum() -> None:
    torch.manual_seed(4)
    weight = nn.Parameter(torch.randn(6, 2, 3, 3))
    optimizer = Muon([weight], lr=0.1, momentum=0.9, weight_decay=0.5)
    expected = weight.detach().clone()
    velocity = torch.zeros_like(expected)
    for _ in range(3):
        gradient = torch.randn_like(expected)
        weight.grad = gradient.clone()
        optimizer.step()
        velocity = 0.9 * velocity + 0.1 * gradient
        nesterov = 0.9 * velocity + 0.1 * gradient
        step = orthogonalise(nesterov.reshape(6, -1)).reshape(expected.shape)
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * step
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-5)


def test_muon_scales_tall_matrices() -> None:
    weight = nn.Parameter(torch.zeros(32, 8))
    weight.grad = torch.randn(32, 8)
    Muon([weight], lr=1.0).step()
    typical = torch.linalg.svdvals(weight.detach()).median().item()
    assert 0.6 * 2 < typical < 1.3 * 2  # sqrt(32 / 8) = 2


def test_muon_learns_a_linear_map() -> None:
    torch.manual_seed(5)
    target = torch.randn(4, 6)
    layer = nn.Linear(6, 4, bias=False)
    optimizer = Muon(layer.parameters(), lr=0.05)
    losses = []
    for step in range(200):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / 200)
        x = torch.randn(64, 6)
        loss = (layer(x) - x @ target.T).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 1e-2 * losses[0] and math.isfinite(losses[-1])


def test_split_parameters_sorts_kernels_from_the_rest() -> None:
    body, head = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)), nn.Conv2d(3, 1, 1)
    model = nn.Sequential(body, head)
    kernels, rest = split_parameters(model, output_layers=[head])
    assert [p.shape for p in kernels] == [(3, 2, 3, 3)]
    assert len(rest) == 5
    assert len({id(p) for p in (*kernels, *rest)}) == len(list(model.parameters()))
