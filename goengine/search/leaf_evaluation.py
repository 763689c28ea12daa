"""Evaluations of leaves: by the network, or remembered from an equal position.

Two positions are equal for a network when all its planes are: stones, player to move, ko, and the
ages of the stones played within the last turns. Other transpositions are not looked for.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import kernel
from goengine._kernels.planes import TURNS_LIMIT
from goengine._kernels.state import STRIDE, ZOBRIST, Records
from goengine.inference.evaluation import EvaluatorError
from goengine.inference.evaluator import Evaluator
from goengine.types import WHITE

CACHED = 20_000
"""Evaluations that are remembered: about 60 MB on 19x19."""
SETTLED = 0.9
"""Ownership from which a point counts as settled."""
OPEN_SHARE = 0.06
"""Share of points that are not settled from which a pass is not considered in earnest."""
PASS_MOST, PASS_LEAST, PASS_BACK = 0.5, 1e-4, 0.05
"""Prior of a pass: where all is settled, at the least, and at the least after the opponent's."""
_AGES = np.random.Generator(np.random.PCG64(5)).integers(
    1, 2**64, size=TURNS_LIMIT + 2, dtype=np.uint64
)


class LeafEvaluation(NamedTuple):
    """What a search takes from one evaluation, for the player to move."""

    priors: npt.NDArray[np.float32]  # (N*N + 1,) the pass among them
    value: float
    lead: float
    spread: float
    ownership: npt.NDArray[np.float32]  # (N*N,)


@kernel
def position_keys(records: Any, keys: Any) -> None:
    """Fill uint64 `keys` (B,) with one word for all that a network sees of each record."""
    for i in range(len(records)):
        rec = records[i]
        key = rec.hash
        if rec.to_play == WHITE:
            key ^= _AGES[0]
        if rec.ko:
            key ^= ZOBRIST[1, rec.ko] * np.uint64(3)
        for row in range(1, rec.size + 1):
            for point in range(row * STRIDE + 1, row * STRIDE + 1 + rec.size):
                if rec.colour[point] != 0:
                    age = rec.turn - rec.born[point] - 1
                    if age < TURNS_LIMIT:
                        key ^= ZOBRIST[rec.colour[point], point] * _AGES[age + 1]
        keys[i] = key


class LeafEvaluator:
    """A network's opinion of leaves, with a cache of exact repetitions.

    `points` is what White gets besides the board: komi and handicap bonus.

    Raises:
        EvaluatorError: the network does not judge positions, it only names moves.
    """

    def __init__(self, evaluator: Evaluator, *, points: float, remembered: int = CACHED) -> None:
        self.points = points
        self.asked = 0
        """Positions that the network was asked about."""
        self._evaluator = evaluator
        self._remembered = remembered
        self._cache: OrderedDict[int, LeafEvaluation] = OrderedDict()

    def evaluate(self, leaves: Records, *, rng: np.random.Generator) -> list[LeafEvaluation]:
        """Return what the network says of records (B,), under a random symmetry each."""
        keys = np.empty(len(leaves), dtype=np.uint64)
        position_keys(leaves, keys)
        names = [int(key) for key in keys]
        fresh = [i for i, name in enumerate(names) if name not in self._cache]
        if fresh:
            found = self.ask(leaves[fresh], symmetry="random", rng=rng)
            for i, evaluation in zip(fresh, found, strict=True):
                self._cache[names[i]] = evaluation
        answers = [self._cache[name] for name in names]
        while len(self._cache) > self._remembered:
            self._cache.popitem(last=False)
        return [
            answer._replace(priors=with_pass(answer, int(passes)))
            for answer, passes in zip(answers, leaves["passes"], strict=True)
        ]

    def ask(
        self, leaves: Records, *, symmetry: str, rng: np.random.Generator
    ) -> list[LeafEvaluation]:
        """Return what the network says of records (B,), whatever is remembered."""
        komi = np.where(leaves["to_play"] == WHITE, -self.points, self.points)
        found = self._evaluator.evaluate_records(
            leaves, komi=komi.astype(np.float32), symmetry=symmetry, rng=rng
        )
        if found.value is None or found.lead is None or found.ownership is None:
            raise EvaluatorError(
                "this network names moves and does not judge positions, so it cannot search: use "
                "a policy-value network such as dual-96, or the policy alone"
            )
        assert found.spread is not None
        self.asked += len(leaves)
        return [
            LeafEvaluation(
                found.priors[i],
                float(found.value[i]),
                float(found.lead[i]),
                float(found.spread[i]),
                found.ownership[i].ravel(),
            )
            for i in range(len(leaves))
        ]


def with_pass(answer: LeafEvaluation, passes: int) -> npt.NDArray[np.float32]:
    """Return the priors with a share for the pass, which networks of points do not name.

    The more of the board is settled, the larger; after the opponent's pass never very small.
    """
    if answer.priors[-1] == 1:
        return answer.priors
    unsettled = float((np.abs(answer.ownership) < SETTLED).mean())
    share = PASS_MOST * max(0.0, 1.0 - unsettled / OPEN_SHARE)
    share = max(share, PASS_BACK if passes else PASS_LEAST)
    priors = answer.priors * np.float32(1.0 - share)
    priors[-1] = share
    return priors
