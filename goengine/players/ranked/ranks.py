"""Ranks as people write them, 20k to 3d, and their order.

A rank's number counts from 30 kyu upwards: 1k is 29, 1d is 30. One rank is one stone of handicap.
"""

from __future__ import annotations

import re

from goengine.types import GoError

BEST = "best"
"""The engine as strong as it is, which is not a rank."""
_FIRST_DAN = 30
_WEAKEST, _STRONGEST = 20, 3
"""The weakest opponent in kyu, the strongest in dan."""
_KYU, _DAN = ("k", "kyu", "급"), ("d", "dan", "단")
_NAME = re.compile(rf"([1-9][0-9]?) ?({'|'.join([*_KYU, *_DAN])})")


def rank_name(number: int) -> str:
    """Return the name of a rank.

    >>> rank_name(22), rank_name(29), rank_name(30)
    ('8k', '1k', '1d')
    """
    if number < _FIRST_DAN:
        return f"{_FIRST_DAN - number}k"
    return f"{number - _FIRST_DAN + 1}d"


def rank_number(name: str) -> int:
    """Return the number of a rank by its name, whether there is an opponent of it or not.

    Raises:
        GoError: the text does not name a rank.
    """
    found = _NAME.fullmatch(name.strip().lower())
    if found is None:
        raise GoError(f"{name!r} is not a rank: use {RANKS[0]} to {RANKS[-1]}, or {BEST}")
    steps = int(found[1])
    return _FIRST_DAN - steps if found[2] in _KYU else _FIRST_DAN - 1 + steps


RANKS = tuple(map(rank_name, range(_FIRST_DAN - _WEAKEST, _FIRST_DAN + _STRONGEST)))
"""The ranks that there are opponents of, the weakest first."""


def parse_rank(name: str) -> str:
    """Return the rank, or BEST, that a text names: `8k`, `8 kyu`, `8급`, `1D`, `best`.

    Raises:
        GoError: there is not such an opponent.
    """
    if name.strip().lower() == BEST:
        return BEST
    found = rank_name(rank_number(name))
    if found not in RANKS:
        raise GoError(f"there is no opponent of {found}: use {RANKS[0]} to {RANKS[-1]}, or {BEST}")
    return found


def nearest_rank(name: str) -> str:
    """Return the rank nearest to one that there may be no opponent of, as `25k` or `9d`.

    Raises:
        GoError: the text does not name a rank.
    """
    number = rank_number(name)
    return rank_name(max(rank_number(RANKS[0]), min(rank_number(RANKS[-1]), number)))


def moved(name: str, steps: int) -> str:
    """Return the rank so many steps above another, or the last one there is."""
    return nearest_rank(rank_name(max(0, rank_number(name) + steps)))


def available_ranks() -> tuple[str, ...]:
    """Return what an opponent can be asked to be, the weakest rank first and BEST last."""
    return (*RANKS, BEST)
