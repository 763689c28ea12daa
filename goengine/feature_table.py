"""The one table of feature planes, from which counts, numbers and documents derive.

Source: Silver et al. 2016, Nature 529, Extended Data Table 2; docs/features.md fixes what the paper
leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One row of the table: consecutive binary planes."""

    name: str
    planes: int
    description: str
    first_value: int
    """What the first plane of a one-hot group stands for; the last also takes what is above."""


FEATURES: tuple[Feature, ...] = (
    Feature("stone colour", 3, "own stone; opponent stone; empty point", 0),
    Feature("ones", 1, "constant 1", 1),
    Feature("turns since", 8, "turns taken after the stone on the point was played", 0),
    Feature("liberties", 8, "liberties of the chain on the point", 1),
    Feature("capture size", 8, "opponent stones captured by playing here", 0),
    Feature("self-atari size", 8, "stones of the own chain that this move leaves in atari", 1),
    Feature("liberties after move", 8, "liberties of the own chain after playing here", 1),
    Feature("ladder capture", 1, "playing here captures a chain in a ladder", 1),
    Feature("ladder escape", 1, "playing here saves a chain in atari from a ladder", 1),
    Feature("sensibleness", 1, "legal and not an own true eye", 1),
    Feature("zeros", 1, "constant 0", 0),
    Feature("player colour", 1, "1 everywhere if Black is to move (value network only)", 1),
)

POLICY_PLANES = sum(feature.planes for feature in FEATURES[:-1])
VALUE_PLANES = POLICY_PLANES + FEATURES[-1].planes


def feature_slices() -> dict[str, slice]:
    """Return where each feature's planes lie, by name, in table order."""
    slices = {}
    start = 0
    for feature in FEATURES:
        slices[feature.name] = slice(start, start + feature.planes)
        start += feature.planes
    return slices


_FIRST = {name: planes.start for name, planes in feature_slices().items()}

# The first plane of each feature, under a name that kernels and tests can use.
OWN_STONE = _FIRST["stone colour"]
OPPONENT_STONE = OWN_STONE + 1
EMPTY_POINT = OWN_STONE + 2
ONES = _FIRST["ones"]
TURNS = _FIRST["turns since"]
LIBERTIES = _FIRST["liberties"]
CAPTURES = _FIRST["capture size"]
SELF_ATARI = _FIRST["self-atari size"]
LIBERTIES_AFTER = _FIRST["liberties after move"]
LADDER_CAPTURE = _FIRST["ladder capture"]
LADDER_ESCAPE = _FIRST["ladder escape"]
SENSIBLE = _FIRST["sensibleness"]
ZEROS = _FIRST["zeros"]
PLAYER_COLOUR = _FIRST["player colour"]


def plane_names() -> list[str]:
    """Return a short name for each of the 49 planes, such as `liberties 3`.

    >>> plane_names()[LIBERTIES + 2], plane_names()[SENSIBLE]
    ('liberties 3', 'sensibleness')
    """
    names = []
    for feature in FEATURES:
        for k in range(feature.planes):
            if feature.name == "stone colour":
                names.append(("own stone", "opponent stone", "empty point")[k])
            elif feature.planes == 1:
                names.append(feature.name)
            else:
                more = "+" if k == feature.planes - 1 else ""
                names.append(f"{feature.name} {feature.first_value + k}{more}")
    return names
