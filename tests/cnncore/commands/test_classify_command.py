"""``cnncore train``, ``evaluate`` and ``classify``: from data to answers, and errors on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore import create_model, open_trained, predict, read_images, save_model, score
from cnncore.__main__ import main
from cnncore.classification.image_run_inputs import evaluation_samples
from cnncore.pretrained import shipped_models, shipped_weights
from tests.helpers.occupied import occupied

FAST = ("--quiet", "--threads", "1", "--device", "cpu")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures to train on and six to measure on: dark "night" and bright "day"."""
    folder = tmp_path_factory.mktemp("photos")
    source = np.random.default_rng(2)
    for split, count in (("train", 6), ("val", 3)):
        for name, mean in (("day", 190), ("night", 60)):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.clip(source.normal(mean, 25, (40, 36, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of a CIFAR ResNet-20 with other seeds."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [folder / "one", folder / "two"]
    for seed, out in enumerate(runs, 1):
        words = ["train", "resnet20-cifar", "--data", photos, "--out", out, *FAST]
        for setting in ("epochs=4", "batch=6", "lr=0.05", "average=0", f"seed={seed}"):
            words += ["--set", setting]
        assert main([str(word) for word in words]) == 0
    return runs


def test_training_says_what_it_made(
    trained: list[Path], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ("train", "resnet20-cifar", "--data", photos, "--out", trained[0], *FAST)
    settings = [w for s in ("epochs=4", "batch=6", "lr=0.05", "average=0") for w in ("--set", s)]
    status, out, _ = run(capsys, *again, *settings)
    assert status == 0
    assert out.startswith(f"{trained[0] / 'last.safetensors'}: resnet20-cifar, 2 classes, 4.0 epo")
    assert "validation top-1 " in out
    facts = open_trained(trained[0]).facts
    assert facts["recipe"]["shift"] == 4  # from the model's own recipe
    assert facts["classes"] == ["day", "night"]


def test_two_programs_do_not_train_in_one_folder(
    trained: list[Path], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "resnet20-cifar", "--data", photos, "--out", trained[0], *FAST)
    settings = [w for s in ("epochs=4", "batch=6", "lr=0.05", "average=0") for w in ("--set", s)]
    with occupied(trained[0]):
        status, out, err = run(capsys, *words, *settings)
        assert (status, out) == (1, "")
        last = err.splitlines()[-1]
        assert last.startswith(f"cnncore train: another program trains in {trained[0]}: wait for")
    assert run(capsys, *words, *settings)[0] == 0


def test_evaluation_measures_each_and_all_together(
    trained: list[Path], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(
        capsys, "evaluate", *trained, "--data", photos, "--split", "train", *FAST, "--confusion"
    )
    assert status == 0 and "12 samples (train)" in err
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == [
        *(str(path / "last.safetensors") for path in trained),
        "ensemble of 2",
    ]
    models = [open_trained(path) for path in trained]
    samples = [evaluation_samples(read_images(photos, "train"), model) for model in models]
    shares = [predict(m.model, s) for m, s in zip(models, samples, strict=True)]
    both = score((shares[0] + shares[1]) / 2, samples[0].labels)
    assert f"top-1 {100 * both.top1:.2f} " in lines[2] and f"loss {both.loss:.4f}, 12" in lines[2]
    assert lines[3].split() == ["day", "night"]
    counts = [[int(word) for word in line.split()[1:]] for line in lines[4:]]
    assert counts == both.confusion.tolist()
    status, out, err = run(capsys, "evaluate", trained[0], "--data", photos, "--ten-crop", *FAST)
    assert status == 0 and "6 samples (val)" in err


def test_classes_are_named_with_probabilities(
    trained: list[Path], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = photos / "val" / "night" / "0.png"
    words = ("classify", picture, "--model", trained[0], "--model", trained[1], "--top", "9")
    status, out, _ = run(capsys, *words)
    lines = out.splitlines()
    assert status == 0 and lines[0] == str(picture)
    shares = {line.split("%")[1].strip(): float(line.split("%")[0]) for line in lines[1:]}
    assert set(shares) == {"day", "night"}
    assert sum(shares.values()) == pytest.approx(100.0, abs=0.02)
    assert lines[1] == max(lines[1:])
    names = photos / "names.txt"
    names.write_text("Tag\nNacht\n")
    _, out, _ = run(capsys, "classify", picture, "--model", trained[0], "--classes", names)
    assert set(out.split()) >= {"Tag", "Nacht"}


def test_foreign_weights_are_told_their_model_and_their_stride(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.pth"
    torch.save(create_model("resnet20-cifar", num_classes=2).state_dict(), file)
    words = ("evaluate", file, "--data", photos, *FAST)
    status, _, err = run(capsys, *words)
    assert status == 2 and "does not tell which model its weights are of; add --name MODEL" in err
    assert run(capsys, *words, "--name", "resnet20-cifar")[0] == 0
    _, _, err = run(capsys, *words, "--name", "resnet56-cifar")
    assert "net.pth does not fit resnet56-cifar" in err


def test_more_classes_than_the_data_has_are_warned_of_unless_they_have_names(
    trained: list[Path],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = create_model("resnet20-cifar")  # ten classes
    torch.save(model.state_dict(), tmp_path / "net.pth")
    words = ("--data", photos, *FAST)
    assert run(capsys, "evaluate", tmp_path / "net.pth", "--name", "resnet20-cifar", *words)[0] == 0
    assert "net.pth has 10 classes without names and the data has 2 (day, night);" in caplog.text
    caplog.clear()
    names = ["dawn", "night", *"abcdefg", "day"]
    save_model(model, tmp_path / "named.safetensors", facts={"classes": names})
    assert run(capsys, "evaluate", tmp_path / "named.safetensors", *words)[0] == 0
    assert run(capsys, "evaluate", trained[0], *words)[0] == 0
    assert not caplog.records


def test_a_frozen_backbone_without_weights_is_warned_of(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = ("--data", photos, "--out", tmp_path / "run", "--set", "epochs=1", *FAST)
    assert run(capsys, "train", "resnet20-cifar", "--recipe", "transfer", *words)[0] == 0
    assert "backbone does not learn and is random without --weights" in caplog.text


def test_transfer_starts_from_weights_and_says_what_is_new(
    trained: list[Path],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for split in ("train", "val"):
        for number in range(3):
            target = tmp_path / "data" / split / "dusk"
            target.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 40), (120 + number, 120, 120)).save(target / f"{number}.png")
        for name in ("day", "night"):
            (tmp_path / "data" / split / name).symlink_to(photos / split / name)
    words = ("--data", tmp_path / "data", "--out", tmp_path / "run", "--set", "epochs=1", *FAST)
    weights = trained[0] / "last.safetensors"
    start = ("train", "resnet20-cifar", "--weights", weights, "--recipe", "transfer", *words)
    assert run(capsys, *start)[0] == 0
    assert "fc is new, as the file has 2 classes and not 3" in caplog.text
    before, after = open_trained(trained[0]).model, open_trained(tmp_path / "run").model
    old, new = before.state_dict(), after.state_dict()
    assert {name for name in new if not torch.equal(new[name], old[name])} <= {
        "fc.weight",
        "fc.bias",
    }
    status, _, err = run(
        capsys,
        "train",
        "resnet20-cifar",
        "--freeze",
        "stem",
        "--data",
        photos,
        "--out",
        tmp_path / "x",
    )
    assert status == 2 and "resnet20-cifar has no part 'stem' to freeze; it has conv1" in err


def test_sentences_are_trained_measured_and_classified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "films.pos").write_text("a gripping film\nfine and moving\n" * 8)
    (tmp_path / "films.neg").write_text("a dull film\nbad and boring\n" * 8)
    settings = ("--set", "epochs=6", "--set", "lr=0.5", "--set", "batch=8", "--set", "average=0")
    model = ("--set", "options={dimension=8, maps=4, dropout=0.0}", "--recipe", "default")
    out_folder = tmp_path / "run"
    status, _, err = run(
        capsys,
        *("train", "kim-rand", "--data", tmp_path / "films", "--out", out_folder),
        *(*settings, *model, *FAST),
    )
    assert status == 0, err
    status, out, _ = run(capsys, "evaluate", out_folder, "--data", tmp_path / "films", *FAST)
    assert status == 0 and "top-1 100.00" in out and "32 samples" in out
    sentence = "a gripping film"
    status, out, _ = run(capsys, "classify", sentence, "a dull film", "--model", out_folder)
    lines = out.splitlines()
    assert status == 0 and (lines[0], lines[3]) == (sentence, "a dull film")
    assert lines[1].endswith("pos") and lines[4].endswith("neg")
    assert "has no words" in run(capsys, "classify", "...", "--model", out_folder)[2]
    picture = tmp_path / "x.png"
    Image.new("L", (9, 9)).save(picture)
    assert (
        "reads sentences, not pictures"
        in run(capsys, "classify", picture, "--model", out_folder)[2]
    )


def test_errors_are_sentences(
    trained: list[Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder = ("--data", photos, "--out", tmp_path / "run", *FAST)
    (tmp_path / "note.jpg").write_text("no picture")
    save_model(create_model("lenet5"), tmp_path / "lenet.safetensors")
    cases: list[tuple[tuple[object, ...], str]] = [
        (("train", "resnet19", *run_folder), "no model is called 'resnet19'"),
        (("train", "lenet5", *run_folder, "--set", "epochs=no"), "should be of type float"),
        (("train", "lenet5", *run_folder, "--vectors", "x"), "lenet5 reads images; leave it out"),
        (("train", "kim-rand", *run_folder, "--weights", "x"), "starts from --vectors"),
        (("train", "lenet5", "--data", tmp_path / "no", "--out", tmp_path / "run"), "not exist"),
        (("evaluate", tmp_path / "no.pth", "--data", photos), "no model at"),
        (("evaluate", tmp_path, "--data", photos), "it is not a run, or one that has not ended"),
        (("evaluate", trained[0], "--data", photos, "--split", "all"), "has train, val, not all"),
        (("classify", tmp_path / "no.jpg", "--model", trained[0]), "cannot be read as a picture"),
        (("classify", tmp_path / "note.jpg", "--model", trained[0]), "no image format that pill"),
        (("classify", "some words", "--model", trained[0]), "'some words' is not a file, and last"),
        (("classify", "some words", "x.png", "--model", trained[0]), "a model reads one kind"),
        (
            ("classify", "x.png", "--model", trained[0], "--model", tmp_path / "lenet.safetensors"),
            "lenet.safetensors has 10; give names and models that fit together",
        ),
    ]
    for words, message in cases:
        status, out, err = run(capsys, *words)
        assert (status, out) == (2, ""), words
        assert err.splitlines()[-1].startswith(f"cnncore {words[0]}: "), err
        assert message in err and "[Errno" not in err, err


def test_ctrl_c_stops_with_a_checkpoint_and_the_command_goes_on(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-m", "cnncore", "train", "resnet20-cifar", "--data", str(photos)]
    words += ["--out", str(tmp_path / "run"), "--set", "epochs=100000", "--set", "batch=4", *FAST]
    words += ["--set", "report_steps=1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
    metrics = tmp_path / "run" / "metrics.jsonl"
    while process.poll() is None and not (metrics.is_file() and metrics.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the same command goes on from there" in err
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    kept = max(line["step"] for line in lines)
    status, _, err = run(capsys, *words[3:], "--minutes", "0")
    assert status == 0 and "time is up after" in err
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert kept < max(line["step"] for line in lines) <= kept + 2


def test_what_is_shipped_has_a_card_and_knows_its_classes() -> None:
    assert "lenet5" in shipped_models()
    for name in shipped_models():
        model = open_trained(shipped_weights(name))
        assert len(model.names()) == model.model.num_classes
        assert shipped_weights(name).with_suffix(".md").read_text().startswith("# ")
    with pytest.raises(ValueError, match="no weights of 'lenet6' ship with this package"):
        shipped_weights("lenet6")


def test_digits_are_read_at_once_after_installation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    picture = np.full((120, 90, 3), 255, np.uint8)
    picture[20:100, 42:50] = 20  # an upright bar: a one
    Image.fromarray(picture).save(tmp_path / "one.png")
    status, out, _ = run(capsys, "classify", tmp_path / "one.png")
    assert status == 0 and out.splitlines()[1].split()[-1] == "1"
    picture[..., 0] = 0
    Image.fromarray(picture).save(tmp_path / "photo.png")
    run(capsys, "classify", tmp_path / "photo.png")
    assert "is in colour and this model reads handwritten digits" in caplog.text


@pytest.mark.data
def test_the_shipped_lenet_reads_mnist() -> None:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "images" / "mnist"
    if not folder.is_dir():
        pytest.skip("no MNIST beside the checkout")
    shipped = open_trained(shipped_weights("lenet5"))
    samples = evaluation_samples(read_images(folder, "test"), shipped)
    assert score(predict(shipped.model, samples), samples.labels).top1 >= 0.992


def test_the_sample_digit_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    digit = Path(__file__).resolve().parents[3] / "data" / "digit.png"
    status, said, warned = run(capsys, "classify", digit, "--top", "1")
    assert status == 0 and said.splitlines()[1].endswith("%  3") and warned == ""
    assert float(said.splitlines()[1].split()[0]) > 90
