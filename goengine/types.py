"""Colours, special moves, errors and the few settings that every other module shares."""

from __future__ import annotations

EMPTY = 0
BLACK = 1
WHITE = 2

RESIGN = -1
"""The move of a player who gives up; every other move is 0 ... N*N (N*N is a pass)."""

PLAY_SYMMETRY = "all"
"""Players average the network over all eight views of the board by default."""

MIN_SIZE = 2
MAX_SIZE = 19

_NAMES = {BLACK: "black", WHITE: "white"}
_COLOURS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


class GoError(ValueError):
    """Bad input of any kind; its text is one sentence that a user can act on."""


class IllegalMoveError(GoError):
    """A move that the rules forbid."""


def opponent(colour: int) -> int:
    """Return the other colour."""
    return BLACK + WHITE - colour


def colour_name(colour: int) -> str:
    """Return `"black"` or `"white"`."""
    return _NAMES[colour]


def colour_letter(colour: int) -> str:
    """Return `"B"` or `"W"`, as SGF and results write it."""
    return _NAMES[colour][0].upper()


def parse_colour(text: str) -> int:
    """Return the colour that `b`, `black`, `w` or `white` (any case) names.

    Raises:
        GoError: the text is not the name of a colour.
    """
    try:
        return _COLOURS[text.lower()]
    except KeyError:
        raise GoError(f"{text!r} is not a colour: use black or white") from None
