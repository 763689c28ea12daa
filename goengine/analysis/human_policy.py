"""`humanSLProfile`: what an opponent of a rank would play, from the network's own policy.

KataGo's profiles are `rank_8k`, `preaz_8k`, either with two ranks, Black's and White's, and
`proyear_1990`. Ours come from the table of ranks, so both kinds of a rank are the same; years, and
ranks stronger than ours, are the network's own policy, which learnt from strong players.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from goengine.analysis.position_analysis import Grid
from goengine.board import Board
from goengine.players.ranked.rank_table import shipped_table
from goengine.players.ranked.ranks import RANKS, nearest_rank, rank_number
from goengine.players.ranked.styles import Style, style_at
from goengine.players.ranked.weak_draw import policy_of
from goengine.types import BLACK

_PROFILE = re.compile(r"(?:rank|preaz)_([1-9][0-9]?[kd])(?:_([1-9][0-9]?[kd]))?")
OWN_HEAT = 1.0
"""Temperature of the policy of a rank that draws among the moves of a search."""


def profile_style(profile: str, board: Board) -> Style | None:
    """Return how the player to move of a profile chooses, None for the network's own policy."""
    found = _PROFILE.fullmatch(profile.strip().lower())
    if found is None:
        return None
    name = found[1] if found[2] is None or board.to_play == BLACK else found[2]
    if rank_number(name) > rank_number(RANKS[-1]):
        return None
    style = style_at(shipped_table().level(nearest_rank(name), board.size))
    return style if style.visits == 1 else replace(style, heat=OWN_HEAT)


def human_policy(profile: str, policy: Grid, board: Board) -> Grid:
    """Return (N*N + 1,) how likely a player of a profile plays each move, -1 for illegal moves.

    `policy` (N*N + 1,) is the network's own, likewise; the pass keeps its share.
    """
    style = profile_style(profile, board)
    points = np.maximum(policy[:-1], 0)
    if style is None or not points.any():
        return policy
    shares = policy_of(board, points, style) * float(points.sum())
    weaker: Grid = np.append(shares, policy[-1]).astype(np.float32)
    weaker[policy < 0] = -1
    return weaker
