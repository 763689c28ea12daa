"""Checkpoints as arrays: the same numbers as tensors, the same sentences, and no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cnncore.weights.checkpoint import save_checkpoint
from cnncore.weights.checkpoint_arrays import CheckpointError, load_arrays


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tensors = {
        "b": torch.arange(6.0).reshape(2, 3),
        "a": torch.tensor([1.5, -2.0], dtype=torch.float16),
        "count": torch.tensor(7),
    }
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, tensors, kind="cat", metadata={"name": "Tom"})
    return path


def test_arrays_are_the_tensors(file: Path) -> None:
    found = load_arrays(file)
    assert (found.kind, found.metadata) == ("cat", {"name": "Tom"})
    assert found.arrays["a"].dtype == np.float16 and found.arrays["count"] == 7
    assert found.arrays["b"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_equal_files_have_equal_digests_and_others_do_not(file: Path, tmp_path: Path) -> None:
    digests = []
    for value in (1.0, 1.0, 2.0):
        save_checkpoint(tmp_path / "y", {"w": torch.tensor([value])}, kind="cat", metadata={})
        digests.append(load_arrays(tmp_path / "y").digest)
    assert digests[0] == digests[1] != digests[2]


def test_a_changed_byte_is_found(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match="some bytes have changed"):
        load_arrays(file)


def test_other_files_are_refused(file: Path, tmp_path: Path) -> None:
    save_file(load_file(file), tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="not written by cnncore"):
        load_arrays(tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_arrays(tmp_path / "absent")


def test_torch_is_not_imported(file: Path) -> None:
    code = (
        "import sys; from cnncore.weights.checkpoint_arrays import load_arrays; "
        "print(len(load_arrays(sys.argv[1]).arrays), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "False"]
