"""Positions to priors, value, lead and ownership: the one place where a network is run.

An Evaluator encodes a batch of positions, runs a backend under no, one random or all eight
symmetries, and turns the raw outputs into what the game knows: probabilities over the sensible
moves, and win chance and lead with the komi of the player to move. Legal and sensible moves come
from the planes themselves (plane "sensibleness"); what superko forbids besides, only boards know.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from goengine._kernels.state import Records
from goengine.board import Board, joined
from goengine.encoding.eight_views import eight_views, turn_back
from goengine.encoding.features import encode_batch
from goengine.encoding.symmetry import SYMMETRIES, move_table, transform_planes
from goengine.feature_table import SENSIBLE
from goengine.inference.backends.backend import Backend, Floats, Planes, RawOutputs
from goengine.inference.evaluation import Evaluation, EvaluatorError
from goengine.inference.priors import Priors, mean_of_views, softmax
from goengine.scoring.counting import points_given
from goengine.types import WHITE

Symmetry = Literal["none", "random", "all"]
Masks = npt.NDArray[np.bool_]
Question = tuple[Planes, Callable[[RawOutputs], Evaluation]]
"""What a backend is asked, and what becomes of its answer."""
PIECE = 128
"""Positions that an accelerator gets at once: it computes them while the next are encoded."""
IN_FLIGHT = 2
"""Pieces that an accelerator has to do at the same time, so that it never waits for one."""


class Evaluator:
    """A network's opinion of positions.

    `backend` computes the network. `symmetry` is what `evaluate` uses unless it is told otherwise.
    Of all eight views, a forgetful network gets the mirrored ones without the last moves.

    Raises:
        EvaluatorError: the symmetry is unknown.
    """

    def __init__(self, backend: Backend, *, symmetry: str = "none") -> None:
        self.backend = backend
        self.symmetry = _known(symmetry)

    def evaluate(
        self,
        boards: Iterable[Board],
        *,
        symmetry: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> Evaluation:
        """Return what the network says of boards of one size, superko and komi considered.

        `rng` picks the symmetries of mode `random` and is needed only there.

        Raises:
            EvaluatorError: mode random without an rng, an unknown mode, or boards of several sizes.
        """
        boards = list(boards)
        if not boards:
            return Evaluation(np.zeros((0, 0), dtype=np.float32))
        records = joined([board.records for board in boards])
        komi = np.array([mover_komi(board) for board in boards], dtype=np.float32)
        repeats = [board.rules.ko != "simple" for board in boards]
        allowed = None
        if any(repeats) and len({board.size for board in boards}) == 1:
            allowed = np.stack([board.legal()[:-1] for board in boards])
        return self.evaluate_records(
            records, komi=komi, allowed=allowed, symmetry=symmetry, rng=rng
        )

    def evaluate_records(
        self,
        records: Records,
        *,
        komi: Floats | None = None,
        allowed: Masks | None = None,
        symmetry: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> Evaluation:
        """Return what the network says of a BOARD_DTYPE array of one board size.

        `komi` float32 (B,): points that the player to move gives, 0 where it is not given.
        `allowed` bool (B, N*N): moves to keep among the sensible ones; None keeps all.

        Raises:
            EvaluatorError: as for `evaluate`.
        """
        if len(records) == 0:
            return Evaluation(np.zeros((0, 0), dtype=np.float32))
        if (records["size"] != records["size"][0]).any():
            raise EvaluatorError("the boards of one batch must have one size: group them by size")
        mode = self.symmetry if symmetry is None else _known(symmetry)

        def questions() -> Iterator[Question]:
            for part in self._chunks(len(records), mode):
                planes = encode_batch(
                    records[part], planes=self.backend.planes, threads=self.backend.threads
                )
                masks = planes[:, SENSIBLE].reshape(len(planes), -1) != 0
                if allowed is not None:
                    masks &= allowed[part]
                yield self._question(planes, masks, None if komi is None else komi[part], mode, rng)

        return _joined(list(self._answers(questions())))

    def evaluate_planes(
        self, planes: Planes, *, komi: Floats | None = None, symmetry: str | None = None
    ) -> Evaluation:
        """Return what the network says of uint8 planes (B, P, N, N), over all points of the board.

        So probabilities of moves that are not sensible, which human players make too, can be
        measured. `komi` and `symmetry`, none or all, as for `evaluate_records`.

        Raises:
            EvaluatorError: an unknown mode, or mode random.
        """
        mode = self.symmetry if symmetry is None else _known(symmetry)
        masks = np.ones((len(planes), planes.shape[-1] ** 2), dtype=np.bool_)
        return _joined(
            list(
                self._answers(
                    self._question(
                        planes[part], masks[part], None if komi is None else komi[part], mode, None
                    )
                    for part in self._chunks(len(planes), mode)
                )
            )
        )

    def _chunks(self, count: int, mode: Symmetry) -> Iterator[slice]:
        """Yield parts of a batch that the backend takes at once."""
        most = self.backend.chunk if self.backend.device == "cpu" else PIECE
        chunk = max(1, min(most, self.backend.chunk) // (SYMMETRIES if mode == "all" else 1))
        for start in range(0, count, chunk):
            yield slice(start, min(start + chunk, count))

    def _answers(self, questions: Iterable[Question]) -> Iterator[Evaluation]:
        """Yield what the network says of each question.

        An accelerator computes while this thread encodes the next ones and counts the last.
        """
        if self.backend.device == "cpu":
            for planes, understood in questions:
                yield understood(self.backend.run(planes))
            return
        running: deque[tuple[Future[RawOutputs], Callable[[RawOutputs], Evaluation]]] = deque()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for planes, understood in questions:
                running.append((pool.submit(self.backend.run, planes), understood))
                if len(running) > IN_FLIGHT:
                    answer, told = running.popleft()
                    yield told(answer.result())
            while running:
                answer, told = running.popleft()
                yield told(answer.result())

    def _question(
        self,
        planes: Planes,
        masks: Masks,
        komi: Floats | None,
        mode: Symmetry,
        rng: np.random.Generator | None,
    ) -> Question:
        """Return planes under a symmetry, and what puts outputs into the terms of the game."""
        if mode == "none":
            return planes, lambda outputs: _in_terms_of_the_game(
                outputs, softmax(outputs.logits, masks), komi
            )
        if mode == "all":
            views = eight_views(planes, forgetful=self.backend.forgetful)
            return views.reshape(-1, *planes.shape[1:]), lambda outputs: self._all_views(
                outputs, masks, komi
            )
        if rng is None:
            raise EvaluatorError("symmetry 'random' needs an rng: pass a numpy Generator")
        picks = rng.integers(0, SYMMETRIES, size=len(planes))
        table = move_table(planes.shape[-1])[picks, :-1].astype(np.int64)

        def turn_all_back(outputs: RawOutputs) -> Evaluation:
            straight = RawOutputs(
                np.take_along_axis(outputs.logits, table, axis=1),
                outputs.margin,
                outputs.spread,
                None if outputs.ownership is None else _put_back(outputs.ownership, table),
            )
            return _in_terms_of_the_game(straight, softmax(straight.logits, masks), komi)

        turned = np.empty_like(planes)
        for pick in np.unique(picks):
            turned[picks == pick] = transform_planes(planes[picks == pick], int(pick))
        return turned, turn_all_back

    def _all_views(self, outputs: RawOutputs, masks: Masks, komi: Floats | None) -> Evaluation:
        """Average what the network says of all eight views of B positions."""
        forgetful = self.backend.forgetful
        batch, size = len(masks), round(masks.shape[1] ** 0.5)
        answers = turn_back(outputs.logits.reshape(SYMMETRIES, batch, -1))
        priors = np.stack([softmax(view, masks) for view in answers])
        together = mean_of_views(priors, forgetful=forgetful)
        if outputs.margin is None or outputs.spread is None or outputs.ownership is None:
            return _in_terms_of_the_game(RawOutputs(outputs.logits), together, komi)
        owned = turn_back(outputs.ownership.reshape(SYMMETRIES, batch, -1)).mean(axis=0)
        mean = RawOutputs(
            outputs.logits,
            outputs.margin.reshape(SYMMETRIES, batch).mean(axis=0),
            outputs.spread.reshape(SYMMETRIES, batch).mean(axis=0),
            owned.reshape(batch, size, size),
        )
        return _in_terms_of_the_game(mean, together, komi)


def mover_komi(board: Board) -> float:
    """Return the points that the player to move gives: komi and what the rules add to it."""
    points = points_given(board)
    return -points if board.to_play == WHITE else points


def _known(symmetry: str) -> Symmetry:
    """Return a symmetry mode by its name."""
    for mode in get_args(Symmetry):
        if symmetry == mode:
            found: Symmetry = mode
            return found
    raise EvaluatorError(f"{symmetry!r} is not a symmetry mode: use none, random or all")


def _put_back(grids: Floats, table: npt.NDArray[np.int64]) -> Floats:
    """Return grids (B, N, N) of turned positions with each point where it was."""
    flat = grids.reshape(len(grids), -1)
    back: Floats = np.take_along_axis(flat, table, axis=1).reshape(grids.shape)
    return back


def _in_terms_of_the_game(outputs: RawOutputs, points: Priors, komi: Floats | None) -> Evaluation:
    """Return an evaluation of raw outputs and probabilities (B, N*N), a pass added to them."""
    passes = 1 - points.any(axis=1, keepdims=True).astype(np.float32)
    priors = np.concatenate([points, passes], axis=1)
    if outputs.margin is None or outputs.spread is None:
        return Evaluation(priors)
    lead = outputs.margin if komi is None else outputs.margin - komi
    value = np.tanh(lead / outputs.spread / 2)
    return Evaluation(priors, value, lead, outputs.ownership, outputs.spread)


def _joined(parts: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluations of one or more chunks as one."""
    if len(parts) == 1:
        return parts[0]

    def whole(arrays: list[Floats | None]) -> Floats | None:
        present = [array for array in arrays if array is not None]
        return np.concatenate(present) if present else None

    return Evaluation(
        np.concatenate([part.priors for part in parts]),
        whole([part.value for part in parts]),
        whole([part.lead for part in parts]),
        whole([part.ownership for part in parts]),
        whole([part.spread for part in parts]),
    )
