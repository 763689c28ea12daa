"""Checkpoints: what is written comes back, and every bad file is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import cnncore.weights.checkpoint
from cnncore.__main__ import main
from cnncore.weights.checkpoint import (
    CHECKPOINT_VERSION,
    CheckpointError,
    load_checkpoint,
    previous_checkpoint,
    read_metadata,
    recover_checkpoint,
    save_checkpoint,
)

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7)}


def test_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_checkpoint(file, TENSORS, kind="network", metadata={"seen": 3, "name": "é"})
    loaded = load_checkpoint(file, kind="network")
    assert loaded.kind == "network" and loaded.metadata == {"seen": 3, "name": "é"}
    assert loaded.tensors.keys() == TENSORS.keys()
    assert all(torch.equal(loaded.tensors[name], TENSORS[name]) for name in TENSORS)
    (tmp_path / "plain").touch()
    assert file.stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "plain").unlink()
    assert read_metadata(file) == ("network", {"seen": 3, "name": "é"})
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_tensors_of_other_layouts_are_written_with_their_values(tmp_path: Path) -> None:
    kernel = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "x", {"k": kernel, "t": kernel[0, 0].T}, kind="n", metadata={})
    loaded = load_checkpoint(tmp_path / "x").tensors
    assert torch.equal(loaded["k"], kernel) and torch.equal(loaded["t"], kernel[0, 0].T)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.safetensors"
    save_checkpoint(file, TENSORS, kind="n", metadata={})
    before = file.read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        Path(path).write_bytes(b"half a fi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cnncore.weights.checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(file, TENSORS, kind="n", metadata={})
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_an_unwritable_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        save_checkpoint(tmp_path / "nowhere" / "x", TENSORS, kind="n", metadata={})


def test_missing_truncated_foreign_and_wrong_files_are_refused(tmp_path: Path) -> None:
    good = tmp_path / "good"
    save_checkpoint(good, TENSORS, kind="network", metadata={})
    (tmp_path / "cut").write_bytes(good.read_bytes()[:-8])
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    save_file(TENSORS, tmp_path / "foreign")
    header = {"kind": "network", "version": CHECKPOINT_VERSION + 1, "metadata": {}}
    save_file(TENSORS, tmp_path / "future", metadata={"cnncore": json.dumps(header)})
    save_file(TENSORS, tmp_path / "header", metadata={"cnncore": "{"})
    for name, words in [
        ("absent", "no checkpoint at"),
        ("cut", "damaged"),
        ("text", "damaged"),
        ("empty", "damaged"),
        ("foreign", "not written by cnncore"),
        ("future", f"checkpoint version {CHECKPOINT_VERSION + 1}"),
        ("header", "damaged"),
    ]:
        with pytest.raises(CheckpointError, match=words):
            load_checkpoint(tmp_path / name)
    with pytest.raises(CheckpointError, match="holds a network, not a dog"):
        load_checkpoint(good, kind="dog")


def test_any_flipped_byte_of_the_tensors_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_checkpoint(file, TENSORS, kind="n", metadata={"seen": 3})
    data = file.read_bytes()
    for position in range(len(data) - 32, len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        file.write_bytes(changed)
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(file)
    file.write_bytes(data.replace(b'seen\\": 3', b'seen\\": 4'))
    assert file.read_bytes() != data
    with pytest.raises(CheckpointError, match="some bytes have changed"):
        load_checkpoint(file)


def test_a_file_without_a_digest_is_read(tmp_path: Path) -> None:
    header = {"kind": "n", "version": CHECKPOINT_VERSION, "metadata": {}}
    save_file(TENSORS, tmp_path / "old", metadata={"cnncore": json.dumps(header)})
    assert load_checkpoint(tmp_path / "old").tensors.keys() == TENSORS.keys()


def test_the_previous_checkpoint_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    for seen in (1, 2):
        save_checkpoint(file, TENSORS, kind="n", metadata={"seen": seen}, keep_previous=True)
    assert read_metadata(previous_checkpoint(file))[1] == {"seen": 1}
    assert recover_checkpoint(file) is None
    file.write_bytes(b"")
    assert "going on from x.previous.safetensors" in (recover_checkpoint(file) or "")
    assert load_checkpoint(file).metadata == {"seen": 1}
    assert (tmp_path / "x.damaged.safetensors").read_bytes() == b""
    save_checkpoint(file, TENSORS, kind="n", metadata={"seen": 3}, keep_previous=True)
    assert read_metadata(previous_checkpoint(file))[1] == {"seen": 1}
    previous_checkpoint(file).write_bytes(b"")
    file.write_bytes(b"")
    assert recover_checkpoint(file) is None


def test_the_previous_checkpoint_takes_the_place_of_a_missing_one(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    assert recover_checkpoint(file) is None
    for seen in (1, 2):
        save_checkpoint(file, TENSORS, kind="n", metadata={"seen": seen}, keep_previous=True)
    file.unlink()
    said = recover_checkpoint(file) or ""
    assert said.endswith("x.safetensors is missing; going on from x.previous.safetensors")
    assert load_checkpoint(file).metadata == {"seen": 1}
    assert not (tmp_path / "x.damaged.safetensors").exists()


def test_the_info_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / "x", TENSORS, kind="network", metadata={"seen": 3})
    assert main(["info", str(tmp_path / "x")]) == 0
    text = capsys.readouterr().out
    assert "network, 2 tensors, 7 numbers" in text
    assert "seen: 3" in text and "a  (2, 3)  float32" in text
    assert main(["info", str(tmp_path / "y")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "no checkpoint at" in captured.err
