"""Every model exports, and runs in bfloat16 and with its channels last."""

from __future__ import annotations

import pytest
import torch

from cnncore import list_models
from tests.helpers.small_models import small

# 333 blocks, each of which adds its output, grow the signal of a new net beyond float32 unless its
# normalisations have met a batch.
NEEDS_STATISTICS = "preact-resnet1001-cifar"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2015)


@pytest.mark.parametrize(
    "name", ["lenet5", "lenet5-1998", "nin-cifar10", "resnet20-cifar", "kim-multichannel"]
)
def test_models_export(name: str) -> None:
    model, x = small(name)
    exported = torch.export.export(model.eval(), (x,)).module()
    torch.testing.assert_close(exported(x), model(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_every_model_exports_and_runs_in_bfloat16_and_channels_last(name: str) -> None:
    model, x = small(name)
    if name == NEEDS_STATISTICS:
        with torch.no_grad():
            model.train()(x)
    expected = model.eval()(x).detach()
    assert expected.isfinite().all()
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), expected)
    scale = float(expected.abs().max())
    if x.ndim == 4:
        moved = model.to(memory_format=torch.channels_last)
        out = moved(x.to(memory_format=torch.channels_last))
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4 * scale)
    with torch.autocast("cpu", torch.bfloat16):
        rough = model(x).float()
    torch.testing.assert_close(rough, expected, rtol=0.1, atol=0.1 * scale)
