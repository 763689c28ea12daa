"""What the loader alone makes of an archive, by its number of workers, and what a core of it makes.

Positions/s by the clock, and per second of processor time, in the workers and in this process,
which copies finished batches; a single worker is a thread of this process. What the start takes is
left out. Other programs on the machine lower the first number and hardly the
second; so the second, times the cores that a machine has to spare, tells what it would make.

    python -m benchmarks.loader --data ARCHIVE --workers 1 2 4 8 12
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from goengine.options import count


def processor_seconds() -> tuple[float, float]:
    """Return the processor time of this process, and of those that have ended and were its own."""
    spent = os.times()
    return spent.user + spent.system, spent.children_user + spent.children_system


def spent(
    make: Callable[[], Generator[Any, None, None]], warm: int, batches: int
) -> tuple[float, float, float]:
    """Return the seconds that batches take behind `warm` others, and the processor seconds of all.

    The latter of the workers, and of this process.
    """
    gone = processor_seconds()[1]
    with closing(make()) as stream:
        for _ in range(warm):
            next(stream)
        here = processor_seconds()[0]
        began = time.perf_counter()
        for _ in range(batches):
            next(stream)
        seconds = time.perf_counter() - began
        here = processor_seconds()[0] - here
    return seconds, processor_seconds()[1] - gone, here


def lessons_of(name: str, data: Path, batch: int) -> Callable[[int], Any]:
    """Return what makes the lessons of a recipe, all sources alike, with a number of workers.

    Torch is imported here: the processes of the loader import this file and do without.
    """
    from cnncore.system.devices import device_named
    from selfplay.archive.reader import Archive
    from selfplay.learners.lessons import Classroom
    from selfplay.recipes import load_recipe
    from selfplay.training.policy_run import make_lessons

    recipe = load_recipe(name, ["sources={}", f"batch={batch}"])
    archive = Archive.open(data)

    def lessons(workers: int) -> Any:
        return make_lessons(Classroom(recipe, device_named("cpu"), "float32", workers), [archive])

    return lessons


def main() -> int:
    """Measure and print one line per number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, required=True, help="archive made by 'selfplay ingest'"
    )
    parser.add_argument(
        "--workers", type=count, nargs="+", default=[1, 2], help="numbers to try; default: 1 2"
    )
    parser.add_argument("--batch", type=count, default=1024, help="positions; default: 1,024")
    parser.add_argument(
        "--batches", type=count, default=10, help="measured batches a worker; default: 10"
    )
    parser.add_argument(
        "--recipe", default="policy-64", help="whose batches to make; default: policy-64"
    )
    args = parser.parse_args()
    lessons = lessons_of(args.recipe, args.data, args.batch)
    lessons(1).batch(0)  # compiles the kernels
    sys.stdout.write(f"batch {args.batch}, {os.cpu_count()} cores; positions\n")
    sys.stdout.write("workers  a second  a processor second of workers  a processor second here\n")
    for workers in args.workers:
        make = partial(lessons(workers).stream, 0)
        warm, batches = 2 * workers + 6, args.batches * workers
        _, started, _ = spent(make, warm, 0)
        seconds, children, here = spent(make, warm, batches)
        made = batches * args.batch
        by_workers = f"{made / (children - started):,.0f}" if workers > 1 else "(the same)"
        sys.stdout.write(
            f"{workers:7} {made / seconds:9,.0f} {by_workers:>29} {made / max(here, 1e-9):24,.0f}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
