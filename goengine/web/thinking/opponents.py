"""Networks and players of a table: one evaluator for each network, shared by all who ask it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.analysis.evaluators import (
    EvaluatorBySize,
    judging_network,
    make_analysis_evaluator,
)
from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluation import Evaluation
from goengine.inference.evaluator import Evaluator
from goengine.inference.machine import ANY_MACHINE, Machine
from goengine.networks.files import judges, name_of, shipped_networks
from goengine.networks.network_config import NetworkError
from goengine.players.making import ranked_opponent
from goengine.players.player import Player
from goengine.players.policy_player import PolicyPlayer
from goengine.players.ranked.manners import ThinkingTime
from goengine.players.ranked.rank_table import shipped_table
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.ranked.styles import RankedSettings
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import HUMAN_WHILE, SearchSettings
from goengine.types import MAX_SIZE
from goengine.web.table.player_spec import PlayerSpec

STEP = 0.05
"""Seconds between two looks up while an opponent by rank seems to think."""


@dataclass(frozen=True)
class EngineOptions:
    """What the command line says of networks and searches."""

    network: str | None = None
    """None is the best one for each board size."""
    machine: Machine = ANY_MACHINE
    visits: int = 1000
    """Positions of an analysis where nobody says otherwise."""
    megabytes: float = 1000.0
    """Bound of all trees and remembered evaluations together."""
    seed: int | None = None


class WatchedEvaluator(Evaluator):
    """An evaluator that lets somebody look up before every batch.

    Whoever looks may raise an exception: a search that it breaks off stays whole.
    """

    def __init__(self, inner: Evaluator, look: Callable[[], None]) -> None:
        super().__init__(inner.backend, symmetry=inner.symmetry)
        self._inner = inner
        self._look = look

    def evaluate_records(self, records: npt.NDArray[Any], **options: Any) -> Evaluation:
        """Return what the network says of records (B,) of one size."""
        self._look()
        return self._inner.evaluate_records(records, **options)


class Opponents:
    """Evaluators and players, made when they are first asked for.

    `look` is called before every batch of a player's evaluations. `evaluator` takes the place of
    the table's own network.
    """

    def __init__(
        self,
        options: EngineOptions,
        look: Callable[[], None],
        *,
        evaluator: Evaluator | None = None,
    ) -> None:
        self._options = options
        self._look = look
        self._rng = np.random.default_rng(options.seed)
        self._evaluators: dict[str, Evaluator] = {} if evaluator is None else {"": evaluator}
        self._searchers: dict[str, SearchPlayer] = {}
        self._opponents: dict[str, RankedPlayer] = {}

    def evaluator(self, network: str = "") -> Evaluator:
        """Return what runs a network, the table's own where none is named.

        Raises:
            GoError: there is no such network.
        """
        if network not in self._evaluators:
            self._evaluators[network] = self._opened(network)
        return self._evaluators[network]

    def player(self, spec: PlayerSpec) -> Player:
        """Return the player that a description asks for.

        Raises:
            GoError: there is no such network, or no opponent of that rank.
        """
        if spec.rank is not None:
            return self._ranked(spec.rank)
        evaluator = WatchedEvaluator(self.evaluator(spec.network), self._look)
        if spec.visits == 0 or (spec.network and not judges(spec.network)):
            return PolicyPlayer(evaluator, name=spec.title)
        settings = SearchSettings(
            visits=spec.visits,
            seconds=1.0 if spec.seconds is None else spec.seconds,
            megabytes=self._options.megabytes / 2,
        )
        if spec.network not in self._searchers:
            self._searchers[spec.network] = SearchPlayer(
                evaluator, settings, rng=self._rng, name=spec.title
            )
        return self._searchers[spec.network].with_settings(settings)

    def _ranked(self, rank: str) -> RankedPlayer:
        """Return the opponent of a rank, by the network that ranks were measured with."""
        if rank not in self._opponents:
            network = shipped_table().network
            own = self._options.network is None and network == judging_network()
            least, most = HUMAN_WHILE
            one = ranked_opponent(
                WatchedEvaluator(self.evaluator("" if own else network), self._look),
                RankedSettings(rank, think_least=least, think_most=most),
                network=network,
                rng=self._rng,
            )
            one.thinking = ThinkingTime(sleep=self._wait)
            self._opponents[rank] = one
        return self._opponents[rank]

    def _wait(self, seconds: float) -> None:
        """Let time pass, and look up now and then."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._look()
            time.sleep(min(STEP, left))

    def _opened(self, network: str) -> Evaluator:
        """Return the evaluator of a network, all that it calls compiled."""
        chosen = network or self._options.network
        if chosen is None:
            return EvaluatorBySize(lambda size: self._judge(judging_network(size)))
        if judges(chosen) or not network:
            return self._judge(chosen)[1]
        return make_evaluator(chosen, symmetry="all", **asdict(self._options.machine))

    def _judge(self, network: str) -> tuple[str, Evaluator]:
        """Return name and evaluator of a network that judges positions."""
        return make_analysis_evaluator(network, machine=self._options.machine)


def network_names(options: EngineOptions) -> tuple[str, list[str]]:
    """Return the name of the table's own network, and those that a player may have.

    Raises:
        NetworkError: there is no such network, or it does not judge positions.
    """
    if options.network is None:
        return judging_network(MAX_SIZE), shipped_networks()
    if not judges(options.network):
        raise NetworkError(
            f"the network {options.network} names moves and does not judge positions: use a "
            f"policy-value network such as {judging_network(MAX_SIZE)}; players may have others"
        )
    return name_of(options.network), shipped_networks()
