"""The command `selfplay lease`: make the most of a machine that is lent for minutes.

One call trains networks until its time is up, measures the averaged ones on held-out games and
leaves in one flat folder what has to travel home: the runs in a few files, and a report. The next
lease starts from that folder. A network connection or an SGF parser is not needed.

Each network has a process of its own. Kernels are compiled in another one from the first moment on;
so this module imports nothing that takes long.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnncore.system import atomic
from cnncore.system.command_line import INTERRUPTED
from cnncore.system.folders import make_folder
from goengine.options import count, not_negative, positive, threads
from selfplay.archive.reader import Archive
from selfplay.commands.travel.lease_plan import NetworkLease, names_of, settings_of, start_of
from selfplay.commands.travel.trainers import Kernels, Trainer, train_all
from selfplay.training.travel.archive_file import is_packed, packed_digest, unpack_archive
from selfplay.training.travel.home_parts import holds_runs, pack_runs, unpack_runs

log = logging.getLogger(__name__)

REPORT = "report.json"
ARCHIVES = "archives"
"""Folder of --work for archives that came packed."""
_FILES_HOME = 8
"""Files that channels for lent machines have been seen to carry home."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay lease`."""
    parser.add_argument(
        "recipes", nargs="+", metavar="recipe", help="shipped recipes, or .toml files"
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        action="append",
        help="the archive that came along: a folder, or a file made by 'selfplay pack'; several "
        "times for networks that judge, which are measured on the first",
    )
    parser.add_argument(
        "--home",
        type=Path,
        help="what an earlier lease brought home; without it the runs in --work go on, or new "
        "ones begin",
    )
    parser.add_argument("--out", required=True, type=Path, help="empty folder that travels home")
    parser.add_argument("--minutes", required=True, type=not_negative, help="time for all of it")
    parser.add_argument(
        "--plan-minutes",
        type=positive,
        metavar="MINUTES",
        help="training time of each network over all leases, which plans that follow the clock "
        "are stretched over; default: they end with this lease, and begin again with the next",
    )
    parser.add_argument(
        "--side-by-side",
        action="store_true",
        help="train all networks at once on one device, not one after the other",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("lease-run"),
        help="folder in which each run has its own; default: lease-run",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting over all recipes, as TOML; NAME:KEY=VALUE sets it for one of several",
    )
    parser.add_argument(
        "--from",
        dest="start",
        action="append",
        default=[],
        metavar="NET",
        help="network to begin from; NAME:NET is for one of several",
    )
    parser.add_argument("--widen", type=count, metavar="FILTERS", help="widen --from first")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: cuda if there is one")
    parser.add_argument(
        "--threads", type=threads, help="CPU threads of each network; default: all cores"
    )
    parser.add_argument(
        "--workers",
        type=count,
        help="processes that replay games and encode planes, shared by networks side by side; "
        "default: two less than there are cores",
    )
    parser.add_argument(
        "--limit", type=count, default=10_000, help="held-out positions a source; default: 10,000"
    )
    parser.add_argument(
        "--reserve",
        type=not_negative,
        help="minutes kept for measuring and packing; default: as many as they take, which is "
        "tried at the start",
    )


def run(args: argparse.Namespace) -> int:
    """Train, measure, pack; 0 when all of it worked, 130 after Ctrl-C, else the failure's."""
    began = time.time()
    kernels = Kernels()
    try:
        trainers, interrupted, text = _lease(args, began, kernels)
    except Exception as error:
        from selfplay.training.failures import fail

        return fail("lease", error)
    finally:
        kernels.close()
    for trainer in trainers:
        if trainer.failure is not None:
            name = f"{trainer.lease.name}: " if len(args.recipes) > 1 else ""
            sys.stderr.write(f"selfplay lease: {name}{trainer.failure.sentence}\n")
    if any(trainer.trained for trainer in trainers):
        sys.stdout.write(text)
    if interrupted:
        return INTERRUPTED
    return max((t.failure.status for t in trainers if t.failure is not None), default=0)


def _lease(
    args: argparse.Namespace, began: float, kernels: Kernels
) -> tuple[Sequence[Trainer], bool, str]:
    """Do all of it; return the networks, whether Ctrl-C ended it, and the report as text."""
    if args.minutes <= (args.reserve or 0.0):
        raise OSError(f"--minutes {args.minutes} leaves no time: give over {args.reserve or 0.0:g}")
    if holds_runs(args.out):
        raise OSError(
            f"--out {args.out} holds what an earlier lease brought home, which would be lost: give "
            "it as --home to go on from there, and another folder as --out"
        )
    names = names_of(args.recipes)
    settings = [settings_of(name, names, args.set) for name in names]
    runs = {name: args.work / name for name in names}
    if args.home is not None:
        runs |= {name: args.work / name for name in unpack_runs(args.home, args.work)}
    make_folder(args.out)
    archives = [_archive(path, args.work) for path in args.data]
    workers = args.workers or max(1, _cores() - 2)
    leases = [
        NetworkLease(
            name=name,
            recipe=recipe,
            settings=settings[number],
            archives=tuple(archive.path for archive in archives),
            folder=args.work / name,
            start=start_of(name, names, args.start),
            widen=args.widen,
            device=args.device,
            threads=args.threads,
            workers=max(1, workers // len(names)) if args.side_by_side else workers,
            limit=args.limit,
            reserve=args.reserve,
            plan_minutes=args.plan_minutes,
            runs=len(runs),
            deadline=began + 60.0 * args.minutes,
        )
        for number, (name, recipe) in enumerate(zip(names, args.recipes, strict=True))
    ]
    trainers, interrupted = train_all(
        leases,
        kernels,
        side_by_side=args.side_by_side,
        trained=lambda: pack_runs(runs, args.out),
    )
    report = _report(args, trainers, interrupted) | {"seconds": round(time.time() - began, 1)}
    text = json.dumps(report, indent=1) + "\n"
    if any(trainer.trained for trainer in trainers):
        atomic.write_text(args.out / REPORT, text)
    files = sum(1 for _ in args.out.iterdir())
    if files > _FILES_HOME:
        log.warning("%d files travel home, more than %d: check the channel", files, _FILES_HOME)
    return trainers, interrupted, text


def _archive(path: Path, work: Path) -> Archive:
    """Return the archive that came along, unpacked if need be, every byte of it checked."""
    if not is_packed(path):
        archive = Archive.open(path)
        archive.verify()
        return archive
    folder = work / ARCHIVES / packed_digest(path)
    if folder.exists():
        archive = Archive.open(folder)
        archive.verify()
        return archive
    return unpack_archive(path, folder)


def _report(
    args: argparse.Namespace, trainers: Sequence[Trainer], interrupted: bool
) -> dict[str, Any]:
    """Return what the report says: every network, and what they made of the device together.

    All rates are shares of the best matrix product rate that one of them measured: another one may
    have been at work meanwhile.
    """
    known = {trainer.lease.name: trainer.report for trainer in trainers if trainer.report}
    peak = max((report["matrix_flops_per_second"] for report in known.values()), default=0)
    for one in known.values():
        work = one["positions_per_second"] * one["flops_per_position"]
        one |= {"matrix_flops_per_second": peak, "mfu": round(work / peak, 4)}
    report: dict[str, Any] = {
        "minutes": args.minutes,
        "interrupted": interrupted,
        "networks": known,
        "failed": {t.lease.name: t.failure.sentence for t in trainers if t.failure is not None},
    }
    if args.side_by_side and peak:
        flops = sum(r["positions_per_second"] * r["flops_per_position"] for r in known.values())
        rate = sum(r["positions_per_second"] for r in known.values())
        report["together"] = {
            "positions_per_second": round(rate, 1),
            "mfu": round(flops / peak, 4),
        }
    return report


def _cores() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
