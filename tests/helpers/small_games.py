"""Small legal games for the tests of ingest, and ingest itself in one call."""

import numpy as np

from goengine.games.record import GameRecord
from goengine.games.sgf import write_sgf
from goengine.types import BLACK
from selfplay.archive.ingest import NothingKeptError, ingest


def game(seed, *, size=19, length=30, **fields):
    """A legal record: distinct points of one colour a row, far from any capture."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(range(0, size, 2))
    points = [int(row * size + column) for row in rows for column in range(0, size, 2)]
    pairs = tuple((BLACK + i % 2, point) for i, point in enumerate(points[:length]))
    shift = int(rng.integers(0, 2)) if size % 2 == 0 else 0
    return GameRecord(size=size, moves=tuple((c, p + shift) for c, p in pairs), **fields)


def line(record):
    return write_sgf(record).replace(b"\n", b"") + b"\n"


def run(paths, tmp_path, **options):
    """The archive of some files (no games: an empty tuple) and what was counted, by reason."""
    try:
        archive, counts = ingest(
            paths, tmp_path / "archive", workers=1, progress=False, overwrite=True, **options
        )
    except NothingKeptError as error:
        archive, counts = (), error.counts
    reasons = {}
    for (_, reason), count in counts.items():
        reasons[reason] = reasons.get(reason, 0) + count
    return archive, reasons
