"""What the records of an archive say about how games ended, as columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goengine.rules import get_rules
from goengine.types import GoError
from selfplay.archive.filters import result_kind
from selfplay.archive.reader import Archive

COUNTED = ("points", "draw")
"""Kinds of results that tell the margin."""

Floats = npt.NDArray[np.float32]


def result_kinds(archive: Archive) -> npt.NDArray[np.str_]:
    """Return how each game ended, one of `filters.RESULTS`, str (G,)."""
    texts, places = _results(archive)
    return np.array([result_kind(text) for text in texts])[places]


def recorded_margins(archive: Archive) -> Floats:
    """Return the recorded scores, Black minus White, komi included; NaN where none is, (G,)."""
    texts, places = _results(archive)
    return np.array([_margin(text) for text in texts], dtype=np.float32)[places]


def points_for_white(archive: Archive) -> Floats:
    """Return komi and the rules' points for handicap stones, NaN where komi is unknown, (G,).

    Under rules that nobody named, or that have another name than ours, stones give no points.
    """
    games = archive.games
    stones = np.minimum(games["handicap"], games["black_stones"]).astype(np.float32)
    bonus = np.zeros(len(games), dtype=np.float32)
    for number, name in enumerate(archive.rules):
        free = _stones_without_points(name)
        if free is not None:
            named = games["rules"] == number
            bonus[named] = np.maximum(0, stones[named] - free)
    bonus[stones < 2] = 0
    points: Floats = games["komi"] + bonus
    return points


def _results(archive: Archive) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Return the different texts of results, and for each game which of them it has."""
    texts, places = np.unique(archive.games["result"], return_inverse=True)
    return [text.decode("ascii") for text in texts.tolist()], places


def _margin(text: str) -> float:
    kind = result_kind(text)
    if kind == "draw":
        return 0.0
    try:
        points = float(text[2:]) if kind == "points" else np.nan
    except ValueError:
        return float(np.nan)
    return points if text.startswith("B") else -points


def _stones_without_points(rules: str) -> int | None:
    """Return for how many handicap stones White gets nothing, None if for all of them."""
    try:
        bonus = get_rules(rules).handicap_bonus
    except GoError:
        return None
    return {"stones": 0, "stones-1": 1}.get(bonus)
