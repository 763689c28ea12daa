"""Which share of the batches each archive, board size and source gets."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cnncore.data.samples import DataError
from selfplay.archive.reader import Archive
from selfplay.batches.labels import Labels
from selfplay.batches.positions import Positions
from selfplay.batches.size_mix import SizeMix
from selfplay.recipes import Recipe

log = logging.getLogger(__name__)

Shares = dict[tuple[int, int], dict[str, float]]
"""By number of the archive and board size, the share of each source; "" stands for all of them."""


def positions_of(recipe: Recipe, labels: Sequence[Labels], shares: Shares, split: str) -> SizeMix:
    """Return the positions of a split that a recipe of a policy-value network wants.

    On a frozen trunk only games that teach a value are drawn.

    Raises:
        DataError: there are none.
    """
    mix: dict[Positions, float] = {}
    for (number, size), sources in shares.items():
        mine = labels[number]
        try:
            positions = Positions(
                mine.archive,
                split,
                weights=None if "" in sources else sources,
                future=recipe.further_moves,
                size=size,
                only=mine.teaches if recipe.freeze == "trunk" else None,
                moveless=_of_sources(mine.archive, recipe.outcome_only),
            )
        except DataError:
            continue  # this split of a small archive may lack a size
        mix[positions] = sum(sources.values())
    if not mix:
        what = "games that teach a value" if recipe.freeze == "trunk" else "games"
        names = ", ".join(str(each.archive.path) for each in labels)
        raise DataError(
            f"no {split} {what} of the recipe's sources and sizes in {names}: ingest more games, "
            "or give other sources"
        )
    return SizeMix(mix)


def archive_shares(recipe: Recipe, labels: Sequence[Labels]) -> Shares:
    """Return the shares of a recipe; a source that no archive has is left out with a warning.

    A source's share is divided among archives and board sizes by their moves; `recipe.sizes` then
    says how much each size gets. Of a size that it names and no named source has, all positions
    are alike: small boards are not in the collections that recipes name.
    """
    moves = [_moves(each.archive) for each in labels]
    present = {source for table in moves for _, source in table}
    named = {source: share for source, share in recipe.sources.items() if share > 0}
    missing = sorted(set(named) - present)
    if missing:
        log.warning("no games of these sources of the recipe: %s", ", ".join(missing))
    wanted = {source: share for source, share in named.items() if source in present}
    if named and not wanted:
        log.warning("so all positions are drawn alike; --set sources={...} names others")
    covered = {size for table in moves for size, source in table if source in wanted}
    alike = {int(size) for size in recipe.sizes if size.isdigit()} - covered
    shares: Shares = {}
    for number, table in enumerate(moves):
        for (size, source), count in table.items():
            entry = shares.setdefault((number, size), {})
            if not wanted or size in alike:
                entry[""] = entry.get("", 0.0) + count
            elif source in wanted:
                total = sum(other.get((z, source), 0.0) for other in moves for z in _sizes(moves))
                entry[source] = wanted[source] * count / total
    found = _by_size({key: entry for key, entry in shares.items() if entry}, recipe.sizes)
    for number, each in enumerate(labels):
        if all(number != other for other, _ in found):
            log.warning(
                "nothing is learnt from %s: the recipe's sources and sizes leave it out",
                each.archive.path,
            )
    return found


def _by_size(shares: Shares, sizes: Mapping[str, float]) -> Shares:
    """Return shares of which each board size gets what the recipe says."""
    if not sizes:
        return shares
    there = {str(size) for _, size in shares}
    missing = sorted(set(sizes) - there)
    if missing:
        log.warning("no games on boards of these sizes of the recipe: %s", ", ".join(missing))
    scaled: Shares = {}
    for (number, size), entry in shares.items():
        total = sum(sum(e.values()) for (_, other), e in shares.items() if other == size)
        share = sizes.get(str(size), 0.0) / total
        if share > 0:
            scaled[number, size] = {source: share * value for source, value in entry.items()}
    return scaled


def _of_sources(archive: Archive, names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return which games of an archive are of some sources, bool (G,)."""
    chosen = [number for number, name in enumerate(archive.sources) if name in names]
    return np.isin(archive.games["source"], chosen)


def _moves(archive: Archive) -> dict[tuple[int, str], float]:
    """Return the moves of training games by board size and source."""
    games = archive.games[archive.split("train")]
    keys = games["size"].astype(np.int64) * 65536 + games["source"]
    found, places = np.unique(keys, return_inverse=True)
    counts = np.bincount(places, weights=games["length"].astype(np.float64))
    return {
        (int(key) // 65536, archive.sources[int(key) % 65536]): float(count)
        for key, count in zip(found, counts, strict=True)
        if count > 0
    }


def _sizes(moves: Sequence[Mapping[tuple[int, str], float]]) -> set[int]:
    return {size for table in moves for size, _ in table}
