"""What importing loads: the board side without torch, the front doors without anything heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a new interpreter and name the top-level modules that it loaded."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import goengine",
        "from goengine import Board, GameRecord, encode, read_sgf; encode(Board(9))",
        "from goengine.encoding.symmetry import move_table; move_table(9)",
    ],
)
def test_the_board_side_never_loads_torch(statement: str) -> None:
    assert "torch" not in loaded_by(statement)


def test_importing_the_engine_is_cheap() -> None:
    assert not {"torch", "numba"} & loaded_by("import goengine")


def test_the_core_knows_nothing_about_go() -> None:
    assert not {"goengine", "selfplay", "numba"} & loaded_by("import cnncore")
