"""Weights into models: what fits, what is made anew, which stride, and models of our own files."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from cnncore import Classifier, WeightsError, create_model, load_model, load_weights, save_model
from cnncore.models.classics.lenet import LeNet5
from cnncore.models.registry import UnknownModelError
from cnncore.weights import matching
from cnncore.weights.checkpoint import CheckpointError, save_checkpoint
from cnncore.weights.matching import adapt_channels
from tests.helpers.small_models import equal, lenet


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(5)


def test_a_file_that_does_not_fit_is_listed_and_changes_nothing(tmp_path: Path) -> None:
    tensors = dict(lenet(1).state_dict())
    del tensors["features.3.weight"]
    tensors["conv9.weight"] = torch.zeros(3)
    tensors["classifier.0.weight"] = torch.zeros(120, 99)
    path = tmp_path / "other.pth"
    torch.save(tensors, path)
    target = lenet(2)
    with pytest.raises(WeightsError) as caught:
        load_weights(target, path)
    text = str(caught.value)
    assert text.startswith("other.pth does not fit lenet5: of 10 tensors")
    assert "1 missing in the file (features.3.weight)" in text
    assert "1 unknown to the model (conv9.weight)" in text
    assert "1 of another shape (classifier.0.weight (120, 99) for (120, 400))" in text
    assert "\n" not in text
    assert equal(target, lenet(2))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet.pth"
    torch.save(create_model("resnet20-cifar").state_dict(), path)
    with pytest.raises(WeightsError, match=r"10 missing in the file .* 116 unknown to the model"):
        create_model("lenet5", weights=path)


@pytest.mark.parametrize(
    ("deeper", "model"),
    [("resnet32-cifar", "resnet20-cifar"), ("resnet34", "resnet18"), ("vgg13", "vgg11")],
)
def test_a_deeper_nets_file_is_not_a_model_with_strangers(
    deeper: str, model: str, tmp_path: Path
) -> None:
    with torch.device("meta"):
        names = create_model(deeper).state_dict()
    path = tmp_path / "deep.pth"
    torch.save({name: torch.zeros(t.shape, dtype=t.dtype) for name, t in names.items()}, path)
    with pytest.raises(WeightsError, match="unknown to the model"):
        create_model(model, weights=path)


@pytest.mark.parametrize("extra", ["attention.weight", "conv1.bias", "layer3.3.conv1.weight"])
def test_a_further_layer_is_not_a_stranger(extra: str, tmp_path: Path) -> None:
    source = create_model("resnet20-cifar")
    path = tmp_path / "cbam.pth"
    torch.save({**source.state_dict(), extra: torch.zeros(16, 2, 7, 7)}, path)
    with pytest.raises(WeightsError, match=f"1 unknown to the model \\({extra}\\)"):
        create_model("resnet20-cifar", weights=path)


def test_other_numbers_of_classes_make_a_new_classifier_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = lenet(1, num_classes=26)
    path = tmp_path / "letters.pth"
    torch.save(source.state_dict(), path)
    target = lenet(2, num_classes=4)
    fresh = target.get_parameter("classifier.4.weight").clone()
    with caplog.at_level(logging.INFO):
        report = load_weights(target, path)
    said = "classifier.4 is new, as the file has 26 classes and not 4"
    assert report.remade == (said,)
    assert [(r.levelno, said in r.getMessage()) for r in caplog.records] == [
        (logging.WARNING, True)
    ]
    assert torch.equal(target.get_parameter("classifier.4.weight"), fresh)
    assert torch.equal(
        target.get_parameter("classifier.2.weight"), source.get_parameter("classifier.2.weight")
    )
    assert create_model("lenet5", weights=path).num_classes == 26
    bare = create_model("lenet5", weights=path, num_classes=0)
    assert bare(torch.zeros(1, 1, 32, 32)).shape == (1, 84)


def test_other_numbers_of_channels_adapt_the_first_layer(tmp_path: Path) -> None:
    source = create_model("resnet20-cifar").eval()
    path = tmp_path / "rgb.pth"
    torch.save(source.state_dict(), path)
    grey = create_model("resnet20-cifar", weights=path, in_channels=1).eval()
    x = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(grey(x), source(x.expand(2, 3, 32, 32)), rtol=1e-4, atol=1e-4)
    report = load_weights(create_model("resnet20-cifar", in_channels=4), path)
    assert report.remade == ("conv1 adapted from 3 to 4 channels",)
    weight = torch.arange(3.0).reshape(1, 3, 1, 1)
    assert adapt_channels(weight, 1).tolist() == [[[[3.0]]]]
    assert adapt_channels(weight, 4).flatten().tolist() == [0.0, 0.75, 1.5, 0.0]
    adopted = tmp_path / "grey.pth"
    torch.save(grey.state_dict(), adopted)
    assert create_model("resnet20-cifar", weights=adopted).in_channels == 1


def test_auxiliary_classifiers_of_the_file_may_stay_unused(tmp_path: Path) -> None:
    source = create_model("googlenet-torchvision", num_classes=3)
    path = tmp_path / "googlenet.pth"
    torch.save(source.state_dict(), path)
    target = create_model("googlenet-torchvision", num_classes=3, aux=False)
    report = load_weights(target, path)
    assert {name.split(".")[0] for name in report.left} == {"aux1", "aux2"}
    assert str(report).endswith("not used: aux1, aux2")
    torch.save(target.state_dict(), path)
    with pytest.raises(WeightsError, match=r"missing in the file \(aux1\."):
        load_weights(source, path)


def bottlenecks(stride_in: str) -> Classifier:
    return create_model(
        "preact-resnet164-cifar", depth=11, pre_activation=False, stride_in=stride_in
    )


def test_bottlenecks_of_unknown_stride_are_refused_until_it_is_declared(tmp_path: Path) -> None:
    source, target = bottlenecks("3x3"), bottlenecks("3x3")
    path = tmp_path / "resnet50.pth"
    torch.save(source.state_dict(), path)
    before = target.get_parameter("conv1.weight").clone()
    with pytest.raises(WeightsError, match=r"does not tell where .* stride_in='3x3'"):
        load_weights(target, path)
    with pytest.raises(WeightsError, match=r"in the 1x1 .* in the 3x3; .* stride_in='1x1'"):
        load_weights(target, path, stride_in="1x1")
    assert torch.equal(target.get_parameter("conv1.weight"), before)
    load_weights(target, path, stride_in="3x3")
    assert equal(source, target)
    options = {"depth": 11, "pre_activation": False}
    created = create_model("preact-resnet164-cifar", weights=path, stride_in="3x3", **options)
    assert equal(source, created)


def test_published_files_tell_their_stride_by_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = bottlenecks("3x3")
    path = tmp_path / "renamed.pth"
    torch.save(source.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    monkeypatch.setitem(matching._STRIDES, digest, "3x3")
    target = bottlenecks("3x3")
    load_weights(target, path)
    assert equal(source, target)
    with pytest.raises(WeightsError, match=r"in the 3x3 .* in the 1x1"):
        load_weights(bottlenecks("1x1"), path, stride_in="1x1")


def test_files_of_our_own_tell_their_stride(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_model(bottlenecks("1x1"), path)
    load_weights(bottlenecks("1x1"), path)
    for declared in (None, "3x3"):
        with pytest.raises(WeightsError, match="in the 1x1"):
            load_weights(bottlenecks("3x3"), path, stride_in=declared)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lenet5", {"num_classes": 3, "image_size": 28}),
        ("lenet5-1998", {"num_classes": 12}),
        ("nin-cifar10", {}),
        ("resnet20-cifar", {"in_channels": 1}),
        ("preact-resnet110-cifar", {"depth": 8}),
        ("preact-resnet164-cifar", {"depth": 11}),
        ("preact-resnet164-cifar", {"depth": 11, "stride_in": "3x3"}),
        ("kim-multichannel", {"vocabulary": 20, "dimension": 6, "maps": 2, "num_classes": 5}),
    ],
)
def test_a_saved_model_comes_back_with_its_options(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    model = create_model(name, **options).eval()
    path = tmp_path / "model.safetensors"
    save_model(model, path)
    loaded = load_model(path)
    assert not loaded.training
    assert (loaded.name, loaded.options) == (model.name, model.options)
    x = model.example_input(2)
    x = torch.randint(1, 20, x.shape) if name.startswith("kim") else torch.randn(x.shape)
    assert torch.equal(loaded(x), model(x))


def test_files_mean_what_they_meant_whatever_their_models_name_stands_for_now(
    tmp_path: Path,
) -> None:
    model = create_model("lenet5-1998", squash="pooled").eval()
    before = {"model": "lenet5-1998", "options": {}, "stride_in": None, "facts": {}}
    path = tmp_path / "before.safetensors"  # from when the name meant squash="pooled"
    save_checkpoint(path, model.state_dict(), kind="classifier", metadata=before)
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(load_model(path)(x), model(x))
    with pytest.raises(WeightsError, match="with squash='pooled' and lenet5-1998 is made with"):
        create_model("lenet5-1998", weights=path)


def test_a_model_with_a_new_classifier_comes_back(tmp_path: Path) -> None:
    model = lenet(1)
    model.reset_classifier(7)
    save_model(model, tmp_path / "seven.safetensors")
    assert equal(load_model(tmp_path / "seven.safetensors"), model)


def test_the_fixed_codes_of_1998_keep_their_number(tmp_path: Path) -> None:
    path = tmp_path / "letters.pth"
    torch.save(create_model("lenet5-1998", num_classes=26).state_dict(), path)
    assert create_model("lenet5-1998", weights=path).num_classes == 26


def test_only_models_of_the_registry_are_saved(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="a LeNet5 was not made by create_model"):
        save_model(LeNet5(), tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_other_checkpoints_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_checkpoint(path, {"a": torch.zeros(1)}, kind="training-state", metadata={})
    with pytest.raises(CheckpointError, match="holds a training-state"):
        load_model(path)


# Some of the names in torchvision's files; our parts are called the same.
@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("alexnet-owt", "features.0.weight features.10.bias classifier.1.weight classifier.6.bias"),
        ("vgg16", "features.0.weight features.28.weight classifier.0.weight classifier.6.bias"),
        ("vgg11-bn", "features.1.running_mean features.25.weight classifier.3.bias"),
        (
            "googlenet-torchvision",
            "conv1.conv.weight conv1.bn.bias inception3a.branch1.conv.weight "
            "inception4d.branch2.1.bn.weight inception5b.branch4.1.conv.weight "
            "aux1.conv.conv.weight aux2.fc2.bias fc.weight",
        ),
        (
            "resnet50",
            "conv1.weight bn1.running_var layer1.0.downsample.0.weight "
            "layer4.2.bn3.num_batches_tracked fc.bias",
        ),
        ("resnet20-cifar", "conv1.weight layer3.2.bn2.weight fc.weight"),
    ],
)
def test_parts_are_called_as_in_torchvision(model: str, names: str) -> None:
    with torch.device("meta"):
        assert set(names.split()) <= set(create_model(model).state_dict())
