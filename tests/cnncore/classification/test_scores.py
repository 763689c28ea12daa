"""How models are measured: scores, ensembles, crops, and classes by their names."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnncore import create_model, open_trained
from cnncore.classification.scores import ensemble, predict, score
from cnncore.classification.trained_models import match_labels
from cnncore.classification.transfer import cache_features
from cnncore.data.samples import DataError
from cnncore.models.classifier import Preset
from tests.helpers.small_classifier_runs import RECIPE, new_run, photos


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
