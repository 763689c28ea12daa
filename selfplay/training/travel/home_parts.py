"""Runs on their way home: a few files, of a size that any channel carries, in one flat folder.

`runs.zip.00`, `.01`, ... are the parts of one zip file: of every run its checkpoint, metrics and
curve, in a folder of the run's name. Joined they are a zip file that any tool opens. Torch is not
imported here.
"""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cnncore.system import atomic
from cnncore.system.folder_lock import locked
from cnncore.weights.checkpoint_arrays import HEADER

log = logging.getLogger(__name__)

RUNS = "runs.zip"
CHECKPOINT = "checkpoint.safetensors"
"""As the folder of a run names it."""
PART_BYTES = 15 * 2**20
TRAVELS = (CHECKPOINT, "metrics.jsonl", "curve.png")
"""Files of a run that come home."""


def pack_runs(runs: Mapping[str, Path], out: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write the runs of these names that have begun into a flat folder; return the parts.

    Parts of an earlier call are replaced together, once all new ones are written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, folder in runs.items():
            for kind in TRAVELS:
                if (folder / CHECKPOINT).is_file() and (folder / kind).is_file():
                    file.write(folder / kind, f"{name}/{kind}")
    data = buffer.getbuffer()
    pieces = [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]
    parts = [out / f"{RUNS}.{number:02d}" for number in range(len(pieces))]
    written = [atomic.temporary_beside(part) for part in parts]
    try:
        for temporary, piece in zip(written, pieces, strict=True):
            temporary.write_bytes(piece)
        for temporary, part in zip(written, parts, strict=True):
            os.replace(temporary, part)
    finally:
        for temporary in written:
            temporary.unlink(missing_ok=True)
    for old in _parts(out)[len(parts) :]:
        old.unlink()
    return parts


def unpack_runs(home: Path, work: Path) -> list[str]:
    """Put the runs that `pack_runs` left in `home` into folders of `work`; return their names.

    A run that is in `work` and has learnt more, as when a lease was killed before it packed, stays.

    Raises:
        OSError: `home` holds no parts, one in the middle is missing, they are damaged, or a folder
            is in use.
    """
    parts = _parts(home)
    if not parts:
        raise OSError(f"{home} holds no {RUNS}.00: give what a lease brought home")
    for number, part in enumerate(parts):
        if part.suffix != f".{number:02d}":
            raise OSError(f"{home} lacks {RUNS}.{number:02d}: bring every part")
    try:
        with zipfile.ZipFile(io.BytesIO(b"".join(part.read_bytes() for part in parts))) as file:
            found = {PurePosixPath(name): file.read(name) for name in file.namelist()}
    except zipfile.BadZipFile as error:
        raise OSError(
            f"the parts of {RUNS} in {home} are damaged, or the last is missing ({error}): bring "
            "all of one lease"
        ) from error
    names = sorted({path.parts[0] for path in found if path.name == CHECKPOINT})
    for name in names:
        with locked(work / name) as mine:
            if not mine:
                raise OSError(
                    f"another program trains in {work / name}: wait for its end, stop it, or give "
                    "another folder"
                )
            mine_seen, seen = (
                _positions_seen(data)
                for data in (
                    _bytes(work / name / CHECKPOINT),
                    found[PurePosixPath(name, CHECKPOINT)],
                )
            )
            if mine_seen > seen:
                log.warning(
                    "%s has learnt from %s positions and stays, for %s brings only %s: take it "
                    "away if you want that one",
                    work / name,
                    f"{mine_seen:,}",
                    home,
                    f"{seen:,}",
                )
                continue
            for kind in TRAVELS:
                data = found.get(PurePosixPath(name, kind))
                if data is not None:
                    atomic.write_bytes(work / name / kind, data)
    return names


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _positions_seen(checkpoint: bytes) -> int:
    """Return how many positions a run had learnt from by its checkpoint; 0 where that is not told.

    Only the head of the safetensors file is read: eight bytes of its length, then JSON.
    """
    try:
        head = json.loads(checkpoint[8 : 8 + int.from_bytes(checkpoint[:8], "little")])
        return int(json.loads(head["__metadata__"][HEADER])["metadata"]["state"]["samples"])
    except (ValueError, KeyError, TypeError):
        return 0


def holds_runs(folder: Path) -> bool:
    """Tell whether a folder is what a lease brought home."""
    return folder.is_dir() and bool(_parts(folder))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{RUNS}.[0-9][0-9]"))
