"""What became of the games that were read: counts by source and reason, and the dropped ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TextIO

Counts = Counter[tuple[str, str]]
"""Games by (source, reason)."""

READ = "games read"
KEPT = "games kept"
POSITIONS = "moves kept"
DUPLICATE = "duplicate"
NO_GAME = "no readable game"
UNREADABLE = "unreadable file"
SKIPPED = "skipped: a review, not a game"
NOTED = "noted: "
"""Before the kind of a note in the counts: what the reader guessed or left out."""


@dataclass(frozen=True)
class Dropped:
    """A game, or a whole file, that did not get into the archive."""

    file: str
    """Path of the file; for a member of a package, the package and the member."""
    game: int | None
    """Number of the game in the file, from 1; None where the file could not be read."""
    reason: str
    """Why it was dropped."""


def by_source(counts: Counts) -> dict[str, dict[str, int]]:
    """Return the count of each reason, source by source."""
    table: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(counts.items()):
        table.setdefault(source, {})[reason] = count
    return table


def summary(counts: Counts) -> str:
    """Return in one line how many games were read and kept, and why the others were not."""
    reasons: Counter[str] = Counter()
    for (_, reason), count in counts.items():
        reasons[reason] += count
    lost = [
        f"{reason} {count:,}"
        for reason, count in sorted(reasons.items())
        if reason.startswith(("filter", "dropped", DUPLICATE, NO_GAME, UNREADABLE, SKIPPED, NOTED))
    ]
    return ", ".join([f"{reasons[READ]:,} games read", f"{reasons[KEPT]:,} kept", *lost])


def print_counts(counts: Counts, stream: TextIO) -> None:
    """Print games by source, then every reason for a drop or a cut."""
    table = by_source(counts)
    columns = (READ, KEPT, POSITIONS)
    width = max([len("source"), *(len(name) for name in table)])
    print(f"{'source':{width}}" + "".join(f"{name:>14}" for name in columns), file=stream)
    for name, row in table.items():
        cells = "".join(f"{row.get(column, 0):14,}" for column in columns)
        print(f"{name:{width}}{cells}", file=stream)
    totals = [sum(row.get(column, 0) for row in table.values()) for column in columns]
    print(f"{'all':{width}}" + "".join(f"{total:14,}" for total in totals), file=stream)
    reasons = sorted({reason for _, reason in counts} - set(columns))
    if reasons:
        print("\nreason", file=stream)
    for reason in reasons:
        rows = {name: row[reason] for name, row in table.items() if reason in row}
        detail = ", ".join(f"{name} {count:,}" for name, count in rows.items())
        print(f"{reason:32} {sum(rows.values()):12,}   ({detail})", file=stream)
