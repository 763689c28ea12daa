"""Models from files: whose they are, whether they are whole, and several of them together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cnncore import (
    CheckpointError,
    DataError,
    WeightsError,
    create_model,
    load_model,
    load_weights,
    open_trained,
    save_model,
)
from cnncore.__main__ import main
from cnncore.classification.trained_models import Trained, ensemble_of, open_several
from cnncore.weights import published
from tests.helpers.small_models import equal, lenet

CLASSES = ("ant", "bee", "cat")
FAST = ("--quiet", "--threads", "1", "--device", "cpu")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def model_of(path: Path, classes: Sequence[str] | None, order: Sequence[int] = (0, 1, 2)) -> Path:
    """Write a LeNet-5 of three classes in an order, always the same one otherwise."""
    model = lenet(4, num_classes=3)
    head = model.get_classifier()
    with torch.no_grad():
        head.weight.copy_(head.weight[list(order)].clone())
        head.bias.copy_(head.bias[list(order)].clone())
    save_model(model, path, facts={} if classes is None else {"classes": list(classes)})
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures each of an ant and a bee."""
    source = np.random.default_rng(6)
    for name in CLASSES[:2]:
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            pixels = source.integers(0, 256, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    return tmp_path / "pictures"


def test_an_ensemble_matches_classes_by_name(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = model_of(tmp_path / "one.safetensors", CLASSES)
    two = model_of(tmp_path / "two.safetensors", ("cat", "ant", "bee"), (2, 0, 1))
    picture = pictures / "ant" / "0.png"
    _, alone, _ = run(capsys, "classify", picture, "--model", one)
    status, both, _ = run(capsys, "classify", picture, "--model", one, "--model", two)
    assert status == 0 and both == alone
    for files in ((one, two), (two, one)):
        status, out, _ = run(capsys, "evaluate", *files, "--data", pictures, *FAST)
        first, second, together = (line.split(": ")[1] for line in out.splitlines())
        assert status == 0 and first == second == together


@pytest.mark.parametrize("classes", [("ant", "bee", "dog"), None, ("ant", "bee", "bee")])
def test_models_of_other_classes_are_no_ensemble(
    classes: Sequence[str] | None,
    tmp_path: Path,
    pictures: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = model_of(tmp_path / "one.safetensors", CLASSES)
    two = model_of(tmp_path / "two.safetensors", classes)
    picture = pictures / "ant" / "0.png"
    status, out, err = run(capsys, "classify", picture, "--model", one, "--model", two)
    assert (status, out) == (2, "") and "needs models of the same classes" in err
    status, _, err = run(capsys, "evaluate", one, two, "--data", pictures, *FAST)
    assert status == 2 and "needs models of the same classes" in err
    shares = torch.full((1, 3), 1 / 3)
    with pytest.raises(DataError, match=r"two\.safetensors has .*one\.safetensors the classes"):
        ensemble_of(open_several([one, two]), [shares, shares])


def test_confusion_counts_classes_that_nothing_names(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = model_of(tmp_path / "few.safetensors", None)
    words = ("--data", pictures, "--confusion", *FAST)
    status, out, _ = run(capsys, "evaluate", few, *words)
    assert status == 0 and out.splitlines()[1].split() == ["ant", "bee", "2"]
    torch.manual_seed(1)
    save_model(create_model("lenet5", num_classes=30), tmp_path / "many.safetensors")
    status, out, _ = run(capsys, "evaluate", tmp_path / "many.safetensors", *words)
    assert status == 0 and " taken for " in out


def test_what_a_file_tells_cannot_be_contradicted(tmp_path: Path) -> None:
    own = model_of(tmp_path / "own.safetensors", CLASSES)
    assert open_trained(own, name="lenet").model.name == "lenet5"
    with pytest.raises(WeightsError, match="holds lenet5, not resnet18; leave --name resnet18 out"):
        open_trained(own, name="resnet18")
    deep = create_model("preact-resnet164-cifar", depth=11)
    save_model(deep, tmp_path / "deep.safetensors")
    open_trained(tmp_path / "deep.safetensors", stride_in="1x1")
    with pytest.raises(WeightsError, match="in the 1x1 convolution, not in the 3x3; leave"):
        open_trained(tmp_path / "deep.safetensors", stride_in="3x3")
    foreign = tmp_path / "net.pth"
    torch.save(create_model("resnet20-cifar").state_dict(), foreign)
    opened = open_several([own, foreign], name="resnet20-cifar")
    assert [trained.model.name for trained in opened] == ["lenet5", "resnet20-cifar"]
    with pytest.raises(WeightsError, match="holds lenet5"):
        open_several([own, own], name="resnet20-cifar")


def test_damage_is_found_wherever_a_file_is_read(tmp_path: Path) -> None:
    own = model_of(tmp_path / "own.safetensors", CLASSES)
    whole = own.read_bytes()
    changed = bytearray(whole)
    changed[-3] ^= 0x40
    own.write_bytes(changed)
    for read in (load_model, open_trained, lambda path: create_model("lenet5", weights=path)):
        with pytest.raises(ValueError, match=r"is damaged \(some bytes have changed\); restore"):
            read(own)
    own.write_bytes(whole[:5000])
    with pytest.raises(CheckpointError, match="is damaged or not a safetensors file"):
        open_trained(own)


def test_options_that_no_shape_shows_are_compared(tmp_path: Path) -> None:
    own = tmp_path / "tanh.safetensors"
    save_model(lenet(1, activation="tanh"), own)
    with pytest.raises(WeightsError, match=r"with activation='tanh' .* create the model with"):
        create_model("lenet5", weights=own)
    same = create_model("lenet5", weights=own, activation="tanh", image_size=28)
    assert equal(same, lenet(1, activation="tanh"))
    save_model(create_model("alexnet", hidden=8, num_classes=2), own)
    with pytest.raises(WeightsError, match="with order='pool-norm' and alexnet is made with"):
        create_model("alexnet", weights=own, hidden=8, order="norm-pool")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    tensors = lenet(1).state_dict()
    tensors["features.3.bias"][2] = torch.nan
    save_file(tensors, tmp_path / "net.safetensors")
    target = lenet(2)
    with pytest.raises(WeightsError, match=r"numbers in features\.3\.bias that are not finite"):
        load_weights(target, tmp_path / "net.safetensors")
    assert equal(target, lenet(2))


def test_a_googlenet_without_its_auxiliary_classifiers_comes_back(tmp_path: Path) -> None:
    model = create_model("googlenet", num_classes=2)
    model.reset_classifier(0)
    save_model(model, tmp_path / "none.safetensors")
    assert load_model(tmp_path / "none.safetensors").num_classes == 0
    model.reset_classifier(5)
    save_model(model, tmp_path / "five.safetensors")
    assert equal(load_model(tmp_path / "five.safetensors"), model)


def test_files_and_runs_are_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"fc.weight": torch.zeros(3, 4)}, tmp_path / "foreign.safetensors")
    status, out, _ = run(capsys, "info", tmp_path / "foreign.safetensors")
    assert status == 0 and "weights, 1 tensors, 12 numbers" in out
    for folder in ("run", "lenet5"):
        (tmp_path / folder).mkdir()
    model_of(tmp_path / "run" / "last.safetensors", CLASSES)
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, "info", "run")
    assert status == 0 and '"classes": ["ant", "bee", "cat"]' in out
    assert run(capsys, "info", "lenet5")[1].startswith("lenet5: LeNet-5 as taught")
    status, _, err = run(capsys, "info", tmp_path / "lenet5")
    assert status == 2 and "it is not a run, or one that has not ended" in err


def test_a_stopped_run_is_read_by_every_command_at_once(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    small = ("--set", "batch=4", "--set", "holdout=0.25")
    words = ("train", "lenet5", "--data", pictures, "--out", out, *small, *FAST)
    status, _, err = run(capsys, *words, "--minutes", "0")
    assert status == 0, err
    assert f"cnncore evaluate {out} and the like take it as it is" in err
    assert not (out / "last.safetensors").exists()
    picture = pictures / "ant" / "0.png"
    for command, said in (
        (("evaluate", out, "--data", pictures, *FAST), "checkpoint.safetensors: top-1 "),
        (("classify", picture, "--model", out), " %  bee"),
        (("info", out), "checkpoint.safetensors: classifier, 10 tensors, 61,026 numbers"),
        (("explain", "occlusion", out, "--image", picture, "--out", tmp_path / "o.png"), ": 0."),
    ):
        status, text, _ = run(capsys, *command)
        assert status == 0 and said in text


def test_published_files_are_known_by_their_content(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    file = tmp_path / "renamed.pth"
    torch.save(lenet(4).state_dict(), file)
    words = ("classify", pictures / "ant" / "0.png", "--model", file)
    status, _, err = run(capsys, *words)
    assert status == 2 and "does not tell which model its weights are of; add --name" in err
    monkeypatch.setattr(published, "PUBLISHED", {published.content_key(file): "lenet5"})
    assert run(capsys, *words) == run(capsys, *words, "--name", "lenet5")
    assert open_trained(file).model.name == "lenet5"


@pytest.mark.parametrize("command", ["evaluate", "classify", "explain"])
def test_what_is_not_a_file_of_weights_is_named(
    command: str, tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("to do")
    words: tuple[object, ...] = ("evaluate", file, "--data", pictures)
    if command == "classify":
        words = ("classify", pictures / "ant" / "0.png", "--model", file)
    elif command == "explain":
        words = ("explain", "filters", file, "--out", tmp_path / "f.png")
    status, _, err = run(capsys, *words)
    assert status == 2 and f"{file} is not a file of weights (.pth" in err


def test_files_folders_and_long_sentences_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    for word, message in (
        ("photos", "photos is a folder; give the pictures in it"),
        ("holiday.heic", "no picture at holiday.heic; check the path, or write a sentence"),
        ("photos/holiday", "no picture at photos/holiday"),
    ):
        status, out, err = run(capsys, "classify", word)
        assert (status, out) == (2, "") and err == f"cnncore classify: {err[18:]}"
        assert message in err and err.count("\n") == 1
    for sentence in ("très bon " * 25 + "x", "good " * 2000, "Moving.", "It cost 3.50 dollars"):
        assert run(capsys, "classify", sentence)[0] == 0


def test_foreign_nets_for_cifar10_get_its_names_and_others_numbers() -> None:
    net = create_model("resnet20-cifar")
    assert Trained(Path("net.th"), net, None, {}).names()[:2] == ("airplane", "automobile")
    assert Trained(Path("net.th"), net, tuple("abcdefghij"), {}).names()[:2] == ("a", "b")
    digits = create_model("lenet5")
    assert Trained(Path("net.pth"), digits, None, {}).names()[:2] == ("0", "1")
