"""Files of weights: every kind that people have, no code that runs, damage told in a sentence."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cnncore import WeightsError, create_model, load_weights, read_weights
from tests.helpers.small_models import equal, lenet


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(5)


def numpy_of(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


FORMS: dict[str, tuple[str, Callable[[dict[str, Tensor], Path], None]]] = {
    "plain": (".pth", lambda tensors, path: torch.save(tensors, path)),
    "before zip": (
        ".pth",
        lambda tensors, path: torch.save(tensors, path, _use_new_zipfile_serialization=False),
    ),
    "DataParallel": (
        ".th",
        lambda tensors, path: torch.save(
            {"state_dict": {f"module.{n}": t for n, t in tensors.items()}, "best_prec1": 91.78},
            path,
        ),
    ),
    "compiled": (
        ".pt",
        lambda tensors, path: torch.save(
            {"model": {f"_orig_mod.{n}": t for n, t in tensors.items()}, "step": 3}, path
        ),
    ),
    "kuangliu": (
        ".pth",
        lambda tensors, path: torch.save(
            {"net": {f"module.{n}": t for n, t in tensors.items()}, "acc": 9.9, "epoch": 1}, path
        ),
    ),
    "lightning": (
        ".ckpt",
        lambda tensors, path: torch.save(
            {"epoch": 1, "state_dict": {f"model.{n}": t for n, t in tensors.items()}}, path
        ),
    ),
    "two nests": (
        ".tar",
        lambda tensors, path: torch.save({"model": {"state_dict": tensors}}, path),
    ),
    "a nest of an unusual name": (
        ".pt",
        lambda tensors, path: torch.save({"epoch": 2, "best": {"student": tensors}}, path),
    ),
    "torchvision's training script": (
        ".pth",
        lambda tensors, path: torch.save(
            {
                "model": tensors,
                "args": argparse.Namespace(lr=0.1, out=None),
                "best": np.float64(76.1),
                "epoch": np.int64(3),
                "done": np.bool_(True),
            },
            path,
        ),
    ),
    "beside numbers": (
        ".bin",
        lambda tensors, path: torch.save({**tensors, "epoch": 3}, path),
    ),
    "DataParallel around a part": (
        ".pth",
        lambda tensors, path: torch.save(
            {n.replace("features.", "features.module."): t for n, t in tensors.items()}, path
        ),
    ),
    "compiled, in a wrapper, in another": (
        ".pth",
        lambda tensors, path: torch.save(
            {f"net._orig_mod.module.{n}": t for n, t in tensors.items()}, path
        ),
    ),
    "checkpointed parts": (
        ".pt",
        lambda tensors, path: torch.save(
            {n.replace(".", "._checkpoint_wrapped_module.", 1): t for n, t in tensors.items()},
            path,
        ),
    ),
    "a prefix that nobody knows": (
        ".pth",
        lambda tensors, path: torch.save({f"trunk.body.{n}": t for n, t in tensors.items()}, path),
    ),
    "counters beside a nest": (
        ".pth",
        lambda tensors, path: torch.save({"epoch": torch.tensor(3), "best": tensors}, path),
    ),
    "safetensors": (".safetensors", lambda tensors, path: save_file(tensors, path)),
    "npz": (".npz", lambda tensors, path: np.savez(path, **numpy_of(tensors))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_loads(form: str, tmp_path: Path) -> None:
    source, target = lenet(1), lenet(2)
    suffix, write = FORMS[form]
    path = tmp_path / f"weights{suffix}"
    write(source.state_dict(), path)
    assert not equal(source, target)
    report = load_weights(target, path)
    assert equal(source, target)
    assert (report.loaded, report.remade, report.left) == (10, (), ())
    assert equal(source, create_model("lenet5", weights=path))


@pytest.mark.parametrize("nested", [False, True])
def test_an_averaged_model_loads_and_its_counter_is_named(
    nested: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, target = lenet(1), lenet(2)
    inner = nn.DataParallel(source) if nested else source
    averaged = AveragedModel(inner)
    averaged.update_parameters(inner)
    path = tmp_path / "swa.pth"
    torch.save(averaged.state_dict(), path)
    report = load_weights(target, path)
    assert equal(source, target) and report.left == ("n_averaged",)
    assert caplog.messages == ["swa.pth: 10 tensors loaded; not used: n_averaged"]


STRANGERS: dict[str, dict[str, Tensor]] = {
    "loss.weight": {"loss.weight": torch.ones(10)},
    "epoch, loss": {"epoch": torch.tensor(3), "loss.a": torch.ones(2), "loss.b": torch.ones(2)},
    "perceptual_loss.conv.weight": {"perceptual_loss.conv.weight": torch.ones(2, 2, 3, 3)},
    "centers": {"centers": torch.full((10, 2), torch.nan)},
}


@pytest.mark.parametrize("named", STRANGERS)
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "encoder."])
def test_strangers_beside_a_fitting_model_are_named_and_left_out(
    prefix: str, named: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, target = lenet(1), lenet(2)
    tensors = {f"{prefix}{name}": tensor for name, tensor in source.state_dict().items()}
    path = tmp_path / "net.pth"
    torch.save({**tensors, **STRANGERS[named]}, path)
    report = load_weights(target, path)
    assert equal(source, target) and report.left == tuple(sorted(STRANGERS[named]))
    assert caplog.messages == [f"net.pth: 10 tensors loaded; not used: {named}"]
    assert equal(source, create_model("lenet5", weights=path))


def test_the_same_model_twice_in_a_file_is_not_guessed(tmp_path: Path) -> None:
    one, two = lenet(1).state_dict(), lenet(2).state_dict()
    path = tmp_path / "both.pth"

    def write(first: str, second: str) -> None:
        both = {f"{first}{n}": t for n, t in one.items()}
        torch.save(both | {f"{second}{n}": t for n, t in two.items()}, path)

    write("left.", "right.")
    message = r"both\.pth has lenet5 more than once, below 'left\.' and 'right\.'; save the tensors"
    with pytest.raises(WeightsError, match=message):
        load_weights(lenet(3), path)
    for first, second in (("model.", "model_ema."), ("", "teacher.")):
        write(first, second)
        target = lenet(3)
        load_weights(target, path)
        assert equal(lenet(1), target)


def test_names_that_would_become_equal_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    torch.save({"a.module.w": torch.zeros(1), "a.w": torch.ones(1)}, path)
    assert set(read_weights(path).tensors) == {"a.module.w", "a.w"}


def test_eight_bits_with_scales(tmp_path: Path) -> None:
    source, target = lenet(1), lenet(2)
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in source.state_dict().items():
        if tensor.ndim < 2:
            arrays[name] = tensor.numpy()
            continue
        scale = tensor.flatten(1).abs().amax(dim=1) / 127
        shape = (-1, *[1] * (tensor.ndim - 1))
        arrays[name] = (tensor / scale.reshape(shape)).round().to(torch.int8).numpy()
        arrays[f"{name}::scale"] = scale.numpy()
    path = tmp_path / "small.npz"
    np.savez(path, **arrays)
    load_weights(target, path)
    for name, tensor in source.state_dict().items():
        error = (target.state_dict()[name] - tensor).abs().flatten(1 if tensor.ndim > 1 else 0)
        scale = torch.from_numpy(arrays.get(f"{name}::scale", np.zeros(1, np.float32)))
        assert (error.amax(dim=-1) <= 0.501 * scale).all()
    del arrays["features.0.weight::scale"]
    np.savez(path, **arrays)
    with pytest.raises(WeightsError, match=r"features\.0\.weight in 8 bits but no"):
        read_weights(path)
    arrays["nothing::scale"] = arrays["features.0.bias"]
    arrays["features.0.weight"] = arrays["features.0.weight"].astype(np.float32)
    np.savez(path, **arrays)
    with pytest.raises(WeightsError, match="nothing::scale but not the array"):
        read_weights(path)


def test_files_older_than_the_batch_counter_load(tmp_path: Path) -> None:
    source = create_model("resnet20-cifar")
    with torch.no_grad():
        for _ in range(3):
            source(torch.randn(4, 3, 32, 32))
    tensors = {n: t for n, t in source.state_dict().items() if "num_batches" not in n}
    path = tmp_path / "old.pth"
    torch.save(tensors, path)
    target = create_model("resnet20-cifar", weights=path)
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(source.eval()(x), target.eval()(x))


def test_other_peoples_names_for_the_same_parts(tmp_path: Path) -> None:
    source = create_model("resnet20-cifar", shortcut="B")
    theirs = {
        name.replace("downsample", "shortcut").replace("fc.", "linear."): tensor
        for name, tensor in source.state_dict().items()
    }
    path = tmp_path / "net.pth"
    torch.save(theirs, path)
    assert equal(source, create_model("resnet20-cifar", shortcut="B", weights=path))


class Trap:
    """Something that runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_no_code_of_a_file_runs_unless_told_to(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    path = tmp_path / "evil.pth"
    source = lenet(1)
    torch.save({"state_dict": source.state_dict(), "extra": Trap(trap)}, path)
    with pytest.raises(WeightsError, match="unsafe_pickle=True if you trust its author"):
        load_weights(lenet(2), path)
    assert not trap.exists()
    target = lenet(2)
    load_weights(target, path, unsafe_pickle=True)
    assert trap.exists() and equal(source, target)


def test_whole_modules_and_odd_objects_load_when_trusted(tmp_path: Path) -> None:
    source = lenet(1)
    path = tmp_path / "module.pt"
    torch.save({"model": source, "args": argparse.Namespace(lr=0.1)}, path)
    with pytest.raises(WeightsError, match="Python objects"):
        read_weights(path)
    target = lenet(2)
    load_weights(target, path, unsafe_pickle=True)
    assert equal(source, target)
    assert equal(source, create_model("lenet5", weights=path, unsafe_pickle=True))


def test_one_of_two_unnamed_nests_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "two.pth"
    torch.save({"student": lenet(1).state_dict(), "teacher": lenet(2).state_dict()}, path)
    with pytest.raises(WeightsError, match="holds no named tensors"):
        read_weights(path)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".npz"])
@pytest.mark.parametrize("content", [b"", b"hello, world", b"PK\x03\x04 half a zip"])
def test_damaged_files_are_refused_in_a_sentence(
    suffix: str, content: bytes, tmp_path: Path
) -> None:
    path = written(tmp_path / f"bad{suffix}", content)
    with pytest.raises(WeightsError, match="is damaged or no"):
        read_weights(path)


@pytest.mark.parametrize("form", ["plain", "before zip", "safetensors", "npz"])
def test_truncated_files_are_refused_in_a_sentence(form: str, tmp_path: Path) -> None:
    suffix, write = FORMS[form]
    path = tmp_path / f"cut{suffix}"
    write(lenet().state_dict(), path)
    whole = path.read_bytes()
    written(path, whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="is damaged or no"):
        read_weights(path)


def test_what_is_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights at .*gone\.pth"):
        read_weights(tmp_path / "gone.pth")
    with pytest.raises(WeightsError, match=r"does not end in one of \.pth"):
        read_weights(written(tmp_path / "weights.h5", b"HDF"))
    path = tmp_path / "list.pth"
    torch.save([1, 2, 3], path)
    with pytest.raises(WeightsError, match="no named tensors"):
        read_weights(path)
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(WeightsError, match="not an npz of plain arrays"):
        read_weights(tmp_path / "objects.npz")


def test_other_weights_in_a_file_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tensors = lenet().state_dict()
    average = {name: tensor + 1 for name, tensor in tensors.items()}
    torch.save({"model": tensors, "model_ema": average, "epoch": 3}, tmp_path / "both.pth")
    read = read_weights(tmp_path / "both.pth").tensors
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    assert "below 'model' and below 'model_ema'; the first were taken" in caplog.text
    caplog.clear()
    torch.save({"model": tensors, "optimizer": {"state": {}}}, tmp_path / "one.pth")
    read_weights(tmp_path / "one.pth")
    assert caplog.text == ""
