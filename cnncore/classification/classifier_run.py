"""One training run of a classifier in its folder: images or sentences, new or transferred."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer

from cnncore.classification.scores import measure
from cnncore.classification.stopped_runs import MADE
from cnncore.classification.transfer import (
    FeatureSamples,
    cache_features,
    classifier_parameters,
    freeze,
)
from cnncore.data.samples import DataError, LabelledBatch, Samples, epoch_batches, steps_per_epoch
from cnncore.layers.blocks import channels_last
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.models.classifier import Classifier
from cnncore.recipes import Recipe
from cnncore.training.loop import Course, Outcome, fit
from cnncore.training.muon import Muon
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from cnncore.training.schedule import Plan
from cnncore.training.training_state import TrainingState
from cnncore.training.word_optimisers import Adadelta, SparseAdam
from cnncore.weights.model_files import how_made, save_model

log = logging.getLogger(__name__)

BEST, LAST = "best.safetensors", "last.safetensors"
FIXED = ("batch", "optimizer", "freeze", "unfreeze_after", "cache_views", "seed", "options")
"""Keys of a recipe that cannot change once a run has begun."""

_Part = Literal["kernels", "words", "others"]
_FACTS = ("model", "recipe", "data", "classes")


class ClassifierRun:
    """A run in a folder: begun with `model`, or gone on with where it stopped.

    Besides `RunFolder`'s files it writes the averaged model: `best.safetensors` after the best
    validation, `last.safetensors` at the end. `facts` (JSON) go into both. `other_data` goes on
    although the data are not those that the run began with.

    Raises:
        DataError: the samples do not fit the model or the run.
        RecipeError: a key that is fixed has changed, or one does not fit the model.
        CheckpointError: the folder holds another run, or a damaged one.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        train: Samples,
        validation: Samples | None,
        model: Classifier,
        *,
        device: torch.device | str = "cpu",
        facts: Mapping[str, Any] | None = None,
        other_data: bool = False,
    ) -> None:
        if len(train.classes) != model.num_classes:
            raise DataError(
                f"{model.name} has {model.num_classes} classes and the data {len(train.classes)}; "
                "create the model with as many classes as the data"
            )
        self.folder, self.recipe = folder, recipe
        self.train, self.validation = train, validation
        self.device = torch.device(device)
        self.precision = recipe.precision_on(self.device)
        self.batch = min(recipe.batch, len(train))
        self.epoch = self.batch * steps_per_epoch(train, self.batch)
        self.files = RunFolder(folder)
        self.files.prepare()
        self.facts = {
            "model": model.name,
            "classes": list(train.classes),
            "data": train.digest,
            "recipe": recipe.table(),
            **(facts or {}),
        }
        if self.files.begun:
            self._check(other_data)
        self.frozen = freeze(model, recipe.freeze)
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise RecipeError(
                f"recipe: freeze = {list(recipe.freeze)}; nothing of {model.name} is left to "
                "learn, leave a layer out"
            )
        model = channels_last(model, self.device)
        self.state = TrainingState.start(model, make_optimizers(model, recipe), seed=recipe.seed)
        self.files.resume(self.state)
        measured = [line for line in self.files.metrics.read() if line["event"] == "validation"]
        self.best = max((line["top1"] for line in measured), default=-1.0)

    def _check(self, other_data: bool) -> None:
        """Refuse to go on with another model, recipe or data than the run began with."""
        before = self.files.facts(_FACTS)
        if before["model"] != self.facts["model"]:
            raise DataError(
                f"the run in {self.folder} trains {before['model']}, not {self.facts['model']}; "
                "give another --out folder"
            )
        self.files.check_recipe(before["recipe"], self.recipe.table(), fixed=FIXED)
        self.files.check_data(
            before["data"], self.train.digest, kind="data set", other_data=other_data
        )

    @property
    def model(self) -> Classifier:
        """The model as it learns; `averaged` is the one to use."""
        assert isinstance(self.state.model, Classifier)
        return self.state.model

    @property
    def averaged(self) -> Classifier:
        """The model with averaged weights, which is measured and kept."""
        assert isinstance(self.state.average, Classifier)
        return self.state.average

    @property
    def samples(self) -> int:
        """The planned length of the run in samples."""
        return max(1, round(self.recipe.epochs * self.epoch / self.batch)) * self.batch

    def checkpoint(self) -> None:
        """Save the state and draw the curve."""
        facts = {
            **self.facts,
            MADE: how_made(self.averaged),
            "epochs": self.state.samples / self.epoch,
            "torch": torch.__version__,
            "precision": self.precision,
        }
        self.files.save(self.state, facts)

    def fit(self, *, minutes: float = math.inf, progress: bool = False) -> Outcome:
        """Train to the end of the recipe, for `minutes`, or until Ctrl-C; return which it was.

        Raises cnncore.training.loop.TrainingError when the loss is no longer finite.
        """
        boundary = min(self._thaw_at(), self.samples)
        outcome: Outcome = "finished"
        for until in sorted({boundary, self.samples}):
            if self.state.samples >= until and until < self.samples:
                continue
            if self.state.samples >= self._thaw_at():
                self.frozen.thaw()
            before = self.state.seconds
            outcome = self._stage(until, minutes, progress)
            minutes -= (self.state.seconds - before) / 60.0
            if outcome != "finished":
                return outcome
        self.keep(LAST)
        return outcome

    def _thaw_at(self) -> int:
        """Return after how many samples the frozen parts learn, beyond the end if never."""
        if not self.recipe.unfreeze_after:
            return self.samples + 1
        return round(self.recipe.unfreeze_after * self.epoch / self.batch) * self.batch

    def _stage(self, until: int, minutes: float, progress: bool) -> Outcome:
        """Train to `until` samples with the parts frozen that are frozen now."""
        train, validation = self.train, self.validation
        part: Callable[[nn.Module], nn.Module] = _whole
        if self.recipe.cache_views and self.frozen.parameters:
            train = self._features(train, self.recipe.cache_views, progress)
            validation = validation and self._features(validation, 1, progress)
            part = _classifier

        def batches(step: int) -> Iterator[LabelledBatch]:
            return epoch_batches(train, self.batch, seed=self.recipe.seed, first=step)

        def loss(model: nn.Module, batch: LabelledBatch) -> tuple[Tensor, dict[str, Tensor]]:
            self.frozen.keep()
            return cross_entropy(part(model), batch, smoothing=self.recipe.label_smoothing)

        def validate(model: nn.Module) -> dict[str, float]:
            assert validation is not None
            measured = measure(part(model), validation, precision=self.precision, progress=progress)
            if measured["top1"] > self.best:
                self.best = measured["top1"]
                self.keep(BEST)
            return measured

        course = Course(
            batches,
            loss,
            self._plan(),
            report=self.files.metrics.write,
            checkpoint=self.checkpoint,
            validate=validate if validation is not None else None,
            progress=progress,
        )
        return fit(self.state, course, until=until, minutes=minutes)

    def _features(self, samples: Samples, views: int, progress: bool) -> FeatureSamples:
        seed = self.recipe.seed
        return cache_features(self.model, samples, views=views, seed=seed, progress=progress)

    def _plan(self) -> Plan:
        return self.recipe.plan(
            samples=self.samples,
            warmup=round(self.recipe.warmup * self.epoch),
            validate_samples=max(1, round(self.recipe.validate_every * self.epoch)),
            precision=self.precision,
        )

    def keep(self, name: str) -> None:
        """Write the averaged model into the folder, with the facts of the run."""
        seen = {"samples": self.state.samples, "epochs": self.state.samples / self.epoch}
        save_model(self.averaged, self.folder / name, facts={**self.facts, **seen})


def _whole(model: nn.Module) -> nn.Module:
    return model


def _classifier(model: nn.Module) -> nn.Module:
    """Return the layer that the cached features go into."""
    assert isinstance(model, Classifier)
    return model.get_classifier()


def cross_entropy(
    model: nn.Module, batch: LabelledBatch, *, smoothing: float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the mean loss of a batch, and the number of right answers as "top1".

    A model with auxiliary classifiers adds their losses as its paper says.
    """
    device = next(model.parameters()).device
    labels = batch.labels.to(device)

    def criterion(logits: Tensor) -> Tensor:
        return functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)

    output = model(batch.inputs.to(device))
    if isinstance(output, GoogLeNetOutput):
        value, logits = output.loss(criterion), output.logits
    else:
        value, logits = criterion(output), output
    return value, {"top1": (logits.argmax(dim=1) == labels).sum()}


def make_optimizers(model: Classifier, recipe: Recipe) -> list[Optimizer]:
    """Return the optimisers of a recipe, with rates for the classifier and for the backbone.

    Weight decay is for kernels and matrices; biases, normalisation and word vectors have none. A
    model with a constraint on its weights (Kim's) is constrained after each step. Adam and Adadelta
    update only the vectors of the words in a batch, and such gradients cannot be clipped.

    Raises:
        RecipeError: gradients of word vectors should be clipped.
    """
    head = classifier_parameters(model)
    words: set[int] = set()
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            module.sparse = recipe.optimizer in ("adam", "adadelta")
            words.add(id(module.weight))
            if recipe.clip and module.sparse and module.weight.requires_grad:
                raise RecipeError(
                    f"recipe: clip = {recipe.clip}; {recipe.optimizer} learns word vectors by "
                    "sparse gradients, which cannot be clipped: give clip = 0 or another optimizer"
                )
    groups: dict[tuple[bool, _Part], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        part: _Part = "kernels" if parameter.ndim >= 2 else "others"
        part = "words" if id(parameter) in words else part
        groups.setdefault((name in head, part), []).append(parameter)
    backbone = recipe.lr_backbone or recipe.lr
    tables = [
        {
            "params": parameters,
            "lr": recipe.lr if of_head else backbone,
            "weight_decay": recipe.weight_decay if part == "kernels" else 0.0,
        }
        for (of_head, part), parameters in groups.items()
    ]
    kinds: list[_Part] = ["others" if of_head else part for of_head, part in groups]
    optimizers = _optimizers(recipe, tables, kinds)
    optimizers[-1].register_step_post_hook(lambda *_: model.constrain())
    return optimizers


def _optimizers(
    recipe: Recipe, groups: list[dict[str, Any]], kinds: list[_Part]
) -> list[Optimizer]:
    """Return the optimisers of groups of parameters; "kernels" are those before the head."""

    def of(*chosen: _Part) -> list[dict[str, Any]]:
        return [group for group, kind in zip(groups, kinds, strict=True) if kind in chosen]

    if recipe.optimizer == "sgd":
        return [SGD(groups, momentum=recipe.momentum, nesterov=recipe.momentum > 0)]
    if recipe.optimizer == "adam":
        sparse = of("words")
        return [Adam(of("kernels", "others")), *([SparseAdam(sparse)] if sparse else [])]
    if recipe.optimizer == "adamw":
        return [AdamW(groups)]
    if recipe.optimizer == "adadelta":
        return [Adadelta(groups, rho=0.95, eps=1e-6)]  # Zeiler 2012; Kim 2014
    kernels = of("kernels")
    rest = [{**group, "lr": group["lr"] / 10} for group in of("words", "others")]
    return [
        *([Muon(kernels, momentum=recipe.momentum)] if kernels else []),
        Adam(rest, betas=(0.9, 0.99)),
    ]
