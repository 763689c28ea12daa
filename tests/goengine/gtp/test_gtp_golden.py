"""Whole conversations, byte for byte: tests/golden/gtp/*.gtp and tests/golden/search/*.gtp.

A line that starts with ``> `` is sent (without that mark); what follows up to the next one is the
exact answer. In `gtp` the player is the one that plays near the centre, in `search` one that reads
40 visits and judges by stones. Run as a script (``PYTHONPATH=. python
tests/goengine/gtp/test_gtp_golden.py``) it rewrites the answers; read the difference before
committing it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from goengine.gtp.engine import Engine
from tests.helpers.counting_players import counting_engine
from tests.helpers.stub_players import make_engine

FOLDER = Path(__file__).parents[2] / "golden"
TRANSCRIPTS = sorted(FOLDER.glob("*/*.gtp"))


def engine_for(path: Path) -> Engine:
    """Return the engine of a folder's transcripts."""
    return make_engine() if path.parent.name == "gtp" else counting_engine(size=5)


def replay(path: Path) -> str:
    """Return a transcript with the answers that an engine gives now."""
    engine = engine_for(path)
    pieces = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("> ") or line == ">":
            pieces.append(f"{line}\n{engine.answer(line[2:])}")
    return "".join(pieces)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_transcript(path: Path) -> None:
    assert replay(path) == path.read_text(encoding="utf-8")


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 11


if __name__ == "__main__":
    for transcript in TRANSCRIPTS:
        transcript.write_text(replay(transcript), encoding="utf-8")
