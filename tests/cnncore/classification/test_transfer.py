"""Transfer learning: frozen parts, and the features that they are cached as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cnncore import create_model
from cnncore.classification.classifier_run import (
    ClassifierRun,
)
from cnncore.classification.transfer import cache_features, freeze
from cnncore.data.images.image_samples import Augmentation
from cnncore.data.samples import DataError
from cnncore.models.classifier import Classifier
from cnncore.recipes import Recipe
from tests.helpers.small_classifier_runs import equal, photos


def transfer(folder: Path, **changes: Any) -> tuple[ClassifierRun, dict[str, Tensor]]:
    """Train a CIFAR ResNet-20's classifier; return the run, and the weights before it."""
    values = {"epochs": 2, "batch": 6, "lr": 0.05, "average": 0.0, "freeze": ("backbone",)}
    recipe = Recipe(**{**values, **changes})
    torch.manual_seed(5)
    model = create_model("resnet20-cifar", num_classes=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run = ClassifierRun(folder, recipe, photos(), None, model)
    run.fit()
    return run, before


def changed(run: ClassifierRun, before: Mapping[str, Tensor]) -> set[str]:
    return {n for n, v in run.model.state_dict().items() if not torch.equal(v, before[n])}


@pytest.mark.parametrize("views", [0, 1])
def test_frozen_parts_do_not_move_nor_their_statistics(tmp_path: Path, views: int) -> None:
    run, before = transfer(tmp_path, cache_views=views)
    assert changed(run, before) == {"fc.weight", "fc.bias"}


def test_cached_features_teach_what_the_whole_network_would(tmp_path: Path) -> None:
    heads = [transfer(tmp_path / str(v), cache_views=v)[0].model.fc.weight for v in (0, 1)]
    assert torch.allclose(*heads, atol=1e-6)


def test_parts_learn_from_the_given_epoch_on(tmp_path: Path) -> None:
    run, before = transfer(tmp_path, cache_views=1, unfreeze_after=1, weight_decay=0.0)
    names = {name for name, _ in run.model.named_parameters()}
    assert names <= changed(run, before)
    assert "bn1.running_mean" in changed(run, before)
    assert run.state.step == 4
    halfway = ClassifierRun(
        tmp_path / "parts", run.recipe, photos(), None, _fresh_resnet(), device="cpu"
    )
    while halfway.fit(minutes=0.0) == "time":
        halfway = ClassifierRun(tmp_path / "parts", run.recipe, photos(), None, _fresh_resnet())
    assert equal(run.model.state_dict(), halfway.model.state_dict())


def _fresh_resnet() -> Classifier:
    torch.manual_seed(5)
    return create_model("resnet20-cifar", num_classes=2)


def test_single_layers_can_be_frozen_and_unknown_ones_not() -> None:
    model = create_model("resnet20-cifar")
    frozen = freeze(model, ["conv1", "layer1.0"])
    fixed = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert fixed == {"conv1.weight"} | {
        name for name, _ in model.named_parameters() if name.startswith("layer1.0.")
    }
    assert len(frozen.norms) == 2
    model.train()
    frozen.keep()
    assert not model.layer1[0].bn1.training and model.bn1.training
    frozen.thaw()
    assert all(p.requires_grad for p in model.parameters())
    with pytest.raises(ValueError, match="resnet20-cifar has no part 'layer9' to freeze; it has"):
        freeze(model, ["layer9"])


def test_features_of_views_and_of_models_that_have_none() -> None:
    model = create_model("resnet20-cifar", num_classes=2)
    samples = photos()
    samples.augmentation = Augmentation(shift=4)
    features = cache_features(model, samples, views=2, seed=1)
    assert features.features.shape == (2, 12, 64)
    logits = model.eval()(samples.batch(torch.arange(12)))
    assert torch.allclose(model.fc(features.batch(torch.arange(12))), logits, atol=1e-5)
    assert not torch.allclose(features.features[0], features.features[1])
    with pytest.raises(DataError, match="the classifier of nin-cifar10 is not a linear layer"):
        cache_features(create_model("nin-cifar10"), samples)
