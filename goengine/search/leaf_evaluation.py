"""Evaluations of leaves: by the network, or remembered from an equal position.

Two positions are equal for a network when all its planes are: stones, player to move, ko, and the
ages of the stones played within the last turns. Other transpositions are not looked for. Komi is
not among the planes, and what is kept does not depend on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import kernel, readable
from goengine._kernels.planes import TURNS_LIMIT
from goengine._kernels.state import STRIDE, ZOBRIST, Records
from goengine.inference.evaluation import Evaluation, EvaluatorError
from goengine.inference.evaluator import Evaluator, Symmetry
from goengine.search.pool import EDGES
from goengine.types import MAX_SIZE, WHITE

CACHED_MEGABYTES = 50.0
"""What remembered evaluations may take where nobody says otherwise."""
ANSWER_DTYPE = readable(
    np.dtype(
        [
            ("moves", np.int16, EDGES),  # the likeliest points, best first
            ("priors", np.float32, EDGES),
            ("ownership", np.int8, MAX_SIZE**2),  # -127 the opponent's ... 127 one's own
            ("margin", np.float32),  # points on the board before komi, for the player to move
            ("spread", np.float32),  # scale of its logistic distribution
            ("count", np.int16),  # moves that are given
        ],
        align=True,
    )
)
"""What a search keeps of one evaluation."""
LEAST_PRIOR = np.float32(1e-6)
"""Prior of a move that is allowed but of which the network thinks nothing."""
_COST = ANSWER_DTYPE.itemsize + 220
"""Bytes of a remembered evaluation with what Python needs to find it."""
_WORDS = np.random.Generator(np.random.PCG64(5)).integers(
    1, 2**64, size=TURNS_LIMIT + MAX_SIZE + 4, dtype=np.uint64
)
_AGES, _SIZES = _WORDS[: TURNS_LIMIT + 2], _WORDS[TURNS_LIMIT + 2 :]

Answers = npt.NDArray[Any]
"""ANSWER_DTYPE (B,)."""
Masks = npt.NDArray[np.bool_]


@kernel
def position_keys(records: Any, keys: Any) -> None:
    """Fill uint64 `keys` (B,) with one word for all that a network sees of each record."""
    for i in range(len(records)):
        rec = records[i]
        key = rec.hash ^ _SIZES[rec.size]
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


@kernel
def _compact(priors: Any, order: Any, ownership: Any, answers: Any) -> None:
    """Write likely moves, and ownership (B, N*N), to answers (B,).

    Of priors (B, N*N + 1) the best, which come first in the moves `order` (B, N*N).
    """
    points = order.shape[1]
    for i in range(len(answers)):
        count = 0
        for place in range(min(EDGES, points)):
            move = order[i, place]
            if priors[i, move] <= 0.0:
                break
            answers[i].moves[count] = move
            answers[i].priors[count] = priors[i, move]
            count += 1
        answers[i].count = count
        for point in range(points):
            answers[i].ownership[point] = np.int8(np.rint(127.0 * ownership[i, point]))


class LeafEvaluator:
    """A network's opinion of leaves, with a cache of exact repetitions.

    Several trees can share one, so that their leaves go through the network together.
    `megabytes` bounds what is remembered.
    """

    def __init__(self, evaluator: Evaluator, *, megabytes: float = CACHED_MEGABYTES) -> None:
        self.asked = 0
        """Evaluations that the network was asked for."""
        self._evaluator = evaluator
        self._room = max(1, int(megabytes * 1e6) // _COST)
        self._rows: dict[int, int] = {}
        self._names_of_rows: list[int] = []
        self._oldest = 0
        self._answers: Answers = np.empty(self._room, dtype=ANSWER_DTYPE)  # touched as it fills

    def __len__(self) -> int:
        """Return how many evaluations are remembered."""
        return len(self._rows)

    def forget(self) -> None:
        """Empty the cache."""
        self._rows.clear()
        self._names_of_rows.clear()
        self._oldest = 0
        self._answers = np.empty(self._room, dtype=ANSWER_DTYPE)

    def evaluate(
        self, leaves: Records, *, rng: np.random.Generator, fresh: Masks | None = None
    ) -> Answers:
        """Return answers (B,) for records (B,), each seen under a random symmetry.

        `fresh` bool (B,): leaves whose remembered evaluations do not count, None for no leaf.

        Raises:
            EvaluatorError: the network does not judge positions, it only names moves.
        """
        answers = np.zeros(len(leaves), dtype=ANSWER_DTYPE)
        names = self._names(leaves)
        asked: list[int] = []
        for i, name in enumerate(names):
            row = None if fresh is not None and fresh[i] else self._rows.get(name)
            if row is None:
                asked.append(i)
            else:
                answers[i] = self._answers[row]
        if len(asked) == len(names):
            answers = self._ask(leaves, "random", rng)
        elif asked:
            answers[asked] = self._ask(leaves[asked], "random", rng)
        for i in asked:
            self._keep(names[i], answers[i])
        return answers

    def evaluate_root(
        self, root: Records, *, symmetry: Symmetry, rng: np.random.Generator
    ) -> Answers:
        """Return the answer (1,) for one record, all eight views of it averaged where asked for.

        Raises:
            EvaluatorError: the network does not judge positions, it only names moves.
        """
        if symmetry != "all":
            return self.evaluate(root, rng=rng)
        (name,) = self._names(root)
        row = self._rows.get(-1 - name)
        if row is not None:
            return self._answers[row : row + 1].copy()
        answers = self._ask(root, "all", rng)
        self._keep(-1 - name, answers[0])
        return answers

    def evaluate_among(
        self, leaves: Records, allowed: Masks, *, symmetry: Symmetry, rng: np.random.Generator
    ) -> Answers:
        """Return answers (B,) whose moves are all among `allowed` (B, N*N + 1); none is kept.

        An allowed move of which the network thinks nothing has a very small prior, so a search
        that is restricted to it looks at it too.

        Raises:
            EvaluatorError: the network does not judge positions, it only names moves.
        """
        return self._ask(leaves, symmetry, rng, allowed)

    def evaluate_fully(
        self,
        root: Records,
        *,
        symmetry: Symmetry,
        rng: np.random.Generator,
        allowed: Masks | None = None,
    ) -> tuple[Answers, npt.NDArray[np.float32]]:
        """Return the answer (1,) for one record, and all probabilities float32 (N*N + 1,).

        `allowed` as for `evaluate_among`; it does not change the probabilities. Nothing is kept.

        Raises:
            EvaluatorError: the network does not judge positions, it only names moves.
        """
        self.asked += 1
        found = self._evaluator.evaluate_records(root, symmetry=symmetry, rng=rng)
        priors = found.priors if allowed is None else _among(found.priors, allowed)
        return _answers_of(found, priors), found.priors[0]

    def _names(self, leaves: Records) -> list[int]:
        """Return the keys of records (B,)."""
        keys = np.empty(len(leaves), dtype=np.uint64)
        position_keys(leaves, keys)
        names: list[int] = keys.tolist()
        return names

    def _keep(self, name: int, answer: Answers) -> None:
        """Remember an answer, in place of the oldest one where there is no room."""
        row = self._rows.get(name)
        if row is None:
            row = len(self._names_of_rows)
            if row < self._room:
                self._names_of_rows.append(name)
            else:
                row = self._oldest
                self._oldest = (row + 1) % self._room
                del self._rows[self._names_of_rows[row]]
                self._names_of_rows[row] = name
            self._rows[name] = row
        self._answers[row] = answer

    def _ask(
        self,
        leaves: Records,
        symmetry: Symmetry,
        rng: np.random.Generator,
        allowed: Masks | None = None,
    ) -> Answers:
        """Return what the network says of records (B,) of any sizes, whatever is remembered."""
        self.asked += len(leaves)
        sizes = leaves["size"]
        if (sizes == sizes[0]).all():
            found = self._evaluator.evaluate_records(leaves, symmetry=symmetry, rng=rng)
            return _answers_of(
                found, found.priors if allowed is None else _among(found.priors, allowed)
            )
        answers = np.zeros(len(leaves), dtype=ANSWER_DTYPE)
        for size in sorted(set(sizes.tolist())):
            places = np.flatnonzero(sizes == size)
            found = self._evaluator.evaluate_records(leaves[places], symmetry=symmetry, rng=rng)
            priors = found.priors
            if allowed is not None:
                priors = _among(priors, allowed[places])
            answers[places] = _answers_of(found, priors)
        return answers


def _among(priors: npt.NDArray[np.float32], allowed: Masks) -> npt.NDArray[np.float32]:
    """Return priors (B, N*N + 1) of the allowed moves, very small where the network has none."""
    return np.where(allowed, np.maximum(priors, LEAST_PRIOR), np.float32(0))


def _answers_of(found: Evaluation, priors: npt.NDArray[np.float32]) -> Answers:
    """Return an evaluation (B,) as answers, with these priors (B, N*N + 1)."""
    if found.lead is None or found.ownership is None or found.spread is None:
        raise EvaluatorError(
            "this network names moves and does not judge positions, so it cannot search: use "
            "a policy-value network such as dual-96, or the policy alone"
        )
    answers = np.zeros(len(priors), dtype=ANSWER_DTYPE)
    answers["margin"] = found.lead
    answers["spread"] = found.spread
    order = np.argsort(-priors[:, :-1], axis=1, kind="stable")  # numba would compile its own sort
    _compact(priors, order, found.ownership.reshape(len(priors), -1), answers)
    return answers
