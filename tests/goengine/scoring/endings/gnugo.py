"""GNU Go as the oracle for finished positions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from goengine.coords import gtp_to_move, move_to_gtp


def gnugo() -> str | None:
    """Return the path of GNU Go, or None where it is not installed."""
    return shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")


class GnuGo:
    """One process of GNU Go that scores finished positions."""

    def __init__(self, rules: str) -> None:
        self._process = subprocess.Popen(
            [gnugo() or "gnugo", "--mode", "gtp", f"--{rules}-rules"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate("quit\n", timeout=30)

    def ask(self, command: str) -> str:
        """Return the answer to one command."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline()).strip() or not lines:
            if not line:
                raise RuntimeError(f"GNU Go ended at {command!r}")
            lines.append(line.rstrip())
        if not lines[0].startswith("="):
            raise RuntimeError(f"GNU Go answers {lines[0]!r} to {command!r}")
        return "\n".join([lines[0][2:], *lines[1:]]).strip()

    def judge(self, position: dict[str, object], folder: Path) -> dict[str, object]:
        """Return GNU Go's score, dead stones and seki stones of a position."""
        size = int(str(position["size"]))
        placed = {"X": "", "O": ""}
        for row, line in enumerate(str(position["rows"]).split()):
            for column, what in enumerate(line):
                if what in placed:
                    placed[what] += f"[{chr(97 + column)}{chr(97 + row)}]"
        path = folder / "position.sgf"
        path.write_text(
            f"(;GM[1]FF[4]SZ[{size}]KM[{position['komi']}]AB{placed['X']}AW{placed['O']})"
        )
        self.ask(f"loadsgf {path}")
        self.ask(f"komi {position['komi']}")
        answers: dict[str, object] = {"score": self.ask("final_score")}
        for condition in ("dead", "seki"):
            listed = self.ask(f"final_status_list {condition}").split()
            answers[condition] = vertices((gtp_to_move(text, size) for text in listed), size)
        return answers


def vertices(moves: Iterable[int], size: int) -> str:
    """Return moves as text, in the order of the board."""
    return " ".join(move_to_gtp(move, size) for move in sorted(moves))
