"""What `cnncore classify` says of inputs on which its answer means little, and still answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.__main__ import main
from cnncore.pretrained import shipped_weights


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def classified(
    text: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> str:
    """Return what the log says of an input that is answered."""
    caplog.clear()
    assert main(("classify", text)) == 0
    assert capsys.readouterr().out.count(" %  ") >= 2
    return caplog.text


@pytest.mark.parametrize("grey", [0, 100, 255])
@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("noise", [0, 6])
def test_a_blank_picture_is_told(
    grey: int,
    side: int,
    noise: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    points = np.random.default_rng(3).integers(0, noise + 1, (side, side))
    path = tmp_path / "blank.png"
    Image.fromarray(np.clip(grey + points, 0, 255).astype(np.uint8)).save(path)
    assert f"{path} is blank or almost so where" in classified(str(path), capsys, caplog)


@pytest.mark.parametrize("side", [28, 200])
def test_a_thin_stroke_is_not_blank(
    side: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    points = np.full((side, side), 255, np.uint8)
    points[side // 4 : -side // 4, side // 2] = 60
    path = tmp_path / "one.png"
    Image.fromarray(points).save(path)
    assert classified(str(path), capsys, caplog) == ""


def test_a_transparent_picture_is_blank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(path)
    assert "is blank or almost so" in classified(str(path), capsys, caplog)


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("Das ist ein sehr guter Film", "4 of 6"),
        ("Der Film war langweilig und viel zu lang", "3 of 8"),
        ("C'est un très bon film", "2 of 5"),
        ("Es una película muy buena", "1 of 5"),
        ("O filme é muito bom", "1 of 5"),
        ("映画 is good", "1 of 3"),
        ("Это good", "1 of 2"),
    ],
)
def test_sentences_in_other_languages_are_told(
    sentence: str,
    share: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = classified(sentence, capsys, caplog)
    assert f"{share} words of {sentence!r} are unknown to kim-sentiment" in said


@pytest.mark.parametrize(
    "sentence",
    [
        "a gripping film",
        "Simply wonderful, and it's funny!",
        "The quick brown fox jumps over the lazy dog",
        "My neighbour Grzegorz recommended it, 10/10",
        "isn't this -- all in all -- a rather well-made film?",
    ],
)
def test_english_sentences_are_not_remarked_on(
    sentence: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert classified(sentence, capsys, caplog) == ""


@pytest.mark.parametrize("command", ["classify", "explain"])
@pytest.mark.parametrize("sentence", ["Это хороший фильм", "这部电影很好", "فيلم جيد"])
def test_scripts_that_the_model_cannot_read_are_told(
    command: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("classify", sentence)
    if command == "explain":
        file = shipped_weights("kim-sentiment")
        words = ("explain", "words", str(file), "--sentence", sentence)
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert (
        "kim-sentiment.safetensors can read, as the model reads the letters a to z" in captured.err
    )
