"""``cnncore``: the list of models, their descriptions, and the names that load at first use."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import cnncore
from cnncore.__main__ import main
from cnncore.commands import train
from cnncore.models.registry import ALIASES, ENTRIES, find_model
from cnncore.recipes import list_recipes


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(words)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_list_names_every_model_and_alias(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "list")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(ENTRIES)
    assert all(alias in out for alias in ALIASES)


def test_the_list_takes_patterns_for_aliases_too(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "list", "vgg1?")
    assert [line.split()[0] for line in out.splitlines()] == ["vgg-a", "vgg-b", "vgg-d", "vgg-e"]
    status, out, err = run(capsys, "list", "*transformer*")
    assert (status, out) == (2, "")
    assert err == "cnncore list: no model matches '*transformer*'; run cnncore list to see all\n"


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("googlenet", ["googlenet", "googlenet-torchvision"]),
        ("Inception", ["googlenet"]),
        ("T_RESNET110", ["preact-resnet110-cifar"]),
        ("t-resnet50", ["preact-resnet50"]),
    ],
)
def test_a_part_of_a_name_finds_what_contains_it(
    part: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "list", part)
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == names


def test_resnet_lists_every_resnet(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "list", "resnet")
    wanted = [name for name in ENTRIES if "resnet" in name]
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == wanted
    status, _, err = run(capsys, "list", "transformer")
    assert status == 2 and "no model matches 'transformer'; run cnncore list to see all" in err


def test_the_help_names_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(("train", "--help"))
    said = capsys.readouterr().out.split()
    assert ended.value.code == 0
    assert all(name in said or f"{name}," in said for name in list_recipes())


def test_a_model_is_described_layer_by_layer(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "info", "lenet", "--classes", "26")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "lenet5: LeNet-5 as taught: ReLU, max pooling"
    assert lines[2].split() == ["features.0", "Conv2d", "6x28x28", "156", "117,600", "5"]
    assert lines[-1].startswith(f"{61_706 + 16 * 85:,} parameters")
    _, out, _ = run(capsys, "info", "resnet20-cifar", "--size", "64")
    assert "16x64x64" in out and "Identity" not in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("resnet19",), "no model is called 'resnet19'; did you mean resnet1"),
        (("alexnet", "--size", "224"), "give 227x227 images"),
        (("resnet18", "--size", "0"), "size 0 must be at least 1"),
        (("lenet5", "--classes", "-3"), "num_classes -3 is negative"),
        (("gone.safetensors",), "no checkpoint at gone.safetensors"),
        (("gone.pth",), "no weights at gone.pth"),
    ],
)
def test_what_cannot_be_described_gets_a_sentence(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "info", *words)
    assert (status, out) == (2, "")
    assert err.startswith("cnncore info: ") and message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "command", [("train", "lenet5", "--out", "run"), ("evaluate", "gone.safetensors")]
)
def test_a_device_that_is_not_there_is_named_first(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for device, message in (("cuda:99", "'cuda:99' is not available"), ("gpu", "'gpu'")):
        status, out, err = run(capsys, *command, "--data", "pictures", "--device", device)
        assert (status, out) == (2, "") and message in err and err.count("\n") == 1


def test_other_programs_files_are_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.pth"
    torch.save({"state_dict": {"module.fc.weight": torch.zeros(3, 4)}}, path)
    status, out, _ = run(capsys, "info", str(path))
    assert status == 0
    assert out.splitlines() == [
        f"{path}: weights, 1 tensors, 12 numbers",
        "  fc.weight  (3, 4)  float32",
    ]
    path.write_bytes(b"nothing")
    status, _, err = run(capsys, "info", str(path))
    assert status == 2 and "is damaged" in err


def test_letters_that_the_output_lacks_are_written_by_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "数.pth"
    torch.save({"a": torch.zeros(1)}, path)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252"))
    assert main(["info", str(path)]) == 0
    assert b"\\u6570.pth: weights, 1 tensors" in written.getvalue()


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        *(("resnet20-cifar", 4), ("resnet56-cifar", 4), ("preact-resnet164-cifar", 4)),
        *(("nin-cifar10", 4), ("resnet18", 0), ("lenet5", 2)),
    ],
)
def test_nets_for_cifar_share_its_recipe(name: str, shift: int) -> None:
    parser = argparse.ArgumentParser()
    train.configure(parser)
    args = parser.parse_args([name, "--data", "x", "--out", "y"])
    assert train.choose_recipe(args, find_model(name)).shift == shift


def test_a_run_without_a_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "lenet5", "--data", "x", "--out", ""])
    assert "argument --out: it is empty; give the folder of the run" in capsys.readouterr().err


def test_listing_and_importing_load_no_torch() -> None:
    code = (
        "import sys, cnncore\n"
        "from cnncore.__main__ import main\n"
        "main(['list'])\n"
        "print(sorted({'torch', 'numpy', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_every_public_name_is_there() -> None:
    for name in cnncore.__all__:
        assert getattr(cnncore, name) is not None
    assert dir(cnncore) == sorted(cnncore.__all__)
    assert set(cnncore._HOMES) == set(cnncore.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Transformer'"):
        _ = cnncore.Transformer
