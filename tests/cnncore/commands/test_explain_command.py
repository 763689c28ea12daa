"""``cnncore explain``: pictures written, and errors in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore import create_model, save_model
from cnncore.__main__ import main
from cnncore.models.classifier import Classifier


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(0, 256, (3, 40, 36, 3), np.uint8)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / "photos" / "deep" / f"{number}.png")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def weights(folder: Path) -> str:
    model: Classifier = create_model("resnet20-cifar")
    path = folder / "net.safetensors"
    save_model(model, path)
    return str(path)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["explain", *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size


def test_the_command_draws(folder: Path, weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, photo = folder / "out.png", str(folder / "photos" / "deep" / "0.png")
    see = ("--image", photo, "--out", str(out))
    status, said, _ = explain(capsys, "deconvnet", weights, *see, "--layer", "layer2.0")
    assert status == 0 and said.startswith("layer2.0, unit ") and size(out) == (960, 960)
    status, said, _ = explain(
        capsys, "occlusion", weights, *see, "--layer", "layer2.0", "--square", "16", "--class", "3"
    )
    assert status == 0 and said.startswith("cat: 0.") and size(out)[0] == 2016
    status, said, _ = explain(capsys, "filters", weights, "--out", str(out), "--zoom", "2")
    assert (status, said) == (0, "") and 100 < min(size(out)) < max(size(out)) < 300
    status, said, _ = explain(
        capsys,
        *("strongest", weights, "--images", str(folder / "photos"), "--layer", "layer1.0"),
        *("--unit", "2", "5", "--count", "2", "--out", str(out)),
    )
    lines = said.splitlines()
    assert status == 0 and len(lines) == 4
    assert lines[0].startswith("unit 2  1  ") and "deep/" in lines[0]
    assert not list(folder.glob(".*"))


def test_the_command_says_what_is_wrong(
    folder: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(folder / "out.png"))
    photo = ("--image", str(folder / "photos" / "notes.txt"))
    for words, message in (
        (("deconvnet", weights, *photo, *out, "--layer", "fc"), "cannot be read as a picture"),
        (("filters", str(folder / "gone.pth"), *out), "no model at"),
        (("filters", "kim-rand", *out), "reads sentences"),
        (("filters", "gone.pth", "--out", str(folder)), "is a folder; give the PNG file to write"),
        (("filters", "gone.pth", "--out", str(folder / "no" / "x.png")), "there is no folder"),
        (("filters", weights, "--zoom", "0", *out), "--zoom 0 must be at least 1"),
        (("words", weights, "--sentence", "good"), "reads pictures"),
        (
            (
                "strongest",
                weights,
                "--images",
                str(folder / "gone"),
                "--layer",
                "fc",
                "--unit",
                "0",
                *out,
            ),
            "does not exist",
        ),
    ):
        status, said, err = explain(capsys, *words)
        assert (status, said) == (2, "") and message in err
    assert not (folder / "out.png").exists()


def test_words_of_a_sentence_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cnncore.classification.sentence_run_inputs import VOCABULARY
    from cnncore.data.text.vocabulary import Vocabulary

    vocabulary = Vocabulary(["a", "gripping", "film"])
    model = create_model("kim-rand", vocabulary=len(vocabulary), dimension=8, maps=2)
    path = tmp_path / "kim.safetensors"
    facts = {VOCABULARY: vocabulary.metadata(), "classes": ["dull", "good"]}
    save_model(model, path, facts=facts)
    status, said, _ = explain(
        capsys, "words", str(path), "--sentence", "A gripping film", "--class", "1"
    )
    lines = [line.split() for line in said.splitlines()]
    assert status == 0 and lines[0][0] == "good:"
    assert [line[1] for line in lines[1:]] == ["a", "gripping", "film"]


def test_shipped_models_are_found_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    status, said, _ = explain(capsys, "words", "kim-sentiment", "--sentence", "a gripping film")
    assert status == 0 and said.startswith("positive: 0.9") and "gripping" in said
    shipped, drawn = tmp_path / "shipped.png", tmp_path / "random.png"
    assert explain(capsys, "filters", "lenet5", "--out", str(shipped))[0] == 0
    assert "random weights" not in caplog.text
    assert explain(capsys, "filters", "lenet5", "--seed", "1", "--out", str(drawn))[0] == 0
    assert "lenet5 has random weights here" in caplog.text
    assert shipped.read_bytes() != drawn.read_bytes()
