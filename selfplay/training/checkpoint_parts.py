"""A run in one flat folder, its checkpoint in parts of a size that any channel carries."""

from __future__ import annotations

from pathlib import Path

from cnncore.system import atomic
from cnncore.training.run_folder import CHECKPOINT, RunFolder

PART_BYTES = 15 * 2**20
_TRAVELS = ("metrics.jsonl", "curve.png")


def pack(folder: Path, out: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Copy a run into a flat folder, its checkpoint in parts; return the parts in order."""
    data = (folder / CHECKPOINT).read_bytes()
    parts = []
    for number, start in enumerate(range(0, len(data), part_bytes)):
        part = out / f"{CHECKPOINT}.{number:02d}"
        atomic.write_bytes(part, data[start : start + part_bytes])
        parts.append(part)
    _copy_what_travels(folder, out)
    return parts


def unpack(home: Path, folder: Path) -> None:
    """Put together in `folder` the run that `pack` left in `home`.

    Raises:
        OSError: `home` holds no parts, one in the middle is missing, or `folder` is in use.
    """
    parts = sorted(home.glob(f"{CHECKPOINT}.[0-9][0-9]"))
    if not parts:
        raise OSError(f"{home} holds no {CHECKPOINT}.00: give what a lease brought home")
    for number, part in enumerate(parts):
        if part.suffix != f".{number:02d}":
            raise OSError(f"{home} lacks {CHECKPOINT}.{number:02d}: bring every part")
    with RunFolder(folder).held():
        atomic.write_bytes(folder / CHECKPOINT, b"".join(part.read_bytes() for part in parts))
        _copy_what_travels(home, folder)


def _copy_what_travels(source: Path, target: Path) -> None:
    for name in _TRAVELS:
        if (source / name).is_file():
            atomic.write_bytes(target / name, (source / name).read_bytes())
