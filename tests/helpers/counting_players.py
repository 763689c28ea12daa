"""A player that searches without a network: it judges by the stones that stand on the board."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine.gtp.engine import Engine
from goengine.gtp.session import SessionSettings
from goengine.inference.evaluator import Evaluator
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings
from tests.goengine.search.test_tree_search import CountingBackend


def counting_player(**settings: Any) -> SearchPlayer:
    """Return a player with a small tree; 40 visits a move unless the settings say otherwise."""
    by = SearchSettings(**{"visits": 40, "megabytes": 5.0, **settings})
    return SearchPlayer(
        Evaluator(CountingBackend()), by, rng=np.random.default_rng(1), name="counting"
    )


def counting_engine(size: int = 7, *, ponder: bool = False, **settings: Any) -> Engine:
    """Return a GTP engine with such a player, random choices repeatable."""
    return Engine(
        lambda: counting_player(**settings), SessionSettings(size=size, seed=1, ponder=ponder)
    )
