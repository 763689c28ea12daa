"""Same weights in, same logits out as timm and torchvision, where they are installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnncore import create_model, load_weights

TORCHVISION = {
    "alexnet-owt": "alexnet",
    "googlenet-torchvision": "googlenet",
    **{f"resnet{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101, 152)},
    **{f"vgg{depth}": f"vgg{depth}" for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}-bn": f"vgg{depth}_bn" for depth in (11, 13, 16, 19)},
}
TIMM = {name: theirs for name, theirs in TORCHVISION.items() if name.startswith(("resnet", "vgg"))}
QUICK = {"resnet18", "resnet50", "googlenet-torchvision"}


def marked(names: dict[str, str]) -> list[Any]:
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in names]


def installed(name: str) -> Any:
    """Return a module; skip where it is missing, or built for another torch (RuntimeError)."""
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{name} cannot be imported: {error}")


def lived_in(model: nn.Module) -> nn.Module:
    """Give the normalisations other statistics than a new model's."""
    torch.manual_seed(3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean, 0.0, 0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.25)
    return model.eval()


def assert_agrees(name: str, theirs: nn.Module, path: Path) -> None:
    torch.save(theirs.state_dict(), path)
    ours = create_model(name)
    report = load_weights(ours, path, stride_in="3x3")
    assert report.remade == report.left == ()
    side = 224 if name == "alexnet-owt" or name.startswith("vgg") else 96
    x = torch.randn(1, 3, side, side)
    with torch.inference_mode():
        expected = theirs(x)
        scale = float(expected.abs().max())
        torch.testing.assert_close(ours.eval()(x), expected, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("name", marked(TORCHVISION))
def test_torchvision_agrees(name: str, tmp_path: Path) -> None:
    models = installed("torchvision.models")
    torch.set_num_threads(1)
    options: dict[str, Any] = {}
    if name.startswith("googlenet"):
        options = {"transform_input": True, "aux_logits": True, "init_weights": False}
    theirs = lived_in(models.get_model(TORCHVISION[name], weights=None, **options))
    assert list(theirs.state_dict()) == list(create_model(name).state_dict())
    assert_agrees(name, theirs, tmp_path / "torchvision.pth")


@pytest.mark.parametrize("name", marked(TIMM))
def test_timm_agrees(name: str, tmp_path: Path) -> None:
    timm = installed("timm")
    torch.set_num_threads(1)
    theirs = lived_in(timm.create_model(TIMM[name], pretrained=False))
    assert_agrees(name, theirs, tmp_path / "timm.pth")
