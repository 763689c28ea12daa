"""Who takes part in a match: our own players and external engines behind one interface.

==================================================  =============================================
text                                                entrant
==================================================  =============================================
``policy`` or ``policy:NAME[,setting=value ...]``   a network (shipped name or file), by settings
                                                    temperature, symmetry, device, precision,
                                                    playouts, cleanup, resign
``random``                                          any sensible move
``gtp:COMMAND LINE``                                an engine that speaks GTP
==================================================  =============================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.external import EngineError, EngineTimeoutError, GtpEngine
from goengine.players import Player, PolicyPlayer, RandomPlayer
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

    def _running(self) -> GtpEngine:
        """Return the engine of the game in progress."""
        if self._engine is None:
            raise EngineError("the engine was ended after a failure")
        return self._engine

    def start(self, board: Board, settings: TimeSettings) -> None:
        """Set up an empty board with the game's rules, komi and time."""
        if self._engine is not None and not self._engine.alive:
            self.close()
        if self._engine is None:
            self._engine = GtpEngine(self.command, timeout=self.timeout)
        limits = (int(settings.main), int(settings.period), settings.stones)
        self._running().new_game(board.size, board.komi, rules=board.rules.name, time=limits)

    def choose(self, boards: Sequence[Board], clock: Clock, rng: np.random.Generator) -> list[int]:
        """Return the engine's move for the one board of its game."""
        (board,) = boards
        engine = self._running()
        left = clock.left(board.to_play)
        limit = None
        if left is not None:
            engine.time_left(board.to_play, left, clock.count(board.to_play))
            limit = left + clock.settings.period + TIME_GRACE
        try:
            return [engine.genmove(board.to_play, timeout=limit)]
        except EngineTimeoutError:
            self.close()
            raise

    def played(self, colour: int, move: int) -> None:
        """Tell the engine a move."""
        self._running().play(colour, move)

    def close(self) -> None:
        """End the process."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _settings(text: str) -> dict[str, str]:
    """Return ``a=1,b=2`` as a dictionary.

    Raises:
        EntrantError: a part has no ``=``.
    """
    found = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise EntrantError(f"{part!r} is not a setting: write it as name=value")
        found[key.strip()] = value.strip()
    return found


def _number(settings: dict[str, str], key: str, default: float) -> float:
    """Take a number out of the settings.

    Raises:
        EntrantError: the value is no number.
    """
    text = settings.pop(key, None)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise EntrantError(f"{key}={text} is not a number") from None


def make_policy_player(text: str = "") -> PolicyPlayer:
    """Return the PolicyPlayer that ``NAME[,setting=value ...]`` describes; no name, the default.

    Raises:
        EntrantError: an unknown setting or a value that makes no sense.
    """
    from goengine.evaluators import Evaluator
    from goengine.networks import default_network, load_network

    name, _, rest = text.partition(",")
    if "=" in name:
        name, rest = "", text
    settings = _settings(rest)
    name = name or default_network()
    temperature = _number(settings, "temperature", 0.0)
    playouts = int(_number(settings, "playouts", 200))
    resign = _number(settings, "resign", -1.0)
    cleanup = settings.pop("cleanup", None)
    evaluator_keys = ("device", "precision", "symmetry", "threads")
    given = {key: settings.pop(key) for key in evaluator_keys if key in settings}
    if settings:
        known = ("temperature", "playouts", "resign", "cleanup", *evaluator_keys)
        raise EntrantError(f"unknown setting {next(iter(settings))!r}: use {', '.join(known)}")
    evaluator = Evaluator(
        load_network(name),
        device=given.get("device"),
        precision=given.get("precision"),
        symmetry=given.get("symmetry", PLAY_SYMMETRY),
        threads=int(given["threads"]) if "threads" in given else None,
    )
    label = name.rsplit("/", 1)[-1].removesuffix(".safetensors")
    return PolicyPlayer(
        evaluator,
        temperature=temperature,
        playouts=playouts,
        resign=resign if resign >= 0 else None,
        cleanup=None if cleanup is None else cleanup in ("1", "true", "yes", "on"),
        name=label if temperature == 0 else f"{label} t={temperature:g}",
    )


def make_entrant(text: str, *, timeout: float = 60.0) -> Entrant:
    """Return the entrant that a text describes (see the table above).

    Raises:
        EntrantError: the text describes none; EngineError: an engine does not start.
    """
    kind, _, rest = text.partition(":")
    if kind == "random" and not rest:
        return OwnEntrant(RandomPlayer(), name="random")
    if kind == "policy":
        player = make_policy_player(rest)
        return OwnEntrant(player, name=player.name)
    if kind == "gtp" and rest.strip():
        return ExternalEntrant(rest, timeout=timeout)
    raise EntrantError(f"{text!r} is no entrant: use policy[:NAME], random or gtp:COMMAND LINE")
