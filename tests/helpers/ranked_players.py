"""An opponent by rank without a network: it judges by the stones that stand on the board."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine.inference.evaluator import Evaluator
from goengine.players.making import ranked_opponent
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.ranked.styles import RankedSettings, Style
from tests.goengine.search.test_tree_search import CountingBackend


def counting_opponent(**settings: Any) -> RankedPlayer:
    """Return an opponent that answers at once, by a hot style unless the settings say otherwise."""
    return ranked_opponent(
        Evaluator(CountingBackend()),
        RankedSettings(**{"style": Style(heat=1.0, most_lost=99.0), **settings}),
        network="counting",
        rng=np.random.default_rng(1),
        megabytes=5.0,
    )
