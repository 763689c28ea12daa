"""The block with global pooling: nothing added at first, the same everywhere, exact folding."""

from __future__ import annotations

import torch
from torch import nn

from cnncore.layers.global_pooling import GlobalPoolingBlock, mean_and_maximum
from cnncore.layers.residual import BasicBlock

torch.set_num_threads(1)


def _maps(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 6, 7, 7, generator=torch.Generator().manual_seed(5))


def _used(block: GlobalPoolingBlock) -> GlobalPoolingBlock:
    """Return a block whose layer says something and whose normalisation has seen data."""
    nn.init.normal_(block.pool.weight, 0.0, 0.5)
    nn.init.normal_(block.pool.bias)
    for norm in (block.bn1, block.bn2):
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight, 1.0, 0.3)
            nn.init.normal_(norm.bias, 0.0, 0.3)
    block.train()
    for _ in range(20):
        block(_maps(8))
    return block.eval()


def test_means_come_first_and_then_maxima() -> None:
    x = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])
    assert mean_and_maximum(x).tolist() == [[2.0, -1.0, 3.0, 0.0]]


def test_a_new_block_is_a_basic_block() -> None:
    torch.manual_seed(2)
    block = GlobalPoolingBlock(6, 6).eval()
    plain = BasicBlock(6, 6).eval()
    plain.load_state_dict({k: v for k, v in block.state_dict().items() if "pool" not in k})
    with torch.inference_mode():
        torch.testing.assert_close(block(_maps()), plain(_maps()))


def test_a_point_hears_what_lies_beyond_its_reach() -> None:
    block = _used(GlobalPoolingBlock(6, 6))
    near, far = _maps(1), _maps(1)
    far[0, :, 6, 6] += 3.0
    with torch.inference_mode():
        change = (block(far) - block(near)).abs().amax(1)[0]
    nn.init.zeros_(block.pool.weight)
    with torch.inference_mode():
        deaf = (block(far) - block(near)).abs().amax(1)[0]
    assert change[0, 0] > 1e-3 and deaf[0, 0] == 0


def test_folding_is_exact_and_keeps_the_kind() -> None:
    torch.manual_seed(3)
    block = _used(GlobalPoolingBlock(6, 6)).double()
    folded = block.folded().double()
    assert isinstance(folded, GlobalPoolingBlock)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        expected = block(_maps().double())
        assert (folded(_maps().double()) - expected).abs().max() < 1e-5 * expected.abs().max()


def test_it_computes_in_half_precision_with_a_layer_in_single() -> None:
    block = _used(GlobalPoolingBlock(6, 6)).folded()
    expected = block(_maps())
    for conv in (block.conv1, block.conv2):
        conv.to(torch.bfloat16)
    result = block(_maps().bfloat16())
    assert result.dtype == torch.bfloat16
    assert (result - expected).abs().max() < 0.05 * expected.abs().max()
