"""Positions to look at: chosen by lot with a fixed seed, never by hand, and drawn as boards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from goengine.coords import move_to_gtp
from goengine.pictures.svg import board_svg
from goengine.types import colour_name
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import SEED
from selfplay.evaluation.held_out_answers import Answers, Contestant
from selfplay.evaluation.intervals import Mask

CONFIDENT = 0.5
"""A network that gives its first choice at least this probability is called confident."""

SHOWN = 6
"""Positions of each kind on a page."""


@dataclass(frozen=True)
class Example:
    """A drawn position and what player and networks thought of it, as HTML."""

    board: str
    """The board as SVG."""
    caption: str
    """The text below it as HTML."""


def confident_misses(answers: Answers) -> Mask:
    """Return where a network was confident of another move than the player's."""
    return (answers.better > 0) & (answers.chances[:, 0] >= CONFIDENT)


def drawn_by_lot(mask: Mask, *, count: int) -> list[int]:
    """Return up to `count` of the positions of a mask (N,), by lot, always the same."""
    rng = np.random.default_rng(SEED)
    found = np.flatnonzero(mask)
    return [int(index) for index in np.sort(rng.permutation(found)[:count])]


def example(
    archive: Archive,
    contestants: Sequence[Contestant],
    answers: Sequence[Answers],
    index: int,
    *,
    shown: int = 0,
) -> Example:
    """Return position `index` of the answers, with the choices of contestant `shown` on the board.

    The caption gives every contestant's three first choices.
    """
    first = answers[shown]
    game, ply, played = (int(a[index]) for a in (first.games, first.plies, first.moves))
    record = archive.game(game)
    board = record.board_at(ply)
    chances = dict(zip(first.top[index].tolist(), first.chances[index].tolist(), strict=True))
    marked = {move: chance for move, chance in chances.items() if chance >= 0.03}
    mover = colour_name(board.to_play)
    rank = record.black_rank if mover == "black" else record.white_rank
    source = archive.sources[int(archive.games["source"][game])]
    facts = [source, *filter(None, [rank, (record.date or "")[:4]])]
    head = f"Move {ply + 1}, {mover} to play ({', '.join(facts)})"
    rows = [
        f"<li>{escape(contestant.name)}: {_choices(mine, index, board.size)}</li>"
        for contestant, mine in zip(contestants, answers, strict=True)
    ]
    caption = (
        f"<b>{escape(head)}.</b> Played: <em>{move_to_gtp(played, board.size)}</em>"
        f"<ul>{''.join(rows)}</ul>"
    )
    title = f"{head}; {move_to_gtp(played, board.size)} was played"
    return Example(board_svg(board, chances=marked, played=played, title=escape(title)), caption)


def _choices(answers: Answers, index: int, size: int) -> str:
    """Return the three first choices, and the place of the player's move if it is behind them."""
    named = [
        f"{move_to_gtp(int(move), size)} {100 * float(chance):.0f}\u00a0%"
        for move, chance in zip(answers.top[index, :3], answers.chances[index, :3], strict=True)
    ]
    place = int(answers.better[index])
    text = ", ".join(named)
    if place < 3:
        return text
    chance = 100 * math.exp(-float(answers.losses[index]))
    return f"{text}; the move played is choice {place + 1} ({_small(chance)}\u00a0%)"


def _small(percent: float) -> str:
    return f"{percent:.1f}" if percent >= 0.05 else "under 0.1"
