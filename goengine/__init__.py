"""An AlphaGo-style Go engine: rules, feature planes, policy network, GTP.

Names are loaded at first use, so that `import goengine` costs nothing and a GTP engine can answer
`name` before numba or torch are there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from goengine.types import BLACK, EMPTY, RESIGN, WHITE, GoError, IllegalMoveError, opponent

if TYPE_CHECKING:
    from goengine.analysis.whole_games import analyse
    from goengine.board import Board
    from goengine.encoding.features import encode, encode_batch
    from goengine.games.record import GameRecord
    from goengine.games.sgf import SgfError, read_sgf, write_sgf
    from goengine.inference.choosing import make_evaluator
    from goengine.networks.files import load_network
    from goengine.rules import RULES, Rules, get_rules

_HOMES = {
    "Board": "goengine.board",
    "GameRecord": "goengine.games.record",
    "RULES": "goengine.rules",
    "Rules": "goengine.rules",
    "SgfError": "goengine.games.sgf",
    "analyse": "goengine.analysis.whole_games",
    "encode": "goengine.encoding.features",
    "encode_batch": "goengine.encoding.features",
    "get_rules": "goengine.rules",
    "load_network": "goengine.networks.files",
    "make_evaluator": "goengine.inference.choosing",
    "read_sgf": "goengine.games.sgf",
    "write_sgf": "goengine.games.sgf",
}

__all__ = [
    "BLACK",
    "EMPTY",
    "RESIGN",
    "RULES",
    "WHITE",
    "Board",
    "GameRecord",
    "GoError",
    "IllegalMoveError",
    "Rules",
    "SgfError",
    "analyse",
    "encode",
    "encode_batch",
    "get_rules",
    "load_network",
    "make_evaluator",
    "opponent",
    "read_sgf",
    "write_sgf",
]


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'goengine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
