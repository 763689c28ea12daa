"""Who takes part in a match: our own players and external engines behind one interface.

==================================================  =============================================
text                                                entrant
==================================================  =============================================
`NAME[,setting=value ...]`                          a shipped network or a file: it reads if it
                                                    judges positions, with `visits=0` or where it
                                                    only names moves it is a `policy`
`policy[:NAME][,setting=value ...]`                 a network (shipped name or file), by settings
                                                    temperature, symmetry, backend, device,
                                                    precision, threads, playouts, cleanup, resign
`search[:NAME][,setting=value ...]`                 a network that judges and reads, by settings
                                                    visits, seconds, temperature, resign_below,
                                                    megabytes, lcb, noise, rollouts, score_utility
                                                    and those of the machine
`rank:RANK[,NAME]`                                  an opponent of a rank, `rank:8k`; `best` is the
                                                    search with one second a move; settings are
                                                    those of the machine
`random`                                            any sensible move
`gtp:COMMAND LINE`                                  an engine that speaks GTP
==================================================  =============================================
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from goengine.games.game import Game
from goengine.inference.machine import Machine
from goengine.match.external import CommandError, EngineError, GtpEngine
from goengine.match.random_player import RandomPlayer
from goengine.networks.files import judges, shipped_networks
from goengine.options import count, not_negative, number_from_0, positive, threads
from goengine.players.effort import time_budget
from goengine.players.making import (
    make_policy_player,
    make_ranked_player,
    make_search_player,
)
from goengine.players.player import NO_LIMIT, Player
from goengine.players.ranked.ranks import BEST
from goengine.players.settings import (
    POLICY_DEFAULTS,
    SEARCH_DEFAULTS,
    PolicySettings,
    SearchSettings,
)
from goengine.types import GoError

TIME_GRACE = 10.0
"""Seconds beyond its clock after which an external engine is taken for hung."""


class EntrantError(GoError):
    """A text that describes no entrant, or a failure in the middle of a game."""


class Entrant(Protocol):
    """A player as a match sees it.

    `parallel` entrants answer several games at once; others play one game at a time and are
    told of every move. `shared` ones may be asked from several threads, as those are that keep
    nothing between two moves. `lone` ones think by the clock on the wall, so that games side by
    side would only wait for each other. A failure (EngineError) loses the game.
    """

    name: str
    parallel: bool
    shared: bool
    lone: bool

    def start(self, game: Game) -> None:
        """Begin a game that has no moves yet."""
        ...

    def choose(self, games: Sequence[Game], rng: np.random.Generator) -> list[int]:
        """Return a move for the player to move in each game."""
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
        settings = player.settings
        self.shared = not settings.reads
        self.lone = settings.reads and settings.limits()[0] is None

    def start(self, game: Game) -> None:
        """Nothing to prepare: a player sees the whole game each time."""

    def choose(self, games: Sequence[Game], rng: np.random.Generator) -> list[int]:
        """Return the player's moves; alone with one game it keeps to that game's clock."""
        budget = NO_LIMIT
        if len(games) == 1:
            budget = time_budget(games[0])
        return [choice.move for choice in self.player.choose_each(games, budget, rng=rng)]

    def played(self, colour: int, move: int) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """Nothing to end."""


class ExternalEntrant:
    """An engine behind GTP; restarted for the next game when it died or hung."""

    parallel = False
    shared = False
    lone = True

    def __init__(self, command: str, *, timeout: float, name: str | None = None) -> None:
        self.command = command
        self.timeout = timeout
        self._engine: GtpEngine | None = GtpEngine(command, timeout=timeout)
        self.name = name or self._engine.identify()

    @contextmanager
    def _running(self) -> Iterator[GtpEngine]:
        """Give the engine of the game in progress; one that fails in any way but `?` is ended.

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

    def start(self, game: Game) -> None:
        """Set up an empty board with the game's rules, komi and time."""
        if self._engine is not None and not self._engine.alive:
            self.close()
        if self._engine is None:
            self._engine = GtpEngine(self.command, timeout=self.timeout)
        settings = game.clock.settings
        limits = (int(settings.main), int(settings.period), settings.stones)
        with self._running() as engine:
            engine.new_game(game.size, game.komi, rules=game.rules.name, time=limits)

    def choose(self, games: Sequence[Game], rng: np.random.Generator) -> list[int]:
        """Return the engine's move in its one game."""
        (game,) = games
        board, clock = game.board, game.clock
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
    "backend": str,
    "device": str,
    "precision": str,
    "threads": threads,
    "playouts": count,
    "cleanup": _switch,
    "resign": not_negative,
    "visits": number_from_0,
    "seconds": positive,
    "resign_below": not_negative,
    "megabytes": positive,
    "lcb": _switch,
    "noise": not_negative,
    "rollouts": not_negative,
    "score_utility": not_negative,
}
"""What turns the text of each setting into a value."""
SETTINGS = ", ".join(_READERS)
"""The names of all settings."""


def _settings(text: str) -> dict[str, Any]:
    """Return what `a=1,b=2` sets.

    Raises:
        EntrantError: a part has no `=`, an unknown name or a value that makes no sense.
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


_MACHINE = tuple(part.name for part in fields(Machine))
"""Settings that say where a network runs, not how a player plays."""


def _described(text: str, names: tuple[str, ...]) -> tuple[str, dict[str, Any], Machine]:
    """Return the network, the player's and the machine's settings in `[NAME][,setting=value ...]`.

    `names`: the settings that this kind of player has.

    Raises:
        EntrantError: a setting is unknown, makes no sense, or belongs to another kind of player.
    """
    network, _, rest = text.partition(",")
    if "=" in network:
        network, rest = "", text
    given = _settings(rest)
    machine = Machine(**{name: given.pop(name) for name in _MACHINE if name in given})
    for name in given:
        if name not in names:
            known = ", ".join(key for key in _READERS if key in names or key in _MACHINE)
            raise EntrantError(f"this player has no setting {name!r}: use {known}")
    return network, given, machine


def _search_entrant(text: str, *, clocked: bool) -> OwnEntrant:
    """Return the entrant that reads, as a text describes it; no name, the default network."""
    network, by, machine = _described(text, SEARCH_DEFAULTS.names())
    player = make_search_player(network, SearchSettings(**by), machine=machine)
    ruled = clocked and player.settings.limits()[0] is None
    return OwnEntrant(
        player, name=f"{player.name}, {'by the clock' if ruled else player.settings.brief()}"
    )


def _network_entrant(text: str, *, clocked: bool) -> OwnEntrant:
    """Return the entrant that a network is for: one that reads, or the bare network."""
    network, _, rest = text.partition(",")
    given = [part.strip() for part in rest.split(",") if part.strip()]
    bare = [part for part in given if part.replace(" ", "") == "visits=0"]
    if bare or not judges(network):
        return _policy_entrant(",".join([network, *(one for one in given if one not in bare)]))
    return _search_entrant(text, clocked=clocked)


def _ranked_entrant(text: str) -> OwnEntrant:
    """Return the opponent of a rank that `RANK[,NAME][,setting=value ...]` describes."""
    rank, _, rest = text.partition(",")
    network, _, machine = _described(rest, ())
    player = make_ranked_player(rank, network, machine=machine)
    return OwnEntrant(player, name=player.name if rank != BEST else f"{player.name} {rank}")


def _is_network(text: str) -> bool:
    """Tell whether a text begins with the name of a shipped network or of a file."""
    network = text.partition(",")[0].strip()
    return network in shipped_networks() or Path(network).is_file()


def _policy_entrant(text: str) -> OwnEntrant:
    """Return the entrant that plays by reflex, as a text describes it; no name, the default."""
    network, by, machine = _described(text, POLICY_DEFAULTS.names())
    player = make_policy_player(network, PolicySettings(**by), machine=machine)
    temperature = player.settings.temperature
    warmth = f" t={temperature:g}" if temperature else ""
    return OwnEntrant(player, name=player.name + warmth)


def _kind(text: str) -> tuple[str, str]:
    """Return the kind of entrant that a text begins with, and what follows."""
    kind, comma, settings = text.partition(",")
    if kind in ("policy", "search"):
        return kind, comma + settings
    kind, _, rest = text.partition(":")
    return kind, rest


def make_entrant(text: str, *, timeout: float = 60.0, clocked: bool = False) -> Entrant:
    """Return the entrant that a text describes (see the table above).

    `clocked`: a clock limits the games, so that no player is named by its time for a move.

    Raises:
        EntrantError: the text describes none; EngineError: an engine does not start.
    """
    kind, rest = _kind(text)
    if kind == "random" and not rest:
        return OwnEntrant(RandomPlayer(), name="random")
    if _is_network(text):
        return _network_entrant(text, clocked=clocked)
    if kind == "search":
        return _search_entrant(rest, clocked=clocked)
    if kind == "policy":
        return _policy_entrant(rest)
    if kind == "rank":
        return _ranked_entrant(rest)
    if kind == "gtp" and rest.strip():
        return ExternalEntrant(rest, timeout=timeout)
    raise EntrantError(
        f"{text!r} is not an entrant: use a network's name, search[:NAME], policy[:NAME], rank:8k, "
        "random or gtp:COMMAND LINE"
    )
