"""cnncore.classification: runs, exact resume, frozen parts, and how models are measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore import create_model, open_trained
from cnncore.classification.classifier_run import (
    BEST,
    LAST,
    ClassifierRun,
    cross_entropy,
    make_optimizers,
)
from cnncore.classification.run_parts import new_model
from cnncore.classification.scores import ensemble, predict, score
from cnncore.classification.trained_models import match_labels
from cnncore.classification.transfer import cache_features, freeze
from cnncore.data.images.image_data import array_data
from cnncore.data.images.image_samples import Augmentation, ImageSamples
from cnncore.data.samples import DataError, LabelledBatch
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.models.classifier import Classifier, Preset
from cnncore.recipes import Recipe, from_table, list_recipes, load_recipe
from cnncore.training.recipe_files import RecipeError
from cnncore.weights.checkpoint import CheckpointError
from cnncore.weights.weight_files import WeightsError

RECIPE = Recipe(epochs=4, batch=8, lr=0.02, average=0.5, report_steps=1, shift=1, warmup=0.5)


def digits(count: int = 24, *, seed: int = 0, classes: int = 3) -> ImageSamples:
    """Noise around one pattern a class."""
    source = torch.Generator().manual_seed(seed)
    patterns = torch.randint(
        0, 200, (classes, 1, 28, 28), generator=torch.Generator().manual_seed(9)
    )
    labels = torch.arange(count) % classes
    noise = torch.randint(0, 55, (count, 1, 28, 28), generator=source)
    pixels = (patterns[labels] + noise).to(torch.uint8)
    data = array_data(pixels, labels, tuple("abc"[:classes]))
    return ImageSamples(data, create_model("lenet5").preset, Augmentation(shift=1))


def new_run(folder: Path, recipe: Recipe = RECIPE, **changes: Any) -> ClassifierRun:
    torch.manual_seed(recipe.seed)
    model = changes.pop("model", None) or create_model("lenet5", num_classes=3)
    train = changes.pop("train", None) or digits()
    return ClassifierRun(folder, recipe, train, digits(12, seed=1), model, **changes)


def timeless(run: ClassifierRun) -> list[dict[str, Any]]:
    slow = ("time", "samples_per_second")
    return [{k: v for k, v in x.items() if k not in slow} for x in run.files.metrics.read()]


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = new_run(tmp_path / "whole")
    assert whole.fit() == "finished"
    stopped = new_run(tmp_path / "parts")
    assert stopped.fit(minutes=0.0) == "time"
    assert stopped.state.step == 1 and not (tmp_path / "parts" / LAST).exists()
    for expected in ("time", "finished"):
        resumed = new_run(tmp_path / "parts", model=create_model("lenet5", num_classes=3))
        assert resumed.fit(minutes=0.0 if expected == "time" else math.inf) == expected
    assert resumed.state.step == 12
    assert equal(whole.model.state_dict(), resumed.model.state_dict())
    assert equal(whole.averaged.state_dict(), resumed.averaged.state_dict())
    assert timeless(whole) == timeless(resumed)
    for name in (BEST, LAST):
        files = [open_trained(tmp_path / run / name).model for run in ("whole", "parts")]
        assert equal(files[0].state_dict(), files[1].state_dict())


def test_seeds_make_other_runs(tmp_path: Path) -> None:
    runs = [new_run(tmp_path / str(i), replace(RECIPE, seed=s)) for i, s in enumerate((1, 1, 2))]
    for run in runs:
        run.fit()
    lines = [timeless(run) for run in runs]
    assert lines[0] == lines[1] != lines[2]


def test_a_run_learns_and_keeps_its_models(tmp_path: Path) -> None:
    run = new_run(tmp_path, replace(RECIPE, epochs=20), facts={"note": "a test"})
    run.fit()
    measured = [x for x in timeless(run) if x["event"] == "validation"]
    assert len(measured) == 20
    assert measured[-1]["top1"] == 1.0 and measured[-1]["loss"] < 0.1 < measured[0]["loss"]
    assert run.best == 1.0
    last = open_trained(tmp_path)
    assert equal(last.model.state_dict(), run.averaged.state_dict())
    assert not last.model.training
    assert last.names() == ("a", "b", "c")
    assert last.facts["note"] == "a test" and last.facts["epochs"] == 20.0
    first_best = next(x for x in measured if x["top1"] == 1.0)
    assert open_trained(tmp_path, best=True).facts["samples"] == first_best["samples"]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_goes_on_only_as_it_began(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    new_run(tmp_path).fit(minutes=0.0)
    with pytest.raises(RecipeError, match="has batch = 8, not 4; give another --out"):
        new_run(tmp_path, replace(RECIPE, batch=4))
    with pytest.raises(DataError, match=r"began with another data set .*--other-data"):
        new_run(tmp_path, train=digits(30))
    assert new_run(tmp_path, train=digits(30), other_data=True).state.step == 1
    with pytest.raises(DataError, match="trains lenet5, not lenet5-1998"):
        new_run(tmp_path, model=create_model("lenet5-1998", num_classes=3))
    assert new_run(tmp_path, replace(RECIPE, lr=0.01)).state.step == 1
    assert "resuming with lr = 0.01 (was 0.02)" in caplog.text
    with pytest.raises(DataError, match="lenet5 has 10 classes and the data 3"):
        new_run(tmp_path, model=create_model("lenet5"))
    with pytest.raises(WeightsError, match=r"has no last.safetensors; there is best|or one that"):
        open_trained(tmp_path)
    with pytest.raises(WeightsError, match="holds a training-state, not a model"):
        open_trained(tmp_path / "checkpoint.safetensors")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"cut")
    with pytest.raises(CheckpointError, match="is damaged"):
        new_run(tmp_path)


def photos(count: int = 12) -> ImageSamples:
    source = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), generator=source).to(torch.uint8)
    data = array_data(pixels, torch.arange(count) % 2, ("a", "b"))
    return ImageSamples(data, create_model("resnet20-cifar").preset)


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
    with pytest.raises(DataError, match="the classifier of nin-cifar10 is no linear layer"):
        cache_features(create_model("nin-cifar10"), samples)


def test_the_classifier_learns_at_a_rate_of_its_own() -> None:
    model = create_model("resnet20-cifar")
    recipe = Recipe(lr=0.5, lr_backbone=0.01, weight_decay=0.1)
    (optimizer,) = make_optimizers(model, recipe)
    found = {
        id(p): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    expected = {
        "fc.weight": (0.5, 0.1),
        "fc.bias": (0.5, 0.0),
        "conv1.weight": (0.01, 0.1),
        "bn1.weight": (0.01, 0.0),
    }
    named = dict(model.named_parameters())
    assert {name: found[id(named[name])] for name in expected} == expected
    assert len(found) == len(named)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "adadelta", "muon"])
def test_every_optimizer_trains_and_resumes(tmp_path: Path, name: str) -> None:
    recipe = from_table({"epochs": 2, "batch": 12, "lr": 0.01, "optimizer": name})
    whole = new_run(tmp_path / "whole", recipe)
    whole.fit()
    while new_run(tmp_path / "parts", recipe).fit(minutes=0.0) == "time":
        pass
    parts = new_run(tmp_path / "parts", recipe)
    assert equal(whole.model.state_dict(), parts.model.state_dict())
    losses = [x["loss"] for x in timeless(whole) if x["event"] == "validation"]
    assert losses[-1] < losses[0]


def test_kims_constraint_holds_after_each_step() -> None:
    model = create_model("kim-rand", vocabulary=9, dimension=4, maps=2, dropout=0.0)
    with torch.no_grad():
        model.fc.weight.fill_(5.0)
    (optimizer,) = make_optimizers(model, Recipe(lr=0.01))
    batch = LabelledBatch(torch.tensor([[2, 3, 4], [5, 6, 7]]), torch.tensor([0, 1]))
    cross_entropy(model, batch)[0].backward()
    optimizer.step()
    assert model.fc.weight.norm(dim=1).tolist() == pytest.approx([3.0, 3.0], abs=1e-4)


class Auxiliary(nn.Module):
    """Three fixed outputs, as GoogLeNet has in training."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))

    def forward(self, x: Tensor) -> GoogLeNetOutput:
        return GoogLeNetOutput(self.logits, self.logits * 0.0, self.logits * 0.0)


def test_auxiliary_classifiers_add_their_losses() -> None:
    batch = LabelledBatch(torch.zeros(2, 1), torch.tensor([0, 0]))
    value, measures = cross_entropy(Auxiliary(), batch)
    main = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2
    assert value.item() == pytest.approx(main + 0.3 * 2 * math.log(2))
    assert int(measures["top1"]) == 1


def test_scores_are_those_worked_out_by_hand() -> None:
    shares = torch.tensor(
        [[0.5, 0.3, 0.1, 0.06, 0.03, 0.01]] * 3 + [[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]
    )
    result = score(shares.double(), torch.tensor([0, 1, 5, 5]))
    assert (result.count, result.top1, result.top5) == (4, 0.5, 0.75)
    assert result.loss == pytest.approx(-math.log(0.5 * 0.3 * 0.01) / 4)
    assert result.error == 0.25
    rows = {(0, 0): 1, (1, 0): 1, (5, 0): 1, (5, 5): 1}
    assert {tuple(x): int(result.confusion[tuple(x)]) for x in result.confusion.nonzero().tolist()}
    assert all(int(result.confusion[place]) == count for place, count in rows.items())
    assert int(result.confusion.sum()) == 4
    with pytest.raises(DataError, match="labels up to 6"):
        score(shares, torch.tensor([0, 1, 5, 6]))


def test_an_ensemble_is_the_mean_of_probabilities_not_of_logits() -> None:
    a = torch.tensor([[math.log(9.0), 0.0]]).softmax(dim=1)
    b = torch.tensor([[0.0, math.log(3.0)]]).softmax(dim=1)
    assert ensemble([a, b])[0].tolist() == pytest.approx([0.575, 0.425])
    with pytest.raises(DataError, match="give models of the same classes"):
        ensemble([a, torch.zeros(1, 3)])


def test_predictions_do_not_depend_on_batches_and_crops_are_averaged() -> None:
    samples = photos(7)
    samples.preset = Preset((3, 32, 32), 36)
    torch.manual_seed(0)
    model = create_model("resnet20-cifar", num_classes=2).train()
    shares = predict(model, samples)
    assert model.training
    alone = torch.cat([predict(model, samples.subset(torch.tensor([i]))) for i in range(7)])
    assert torch.allclose(shares, alone, atol=1e-6)
    crops = samples.ten_crops(torch.tensor([3]))[0]
    with torch.no_grad():
        by_hand = model.eval()(crops).double().softmax(dim=1).mean(dim=0)
    assert torch.allclose(predict(model, samples, ten_crop=True)[3], by_hand, atol=1e-6)
    features = cache_features(model, samples)
    with pytest.raises(DataError, match="only pictures can be seen in ten crops"):
        predict(model.fc, features, ten_crop=True)


def test_labels_are_matched_by_the_names_of_their_classes(tmp_path: Path) -> None:
    new_run(tmp_path, replace(RECIPE, epochs=1)).fit()
    trained = open_trained(tmp_path)
    labels = torch.tensor([0, 1, 0])
    assert match_labels(labels, ("c", "a"), trained).tolist() == [2, 0, 2]
    assert match_labels(labels, ("a", "b", "c"), trained).tolist() == [0, 1, 0]
    with pytest.raises(DataError, match="does not know the class 'd'; it knows a, b, c"):
        match_labels(labels, ("a", "d"), trained)


def test_every_shipped_recipe_is_sound() -> None:
    names = list_recipes()
    assert {"default", "lenet5", "lenet5-1998", "resnet20-cifar", "transfer"} <= set(names)
    for name in names:
        recipe = load_recipe(name)
        assert from_table(recipe.table()) == recipe


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epocs=3", "unknown key 'epocs'; known keys: all_words, area"),
        ("batch=0", "batch = 0; give at least 1"),
        ("batch=1.5", "batch = 1.5 should be of type int"),
        ("lr=0", "lr = 0.0; give a finite number above 0"),
        ("average=1", "average = 1.0; give 0 or a number below 1"),
        ("freeze=conv1", "freeze = 'conv1' should be of type list"),
        ("optimizer=lion", "optimizer = 'lion'; choose from sgd, adam"),
        ("crop=all", "crop = 'all'; choose from none, random, jitter, resized"),
        ("decay=1.5", "decay = 1.5; give 0 to 1"),
        ("clip=nan", "clip = nan; give a finite number of at least 0"),
        ("cache_views=2", r'cache_views = 2 needs freeze = \["backbone"\]'),
        ("unfreeze_after=-1", "unfreeze_after = -1.0; give a finite number of at least 0"),
        ("unfreeze_after=inf", "unfreeze_after = inf; give a finite"),
        ("epochs=inf", "epochs = inf; give a finite number above 0"),
        ("validate_every=inf", "validate_every = inf; give a finite"),
        ("warmup=inf", "warmup = inf; give a finite"),
        ("colour=nan", "colour = nan; give a finite"),
        ("epochs=1" + "0" * 400, "0 should be of type float"),
        ("seed=9223372036854775808", r"seed = 9223372036854775808; give a whole number from 0"),
        ("scales=['a', 'b']", r"scales = \('a', 'b'\); give the least and the largest side"),
        ("scales=[256]", r"scales = \(256,\); give the least"),
        ("freeze=[1]", r"freeze = \(1,\); give names of layers"),
        ("options={num_classes=3}", "options = {'num_classes': 3}; leave out num_classes, weigh"),
        ("lr", "setting 'lr' has no '='"),
    ],
)
def test_recipes_refuse_what_makes_no_sense(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("default", [setting])
    with pytest.raises(RecipeError, match="no recipe named 'lenet'; shipped recipes: default"):
        load_recipe("lenet")


def test_recipes_that_do_not_fit_their_model_are_refused(tmp_path: Path) -> None:
    whole = replace(RECIPE, freeze=("features", "classifier"))
    with pytest.raises(RecipeError, match="nothing of lenet5 is left to learn, leave a layer out"):
        new_run(tmp_path, whole)
    words = {"vocabulary": 9, "dimension": 4, "maps": 2}
    for optimizer in ("adam", "adadelta"):
        clipped = replace(RECIPE, clip=1.0, optimizer=optimizer)
        with pytest.raises(RecipeError, match=f"clip = 1.0; {optimizer} learns word vectors by"):
            make_optimizers(create_model("kim-rand", **words), clipped)
        make_optimizers(create_model("kim-static", **words), clipped)
    with pytest.raises(RecipeError, match=r"options = {'in_channels': '1'}; lenet5 cannot be made"):
        new_model("lenet5", 3, replace(RECIPE, options={"in_channels": "1"}))


def test_settings_are_toml_or_bare_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 3\noptions = { pool = 'average' }\n")
    recipe = load_recipe(str(path), ["optimizer=adam", "freeze=['conv1']", "scales=[8, 9]"])
    assert (recipe.epochs, recipe.optimizer, recipe.freeze) == (3.0, "adam", ("conv1",))
    assert (recipe.options, recipe.scales) == ({"pool": "average"}, (8, 9))
    path.write_text("epochs = 4", encoding="utf-8-sig")
    assert load_recipe(str(path)).epochs == 4.0
    path.write_text("epochs = ")
    with pytest.raises(RecipeError, match=r"mine.toml is no TOML"):
        load_recipe(str(path))
    with pytest.raises(RecipeError, match="no recipe file"):
        load_recipe(str(tmp_path / "gone.toml"))
