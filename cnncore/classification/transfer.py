"""Transfer learning: parts of a network that do not learn, and what they make of each sample."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from tqdm import tqdm

from cnncore.data.samples import DataError, Samples
from cnncore.models.classifier import Classifier

BACKBONE = "backbone"


def classifier_parameters(model: Classifier) -> set[str]:
    """Return the names of the parameters of the classifier, and of auxiliary ones."""
    paths = model.present_classifiers()
    return {name for name, _ in model.named_parameters() if _below(name, paths)}


def _below(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in paths)


@dataclass
class Frozen:
    """Parts of a model that do not learn: parameters, and the normalisations between them."""

    parameters: list[nn.Parameter]
    norms: list[nn.Module]

    def keep(self) -> None:
        """Have the normalisations use and keep their statistics; call after `model.train()`."""
        for norm in self.norms:
            norm.eval()

    def thaw(self) -> None:
        """Let everything learn again."""
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.parameters, self.norms = [], []


def freeze(model: Classifier, parts: Sequence[str]) -> Frozen:
    """Keep parts of a model from learning, by the names of layers; "backbone" is all but the head.

    Raises:
        ValueError: no layer has this name.
    """
    names = [name for name, _ in model.named_parameters()]
    head = classifier_parameters(model)
    chosen: set[str] = set()
    for part in parts:
        found = {n for n in names if n not in head} if part == BACKBONE else set()
        found |= {name for name in names if _below(name, [part])}
        if not found:
            known = ", ".join(dict.fromkeys(name.split(".")[0] for name in names))
            raise ValueError(f"{model.name} has no part {part!r} to freeze; it has {known}")
        chosen |= found
    frozen = Frozen([], [])
    for name, parameter in model.named_parameters():
        if name in chosen and parameter.requires_grad:
            parameter.requires_grad_(False)
            frozen.parameters.append(parameter)
    for path, module in model.named_modules():
        own = {f"{path}.{name}" for name, _ in module.named_parameters(recurse=False)}
        if isinstance(module, _BatchNorm) and own and own <= chosen:
            frozen.norms.append(module)
    return frozen


class FeatureSamples:
    """What a frozen backbone makes of samples: `features` (V, N, D), V views of each.

    See `cnncore.data.samples.Samples`. Training draws one of the views; evaluation has the first.
    """

    def __init__(
        self, features: Tensor, labels: Tensor, classes: tuple[str, ...], digest: str
    ) -> None:
        self.features = features
        self._labels, self._classes, self._digest = labels, classes, digest

    @property
    def labels(self) -> Tensor:
        """The class of every sample, int64 (N,)."""
        return self._labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self._classes

    @property
    def digest(self) -> str:
        """SHA-256 of the data that the features are of."""
        return self._digest

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._labels)

    def batch(self, index: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return features (B, D)."""
        if rng is None:
            return self.features[0, index]
        views = torch.from_numpy(rng.integers(len(self.features), size=len(index)))
        return self.features[views, index]

    def subset(self, index: Tensor) -> FeatureSamples:
        """Return some of the samples."""
        sha = hashlib.sha256(self._digest.encode() + index.numpy().tobytes())
        features, labels = self.features[:, index], self._labels[index]
        return FeatureSamples(features, labels, self._classes, sha.hexdigest())


@torch.no_grad()
def cache_features(
    model: Classifier,
    samples: Samples,
    *,
    views: int = 1,
    batch: int = 32,
    seed: int = 0,
    progress: bool = False,
) -> FeatureSamples:
    """Return what the layers before the classifier make of every sample, in eval mode.

    The first view is the one of evaluation, the others are augmented as in training. The
    classifier of these features gives the logits of the model.

    Raises:
        DataError: the classifier is not a linear layer at the end.
    """
    if not isinstance(model.get_classifier(), nn.Linear):
        raise DataError(
            f"the classifier of {model.name} is not a linear layer, so its features cannot be "
            "kept; set cache_views=0"
        )
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    total = views * len(samples)
    found: list[Tensor] = []
    with tqdm(total=total, desc="features", disable=not progress, file=sys.stderr) as bar:
        for view in range(views):
            parts = []
            for start in range(0, len(samples), batch):
                index = torch.arange(start, min(start + batch, len(samples)))
                rng = np.random.default_rng([seed, 3, view, start]) if view else None
                x = model.forward_features(samples.batch(index, rng=rng).to(device))
                parts.append(model.forward_head(x, pre_logits=True).flatten(1).cpu())
                bar.update(len(index))
            found.append(torch.cat(parts))
    model.train(training)
    return FeatureSamples(torch.stack(found), samples.labels, samples.classes, samples.digest)
