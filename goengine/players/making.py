"""Players made ready to move: network, evaluator, settings, and everything compiled."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

import numpy as np

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.inference.machine import ANY_MACHINE, Machine
from goengine.networks.files import default_judge, default_network, judges, name_of
from goengine.networks.network_config import NetworkError
from goengine.players.player import Budget, Player
from goengine.players.policy_player import PolicyPlayer
from goengine.players.ranked.rank_table import shipped_table
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.ranked.ranks import BEST, parse_rank
from goengine.players.ranked.styles import RankedSettings
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import (
    POLICY_DEFAULTS,
    SEARCH_DEFAULTS,
    PolicySettings,
    SearchSettings,
)

log = logging.getLogger(__name__)

RANKED_MEGABYTES = 200.0
"""Bound of the memory of an opponent by rank, whose search is short; hints use it too."""


def evaluator_of(player: Player) -> Evaluator | None:
    """Return what runs a player's network, None for a player without one."""
    if isinstance(player, (SearchPlayer, PolicyPlayer, RankedPlayer)):
        found = player.evaluator
        if isinstance(found, Evaluator):
            return found
    return None


def make_policy_player(
    network: str = "",
    settings: PolicySettings = POLICY_DEFAULTS,
    *,
    machine: Machine = ANY_MACHINE,
    size: int = 19,
) -> PolicyPlayer:
    """Return a player by its network, a shipped name or a file (none: the default), and settings.

    All that its moves call is compiled, or taken from the cache, and it has answered one empty
    board of `size`, so that no clock runs while any of that happens.

    Raises:
        GoError: there is no such network, backend, device, precision or symmetry.
    """
    name, evaluator = _evaluator(network, machine, settings.symmetry, size)
    player = PolicyPlayer(evaluator, settings, name=name)
    player.choose(Game(size), rng=np.random.default_rng(0))
    return player


def make_search_player(
    network: str = "",
    settings: SearchSettings = SEARCH_DEFAULTS,
    *,
    machine: Machine = ANY_MACHINE,
    seed: int | None = None,
    size: int = 19,
) -> SearchPlayer:
    """Return a player that reads, by its network and settings, ready to move.

    Without a network's name it is the one that searches best on boards of `size` lines.

    Raises:
        GoError: as for `make_policy_player`, or the network does not judge positions.
    """
    from goengine.players.warmup import warm_search

    chosen = network or default_judge(size) or ""
    name, evaluator = _evaluator(chosen, machine, "random", size)
    warm_search()
    rng = np.random.default_rng(seed)
    player = SearchPlayer(evaluator, settings, rng=rng, name=name)
    player.choose(Game(size), Budget(visits=4), rng=np.random.default_rng(0))
    return player


def make_player(
    network: str = "",
    *,
    search: SearchSettings | None = SEARCH_DEFAULTS,
    policy: PolicySettings = POLICY_DEFAULTS,
    machine: Machine = ANY_MACHINE,
    seed: int | None = None,
    size: int = 19,
) -> PolicyPlayer | SearchPlayer:
    """Return the player that a network is for: one that reads, if the network judges positions.

    Without a network's name it is the one that searches best on boards of `size` lines. Without
    settings of a search, or where the network only names moves, it is the bare network, by
    `policy`; the log says so.

    Raises:
        GoError: there is no such network, backend, device, precision or symmetry.
    """
    if search is not None:
        chosen = network or default_judge(size) or ""
        if chosen and judges(chosen):
            return make_search_player(
                chosen,
                search,
                machine=machine,
                seed=seed,
                size=size,
            )
        log.warning(
            "%s only names moves and does not judge positions, so it plays without search",
            chosen or "this network",
        )
    return make_policy_player(
        network,
        policy,
        machine=machine,
        size=size,
    )


def make_ranked_player(
    rank: str,
    network: str = "",
    *,
    think: tuple[float, float] = (0.0, 0.0),
    resigns: bool = True,
    best: SearchSettings = SEARCH_DEFAULTS,
    megabytes: float = SEARCH_DEFAULTS.megabytes,
    machine: Machine = ANY_MACHINE,
    seed: int | None = None,
    size: int = 19,
) -> RankedPlayer | SearchPlayer:
    """Return an opponent of a rank, ready to move; `best` is the engine as strong as it is.

    Without a network's name it is the one that the ranks were measured with. `think`: seconds that
    a move seems to take at the least and at the most. `best`: how that one reads, but for
    `megabytes`.

    Raises:
        GoError: there is no such rank, network, backend, device or precision, or the network only
            names moves.
    """
    name = parse_rank(rank)
    measured = shipped_table().network
    if network and not judges(network):
        raise NetworkError(
            f"the network {network} names moves and does not judge positions, which is too weak "
            f"for an opponent of any rank: use {measured} or another one that judges"
        )
    if name == BEST:
        return make_search_player(
            network,
            replace(best, megabytes=megabytes),
            machine=machine,
            seed=seed,
            size=size,
        )
    if network and name_of(network) != measured:
        log.warning(
            "ranks were measured with %s: how strong %s is with another network is not known",
            measured,
            name,
        )
    reader = make_search_player(
        network or measured,
        SearchSettings(visits=1, megabytes=min(megabytes, RANKED_MEGABYTES)),
        machine=machine,
        seed=seed,
        size=size,
    )
    settings = RankedSettings(rank=name, think_least=think[0], think_most=think[1], resigns=resigns)
    return RankedPlayer(reader, settings, network=reader.name)


def ranked_opponent(
    evaluator: Evaluator,
    settings: RankedSettings,
    *,
    network: str,
    rng: np.random.Generator,
    megabytes: float = RANKED_MEGABYTES,
) -> RankedPlayer:
    """Return an opponent by rank with a tree of its own; `network` is what its evaluator runs."""
    by = SearchSettings(visits=1, megabytes=megabytes)
    return RankedPlayer(SearchPlayer(evaluator, by, rng=rng), settings, network=network)


def _evaluator(network: str, machine: Machine, symmetry: str, size: int) -> tuple[str, Evaluator]:
    """Return a network's name and its evaluator, and have what every player calls compiled.

    It has seen an empty board of `size`: its network is opened before others are waited for.
    """
    from goengine.inference.choosing import make_evaluator
    from goengine.players.warmup import warm_board, warm_encoder, warm_playouts

    warm_board()  # first: where it has to be compiled, the rest is compiled beside it
    warm_encoder()  # a network's first use tries it on positions
    chosen = network or default_network()
    evaluator = make_evaluator(chosen, symmetry=symmetry, **asdict(machine))
    evaluator.evaluate([Board(size)], symmetry="none")
    warm_playouts()
    return name_of(chosen), evaluator
