"""Whole conversations, byte for byte: tests/golden/gtp/*.gtp.

A line that starts with ``> `` is sent (without that mark); what follows up to the next one is the
exact answer. The player is the one of gtp_player.py. Run as a
script (``PYTHONPATH=. python tests/test_gtp_golden.py``) it rewrites the answers; read the
difference before committing it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.stub_players import make_engine

FOLDER = Path(__file__).parents[2] / "golden" / "gtp"
TRANSCRIPTS = sorted(FOLDER.glob("*.gtp"))


def replay(text: str) -> str:
    """Return a transcript with the answers that an engine gives now."""
    engine = make_engine()
    pieces = []
    for line in text.split("\n"):
        if line.startswith("> ") or line == ">":
            pieces.append(f"{line}\n{engine.answer(line[2:])}")
    return "".join(pieces)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert replay(text) == text


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 8


if __name__ == "__main__":
    for transcript in TRANSCRIPTS:
        transcript.write_text(replay(transcript.read_text(encoding="utf-8")), encoding="utf-8")
