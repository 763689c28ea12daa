"""Who takes part in a match: our own players and external engines behind one interface.

==================================================  =============================================
text                                                entrant
==================================================  =============================================
``policy`` or ``policy:NAME[,setting=value ...]``   a network (shipped name or file), by settings
                                                    temperature, symmetry, device, precision,
                                                    threads, playouts, cleanup, resign
``random``                                          any sensible move
``gtp:COMMAND LINE``                                an engine that speaks GTP
==================================================  =============================================
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.match.external import CommandError, EngineError, GtpEngine
from goengine.options import count, not_negative, threads
from goengine.players.player import PLAYOUTS, Player, PolicyPlayer, RandomPlayer
from goengine.types import PLAY_SYMMETRY, GoError

TIME_GRACE = 10.0
"""Seconds beyond its clock after which an external engine is taken for hung."""


class EntrantError(GoError):
    """A text that describes no entrant, or a failure in the middle of a game."""


class Entrant(Protocol):
    """A player as a match sees it.

    ``parallel`` entrants answer several games at once; others play one game at a time and are
    told of every move. A failure (EngineError) loses the game.
    """

    name: str
    parallel: bool

    def start(self, board: Board, settings: TimeSettings) -> None:
        """Begin a game from an empty board."""
        ...

    def choose(self, boards: Sequence[Board], clock: Clock, rng: np.random.Generator) -> list[int]:
        """Return a move for the player to move on each board."""
        ...

    def played(self, colour: int, move: int) -> None:
        """Hear of a move that someone else made, or that the opening gave."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class OwnEntrant:
    """A Player of this package."""

    parallel = True

    def __init__(self, player: Player, *, name: str) -> None:
        self.player = player
        self.name = name

    def start(self, board: Board, settings: TimeSettings) -> None:
        """Nothing to prepare: a player sees the whole board each time."""

    def choose(self, boards: Sequence[Board], clock: Clock, rng: np.random.Generator) -> list[int]:
        """Return the player's moves."""
        return self.player.choose(boards, rng=rng)

    def played(self, colour: int, move: int) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """Nothing to end."""


class ExternalEntrant:
    """An engine behind GTP; restarted for the next game when it died or hung."""

    parallel = False

    def __init__(self, command: str, *, timeout: float, name: str | None = None) -> None:
        self.command = command
        self.timeout = timeout
        self._engine: GtpEngine | None = GtpEngine(command, timeout=timeout)
        self.name = name or self._engine.identify()

    @contextmanager
    def _running(self) -> Iterator[GtpEngine]:
        """Give the engine of the game in progress; one that fails in any way but ``?`` is ended.

        A late answer or a stray line would be taken for the answer to the next command.
        """
        if self._engine is None:
            raise EngineError("the engine was ended after a failure")
        try:
            yield self._engine
        except CommandError:
            raise
        except EngineError:
            self.close()
            raise

    def start(self, board: Board, settings: TimeSettings) -> None:
        """Set up an empty board with the game's rules, komi and time."""
        if self._engine is not None and not self._engine.alive:
            self.close()
        if self._engine is None:
            self._engine = GtpEngine(self.command, timeout=self.timeout)
        limits = (int(settings.main), int(settings.period), settings.stones)
        with self._running() as engine:
            engine.new_game(board.size, board.komi, rules=board.rules.name, time=limits)

    def choose(self, boards: Sequence[Board], clock: Clock, rng: np.random.Generator) -> list[int]:
        """Return the engine's move for the one board of its game."""
        (board,) = boards
        left = clock.left(board.to_play)
        with self._running() as engine:
            limit = None
            if left is not None:
                engine.time_left(board.to_play, left, clock.count(board.to_play))
                limit = left + clock.settings.period + TIME_GRACE
            return [engine.genmove(board.to_play, timeout=limit)]

    def played(self, colour: int, move: int) -> None:
        """Tell the engine a move."""
        with self._running() as engine:
            engine.play(colour, move)

    def close(self) -> None:
        """End the process."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _switch(text: str) -> bool:
    """Return whether a word means yes."""
    words = {"yes": True, "true": True, "on": True, "1": True}
    words |= {"no": False, "false": False, "off": False, "0": False}
    if text not in words:
        raise argparse.ArgumentTypeError(f"{text!r} is not possible: use yes or no")
    return words[text]


_READERS: dict[str, Callable[[str], Any]] = {
    "temperature": not_negative,
    "symmetry": str,
    "device": str,
    "precision": str,
    "threads": threads,
    "playouts": count,
    "cleanup": _switch,
    "resign": not_negative,
}
"""What turns the text of each setting into an argument of ``make_policy_player``."""
SETTINGS = ", ".join(_READERS)
"""The names of all settings."""


def _settings(text: str) -> dict[str, Any]:
    """Return what ``a=1,b=2`` sets.

    Raises:
        EntrantError: a part has no ``=``, an unknown name or a value that makes no sense.
    """
    found = {}
    for part in filter(None, text.split(",")):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise EntrantError(f"{part!r} is not a setting: write it as name=value")
        if key not in _READERS:
            raise EntrantError(f"unknown setting {key!r}: use {SETTINGS}")
        try:
            found[key] = _READERS[key](value)
        except argparse.ArgumentTypeError as error:
            raise EntrantError(f"{key}: {error}") from None
    return found


def make_policy_player(
    network: str = "",
    *,
    temperature: float = 0.0,
    symmetry: str = PLAY_SYMMETRY,
    device: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    playouts: int = PLAYOUTS,
    cleanup: bool | None = None,
    resign: float | None = None,
    size: int = 19,
) -> PolicyPlayer:
    """Return a player by its network, a shipped name or a file (none: the default), and settings.

    All that its moves call is compiled, or taken from the cache, and it has answered one empty
    board of ``size``, so that no clock runs while any of that happens.

    Raises:
        GoError: there is no such network, device, precision or symmetry.
    """
    from goengine.inference.evaluator import Evaluator
    from goengine.networks.policy_network import default_network, load_network
    from goengine.players.warmup import warm_board, warm_playouts

    name = network or default_network()
    evaluator = Evaluator(
        load_network(name),
        device=device,
        precision=precision,
        symmetry=symmetry,
        threads=threads,
    )
    player = PolicyPlayer(
        evaluator,
        temperature=temperature,
        playouts=playouts,
        resign=resign,
        cleanup=cleanup,
        name=Path(name).name.removesuffix(".safetensors"),
    )
    warm_board()
    warm_playouts()
    player.choose([Board(size)], rng=np.random.default_rng(0))
    return player


def _policy_entrant(text: str) -> OwnEntrant:
    """Return the entrant that ``[NAME][,setting=value ...]`` describes; no name, the default."""
    network, _, rest = text.partition(",")
    if "=" in network:
        network, rest = "", text
    player = make_policy_player(network, **_settings(rest))
    warmth = f" t={player.temperature:g}" if player.temperature else ""
    return OwnEntrant(player, name=player.name + warmth)


def make_entrant(text: str, *, timeout: float = 60.0) -> Entrant:
    """Return the entrant that a text describes (see the table above).

    Raises:
        EntrantError: the text describes none; EngineError: an engine does not start.
    """
    kind, _, rest = text.partition(":")
    if kind == "random" and not rest:
        return OwnEntrant(RandomPlayer(), name="random")
    if kind == "policy":
        return _policy_entrant(rest)
    if kind == "gtp" and rest.strip():
        return ExternalEntrant(rest, timeout=timeout)
    raise EntrantError(f"{text!r} is no entrant: use policy[:NAME], random or gtp:COMMAND LINE")
