"""Analysed positions on disk, a line each, so that a review goes on where it was interrupted.

The first line says what the rest belongs to: game, visits, network. A file that belongs to
something else is begun anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from cnncore.system.atomic import write_text
from goengine.analysis.position_analysis import Grid, MoveAnalysis, PositionAnalysis

FORMAT = 1
"""The version of the format, in the first line."""


class SavedAnalysis:
    """The positions of one game that are analysed already, and the file that keeps them."""

    def __init__(self, path: Path, head: Mapping[str, object]) -> None:
        self.path = path
        self._head = {"format": FORMAT, **head}
        self.positions: dict[int, PositionAnalysis] = {}
        """By turn."""
        self._stream: TextIO | None = None

    def load(self) -> None:
        """Take over what the file has for this game; a line that was cut short ends it."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        try:
            if not lines or json.loads(lines[0]) != self._head:
                return
            for line in lines[1:]:
                position = _position(json.loads(line))
                self.positions[position.turn] = position
        except (ValueError, KeyError, TypeError):
            return

    def open(self) -> None:
        """Write what is known, and keep the file open for more.

        Raises:
            OSError: the file cannot be written.
        """
        lines = [
            json.dumps(self._head),
            *(_line(self.positions[t]) for t in sorted(self.positions)),
        ]
        write_text(self.path, "".join(f"{line}\n" for line in lines))
        self._stream = self.path.open("a", encoding="utf-8")

    def add(self, position: PositionAnalysis) -> None:
        """Keep a position, on disk at once."""
        assert self._stream is not None
        self.positions[position.turn] = position
        self._stream.write(_line(position) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _line(position: PositionAnalysis) -> str:
    """Return a position as a line, its end left out."""
    fields = {name: value for name, value in asdict(position).items() if value is not None}
    return json.dumps(fields, default=_rounded)


def _rounded(value: object) -> object:
    """Return an array as a list of short numbers.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, np.ndarray):
        return [round(float(number), 3) for number in value.ravel()]
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _position(fields: dict[str, Any]) -> PositionAnalysis:
    """Return a position from its line."""
    size = int(fields["size"])
    fields["moves"] = tuple(_move(move, size) for move in fields["moves"])
    for name in ("ownership", "ownership_deviation"):
        fields[name] = _grid(fields.get(name), size)
    return PositionAnalysis(**fields)


def _move(fields: dict[str, Any], size: int) -> MoveAnalysis:
    """Return a move from its fields."""
    fields["pv"], fields["pv_visits"] = tuple(fields["pv"]), tuple(fields["pv_visits"])
    for name in ("ownership", "ownership_deviation"):
        fields[name] = _grid(fields.get(name), size)
    return MoveAnalysis(**fields)


def _grid(numbers: list[float] | None, size: int) -> Grid | None:
    """Return a list as (N, N)."""
    return None if numbers is None else np.array(numbers, dtype=np.float32).reshape(size, size)
