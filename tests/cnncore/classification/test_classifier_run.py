"""Training runs of classifiers: exact resume, optimisers, losses."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnncore import create_model, open_trained
from cnncore.classification.classifier_run import (
    BEST,
    LAST,
    cross_entropy,
    make_optimizers,
)
from cnncore.data.samples import DataError, LabelledBatch
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.recipes import Recipe, from_table
from cnncore.training.recipe_files import RecipeError
from cnncore.weights.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from cnncore.weights.weight_files import WeightsError
from tests.helpers.small_classifier_runs import RECIPE, digits, equal, new_run, timeless


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
    with pytest.raises(WeightsError, match=r"has no best.safetensors; it is .*or one that"):
        open_trained(tmp_path, best=True)
    with pytest.raises(WeightsError, match="holds a training-state, not a model"):
        open_trained(tmp_path / "checkpoint.safetensors")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"cut")
    with pytest.raises(CheckpointError, match="is damaged"):
        new_run(tmp_path)


def test_a_stopped_run_is_its_average_so_far(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = new_run(tmp_path, facts={"note": "a test"})
    stopped.fit(minutes=0.0)
    trained = open_trained(tmp_path)
    assert equal(trained.model.state_dict(), stopped.averaged.state_dict())
    assert not trained.model.training and trained.names() == ("a", "b", "c")
    assert trained.facts["note"] == "a test" and trained.facts["samples"] == 8
    assert f"the run in {tmp_path} has not ended; this is the average" in caplog.text
    ended = new_run(tmp_path)
    ended.fit()
    assert open_trained(tmp_path).path.name == LAST
    longer = new_run(tmp_path, replace(RECIPE, epochs=9))
    longer.fit(minutes=0.0)
    ahead = open_trained(tmp_path)
    assert ahead.path.name == "checkpoint.safetensors" and ahead.facts["samples"] > 8
    assert equal(ahead.model.state_dict(), longer.averaged.state_dict())


def test_an_older_releases_stopped_run_says_what_to_do(tmp_path: Path) -> None:
    new_run(tmp_path).fit(minutes=0.0)
    file = tmp_path / "checkpoint.safetensors"
    old = load_checkpoint(file)
    facts = {key: value for key, value in old.metadata.items() if key != "made"}
    save_checkpoint(file, old.tensors, kind=old.kind, metadata=facts)
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors does not tell how its"):
        open_trained(tmp_path)


def test_measuring_shows_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_run(tmp_path).fit(progress=True)
    captured = capsys.readouterr()
    assert "measuring: " in captured.err and captured.out == ""
    new_run(tmp_path, replace(RECIPE, epochs=9)).fit(progress=False)
    assert capsys.readouterr() == ("", "")


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
