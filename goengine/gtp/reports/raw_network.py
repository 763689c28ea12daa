"""What the network says of a position before any search: the reply to `kata-raw-nn`.

Source: KataGo's docs/GTP_Extensions.md. Keys with their values, White's where they have a side.
A network that does not judge positions has the policy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from goengine.types import BLACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goengine.board import Board
    from goengine.inference.evaluation import Evaluation
    from goengine.inference.evaluator import Evaluator


def one_view(evaluator: Evaluator, board: Board, symmetry: int) -> Evaluation:
    """Return what a network says of a board that it is shown under one symmetry, 0 to 7."""
    import numpy as np

    from goengine.encoding.features import encode_batch
    from goengine.encoding.symmetry import INVERSE, move_table, transform_planes
    from goengine.inference.evaluation import Evaluation
    from goengine.inference.evaluator import mover_komi

    planes = encode_batch(board.records, planes=evaluator.backend.planes, threads=1)
    komi = np.array([mover_komi(board)], dtype=np.float32)
    seen = evaluator.evaluate_planes(transform_planes(planes, symmetry), komi=komi, symmetry="none")
    allowed = board.legal().copy()
    allowed[-1] = False
    priors = seen.priors[:, move_table(board.size)[symmetry]] * allowed
    total = priors.sum()
    priors = priors / total if total > 0 else priors
    priors[:, -1] = 0.0 if total > 0 else 1.0
    owned = seen.ownership
    if owned is not None:
        owned = transform_planes(owned, int(INVERSE[symmetry]))
    return Evaluation(priors.astype(np.float32), seen.value, seen.lead, owned, seen.spread)


def raw_text(seen: Evaluation, board: Board, symmetry: int) -> str:
    """Return one view of a board as KataGo writes it."""
    return "\n".join([f"symmetry {symmetry}", *_judgement(seen, board), *_policy(seen, board)])


def _judgement(seen: Evaluation, board: Board) -> Iterator[str]:
    """Yield the chances and the score, White's."""
    if seen.value is None or seen.lead is None or seen.spread is None:
        return
    from goengine.inference.evaluation import LOGISTIC

    sign = -1.0 if board.to_play == BLACK else 1.0
    white = sign * float(seen.value[0])
    lead = sign * float(seen.lead[0])
    deviation = LOGISTIC * float(seen.spread[0])
    yield f"whiteWin {(1 + white) / 2:.6f}"
    yield f"whiteLoss {(1 - white) / 2:.6f}"
    yield "noResult 0.000000"
    yield f"whiteLead {lead:.3f}"
    yield f"whiteScoreSelfplay {lead:.3f}"
    yield f"whiteScoreSelfplaySq {lead**2 + deviation**2:.3f}"


def _policy(seen: Evaluation, board: Board) -> Iterator[str]:
    """Yield the probabilities, `NAN` where a move is illegal, and White's ownership."""
    legal = board.legal()
    shown = [
        f"{float(prior):.6f}" if allowed else "NAN"
        for prior, allowed in zip(seen.priors[0, :-1], legal[:-1], strict=True)
    ]
    yield "policy"
    yield from rows(shown, board.size)
    yield f"policyPass {float(seen.priors[0, -1]):.6f}"
    if seen.ownership is not None:
        sign = -1.0 if board.to_play == BLACK else 1.0
        yield "whiteOwnership"
        owned = (sign * seen.ownership[0]).ravel().tolist()
        yield from rows([f"{round(value, 6) + 0.0:.6f}" for value in owned], board.size)


def rows(words: list[str], size: int) -> Iterator[str]:
    """Yield the words of all points as lines, the top row first."""
    for start in range(0, size * size, size):
        yield " ".join(words[start : start + size])
