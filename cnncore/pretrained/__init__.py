"""The shipped models: one safetensors file and one model card (NAME.md) each."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def shipped_models() -> list[str]:
    """Return the names of the models that ship with weights, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.safetensors"))


def shipped_weights(name: str) -> Path:
    """Return the file of a shipped model.

    Raises:
        ValueError: no model ships under this name; the text has those that do.
    """
    path = _FOLDER / f"{name}.safetensors"
    if not path.is_file():
        known = ", ".join(shipped_models()) or "none"
        raise ValueError(f"no weights of {name!r} ship with this package; there are {known}")
    return path
