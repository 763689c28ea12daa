"""Every model of the registry learns eight samples by heart, and comes back from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore import list_models, load_model, save_model
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.models.classifier import Classifier
from tests.helpers.small_models import CLASSES, small

SAMPLES = 8
PATIENCE = 150  # steps
RATES = {
    **{"kim": 1e-2, "alexnet": 2e-4, "zfnet": 6e-4, "vgg": 2e-4, "nin": 1e-4, "googlenet": 3e-4},
    "alexnet-caffe": 1e-4,  # whose activities are three times larger
}
QUICK = ("lenet5", "lenet5-1998", "resnet20-cifar", "preact-resnet18", "kim-rand", "kim-static")
MODELS = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in list_models()]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1998)


def learner(name: str) -> tuple[Classifier, Tensor]:
    """Return a small model that drops nothing out, and eight samples."""
    options: dict[str, Any] = {}
    if name.startswith(("alexnet", "zfnet", "vgg")):
        options = {"hidden": 32}
    elif name.startswith("kim"):
        options = {"maps": 16}
    model, x = small(name, batch=SAMPLES, **options)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model, x


def rate_of(name: str) -> float:
    """The learning rate for a model: its own, its family's, or Adam's usual one."""
    return RATES.get(name, RATES.get(name.split("-")[0], 1e-3))


@pytest.mark.parametrize("name", MODELS)
def test_eight_samples_are_learnt_by_heart(name: str) -> None:
    model, x = learner(name)
    labels = torch.arange(SAMPLES) % CLASSES
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=rate_of(name))
    for _ in range(PATIENCE):
        output = model(x)
        logits = output.logits if isinstance(output, GoogLeNetOutput) else output
        if bool((logits.argmax(1) == labels).all()):
            break
        optimizer.zero_grad(set_to_none=True)
        if isinstance(output, GoogLeNetOutput):
            loss = output.loss(lambda logits: nn.functional.cross_entropy(logits, labels))
        else:
            loss = nn.functional.cross_entropy(output, labels)
        loss.backward()
        assert loss.isfinite()
        optimizer.step()
    assert (logits.argmax(1) == labels).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_comes_back_with_the_same_logits(name: str, tmp_path: Path) -> None:
    model, x = small(name)
    model.train()
    with torch.no_grad():
        model(x)  # other running statistics than a new model's
    path = tmp_path / "model.safetensors"
    save_model(model, path)
    back = load_model(path)
    assert back.name == name and back.options == model.options
    with torch.inference_mode():
        assert torch.equal(back(x), model.eval()(x))
