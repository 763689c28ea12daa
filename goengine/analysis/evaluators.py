"""Evaluators that can analyse: networks that judge positions, the best one for each board size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt

from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluation import Evaluation
from goengine.inference.evaluator import Evaluator
from goengine.inference.machine import ANY_MACHINE, Machine
from goengine.networks.files import default_judge, judges, name_of
from goengine.networks.network_config import NetworkError
from goengine.players.warmup import warm_board, warm_encoder, warm_playouts, warm_search
from goengine.types import MAX_SIZE


def judging_network(size: int = MAX_SIZE) -> str:
    """Return the name of the shipped network that says best who is ahead on boards of `size` lines.

    Raises:
        NetworkError: none is shipped.
    """
    name = default_judge(size)
    if name is None:
        raise NetworkError(
            "this installation ships no network that judges positions; name a policy-value network"
        )
    return name


def make_analysis_evaluator(
    network: str | Path | None = None,
    *,
    size: int = MAX_SIZE,
    machine: Machine = ANY_MACHINE,
) -> tuple[str, Evaluator]:
    """Return the name of a network and its evaluator; None is the best one for boards of `size`.

    All that an analysis calls is compiled, or taken from the cache.

    Raises:
        GoError: there is no such network, backend, device or precision, or the network only names
            moves.
    """
    chosen = judging_network(size) if network is None else network
    if not judges(chosen):
        raise NetworkError(
            f"the network {chosen} names moves and does not judge positions, which an analysis "
            f"needs: use a policy-value network such as {judging_network(size)}"
        )
    warm_board()  # first: where it has to be compiled, the rest is compiled beside it
    warm_encoder()  # a network's first use tries it on positions
    evaluator = make_evaluator(chosen, **asdict(machine))
    warm_playouts()
    warm_search()
    return name_of(chosen), evaluator


class EvaluatorBySize(Evaluator):
    """For each board size the evaluator of its best network, opened when it is first needed.

    `make` returns name and evaluator for a size.
    """

    def __init__(self, make: Callable[[int], tuple[str, Evaluator]]) -> None:
        self._make = make
        self.network, first = make(MAX_SIZE)
        """The network for the largest boards."""
        super().__init__(first.backend, symmetry=first.symmetry)
        self._names = {MAX_SIZE: self.network}
        self._evaluators = {self.network: first}

    def evaluate_records(self, records: npt.NDArray[Any], **options: Any) -> Evaluation:
        """Return what the network for their size says of records (B,) of one size."""
        size = int(records["size"][0]) if len(records) else MAX_SIZE
        if size not in self._names:
            name = judging_network(size)
            if name not in self._evaluators:
                _, self._evaluators[name] = self._make(size)
            self._names[size] = name
        return self._evaluators[self._names[size]].evaluate_records(records, **options)
