"""What a network sees of a position, plane by plane, and what it answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.encoding.features import encode
from goengine.feature_table import FEATURES, POLICY_PLANES, feature_slices, plane_names
from goengine.inference.evaluator import Evaluator
from goengine.types import BLACK

TOP = 10
"""Moves that are named besides all probabilities."""


def network_view(board: Board, evaluator: Evaluator) -> dict[str, Any]:
    """Return the 48 planes of a position and the network's answer, as the page reads them.

    Win rate, lead and ownership are Black's; the planes are those of the player to move.
    """
    size = board.size
    planes = encode(board).reshape(-1, size * size)
    names = plane_names()
    groups = []
    for feature in FEATURES:
        part = feature_slices()[feature.name]
        if part.stop > POLICY_PLANES:
            continue
        groups.append(
            {
                "name": feature.name,
                "title": feature.name,
                "text": feature.description,
                "first": feature.first_value,
                "planes": [
                    {
                        "index": index,
                        "title": names[index],
                        "text": feature.description,
                        "bits": (planes[index] != 0).astype(int).tolist(),
                    }
                    for index in range(part.start, part.stop)
                ],
            }
        )
    return {"event": "planes", "size": size, "groups": groups, "answer": _answer(board, evaluator)}


def _answer(board: Board, evaluator: Evaluator) -> dict[str, Any]:
    """Return what a network says of a position, seen from all eight sides."""
    found = evaluator.evaluate([board], symmetry="all")
    priors = found.priors[0].astype(float)
    best = [int(move) for move in np.argsort(-priors)[:TOP] if priors[move] > 0]
    said: dict[str, Any] = {
        "policy": priors.round(5).tolist(),
        "top": [
            {"move": move_to_gtp(move, board.size), "prior": round(float(priors[move]), 5)}
            for move in best
        ],
        "winrate": None,
        "lead": None,
        "ownership": None,
    }
    sign = 1.0 if board.to_play == BLACK else -1.0
    if found.value is not None:
        said["winrate"] = round(0.5 + 0.5 * sign * float(found.value[0]), 4)
    if found.lead is not None:
        said["lead"] = round(sign * float(found.lead[0]), 3)
    if found.ownership is not None:
        said["ownership"] = (sign * found.ownership[0].ravel().astype(float)).round(3).tolist()
    return said
