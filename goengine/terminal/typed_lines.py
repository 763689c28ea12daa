"""What a person types: which command a line means, what a typo was meant to be, line editing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

HELP = """\
  D4, Q16 ...       play there (also: play D4)
  pass              pass; two passes end the game
  undo              take back your last move and the answer, or your resignation
  hint              what the search would play here, with win rate and points
  score             who is ahead, by the search; late in a game by random playouts
  weak              after a game with --rank: where it was weak on purpose
  go                let it move where it is its turn: after Ctrl+C has stopped it
  clock             the time that is left
  board             draw the board again
  save FILE.sgf     write the game to a file
  load FILE.sgf     go on with a game from a file
  resign            give up
  help or ?         this list
  Ctrl+C            stop it while it thinks; else as quit
  quit              leave without a result"""

COMMANDS = (
    "undo", "hint", "score", "weak", "go", "clock", "board", "save", "load", "resign", "help",
    "quit", "pass",
)  # fmt: skip
_SYNONYMS = {
    "?": "help", "exit": "quit", "bye": "quit", "q": "quit", "h": "help", "genmove": "go",
}  # fmt: skip
_COLOURS = ("b", "w", "black", "white")
_WITH_WORDS = ("save", "load", "help")
"""Commands that may be followed by words."""


@dataclass(frozen=True)
class Typed:
    """A line: a command with what follows it, or else a vertex."""

    command: str
    """`""` for a move."""
    rest: str
    """What follows the command; the vertex of a move."""
    extra: str = ""
    """What follows besides, where nothing may."""


def read_line(line: str) -> Typed:
    """Return what a line means; `play D4` and `play b D4` are the move D4."""
    words = line.split(maxsplit=1)
    if not words:
        return Typed("", "")
    first = words[0].lower()
    rest = words[1].strip() if len(words) > 1 else ""
    name = _SYNONYMS.get(first, first)
    if name in COMMANDS and name != "pass":
        return Typed(name, rest) if name in _WITH_WORDS else Typed(name, "", rest)
    vertex, *extra = line.split()
    if name == "play" and extra:
        vertex, *extra = extra
        if extra and vertex.lower() in _COLOURS:
            vertex, *extra = extra
    return Typed("", vertex, " ".join(extra))


def suggestion(word: str) -> str:
    """Return a question about the command that a word looks like, or `""`."""
    close = difflib.get_close_matches(word.lower(), [*COMMANDS, "play"], n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def enable_editing() -> None:
    """Let `input` edit lines and remember them, where Python has readline (not on Windows)."""
    try:
        import readline
    except ImportError:
        return
    readline.set_auto_history(True)
