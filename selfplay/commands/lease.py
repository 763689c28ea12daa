"""The command `selfplay lease`: make the most of a machine that is lent for minutes.

One call trains a run until its time is up, measures the averaged network on held-out games and
leaves in one flat folder what has to travel home: the checkpoint in parts, a report, the metrics
and the curve. The next lease starts from that folder. A network connection or an SGF parser is not
needed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from cnncore.layers.blocks import channels_last
from cnncore.system import atomic
from cnncore.system.devices import default_device, training_precision
from cnncore.system.folders import make_folder
from cnncore.training.recipe_files import add_settings
from selfplay.archive.reader import Archive
from selfplay.evaluation.source_reports import evaluate_source
from selfplay.recipes import load_recipe
from selfplay.training import device_options
from selfplay.training.checkpoint_parts import pack, unpack
from selfplay.training.failures import fail
from selfplay.training.policy_run import Run
from selfplay.training.run_claim import claimed
from selfplay.training.starting_network import open_run
from selfplay.training.trained_network import averaged_network, read_facts
from selfplay.training.utilisation import matrix_rate, training_flops

REPORT = "report.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay lease`."""
    parser.add_argument("recipe", help="name of a shipped recipe, or a .toml file")
    parser.add_argument("--data", required=True, type=Path, help="the archive that came along")
    parser.add_argument(
        "--home",
        type=Path,
        help="what an earlier lease brought home; without it the run in --work goes on, or a new "
        "one begins",
    )
    parser.add_argument("--out", required=True, type=Path, help="empty folder that travels home")
    parser.add_argument("--minutes", required=True, type=float, help="time for all of it")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("lease-run"),
        help="folder of the run; default: lease-run",
    )
    add_settings(parser)
    parser.add_argument("--from", dest="start", metavar="NET", help="network to begin from")
    parser.add_argument("--widen", type=int, metavar="FILTERS", help="widen --from first")
    device_options.add_arguments(parser, workers=12)
    parser.add_argument(
        "--limit", type=int, default=10_000, help="held-out positions a source; default: 10,000"
    )
    parser.add_argument(
        "--reserve", type=float, default=1.0, help="minutes kept for measuring; default: 1"
    )


def run(args: argparse.Namespace) -> int:
    """Train, measure, pack; 0 when all of it worked, 1 with one sentence otherwise."""
    began = time.monotonic()
    try:
        if args.minutes <= args.reserve:
            raise OSError(f"--minutes {args.minutes} leaves no time: give over {args.reserve}")
        if args.home is not None:
            unpack(args.home, args.work)
        make_folder(args.out)
        device = default_device(args.device)
        archive = Archive.open(args.data)
        recipe = load_recipe(args.recipe, args.set)
        archive.verify()
        device_options.take_threads(args)
        with claimed(args.work):
            training = open_run(
                args.work,
                recipe,
                archive,
                device=device,
                start=args.start,
                filters=args.widen,
                workers=args.workers,
                other_data=True,
            )
            first = training.state.step
            spent = (time.monotonic() - began) / 60.0
            outcome = training.fit(minutes=args.minutes - args.reserve - spent)
            pack(args.work, args.out)
            report = _measure(args, archive, outcome, device) | _speed(training, since=first)
        text = json.dumps(report, indent=1)
        atomic.write_text(args.out / REPORT, text + "\n")
    except Exception as error:
        return fail("lease", error)
    sys.stdout.write(text + "\n")
    return 0


def _speed(training: Run, *, since: int) -> dict[str, object]:
    """Return the median rate since a step, and its share of the device's matrix product rate."""
    lines = [
        line["samples_per_second"]
        for line in training.files.metrics.read()
        if line["event"] == "train" and line["step"] > since
    ]
    rate = statistics.median(lines) if lines else 0.0
    flops = training_flops(training.state.model)
    peak = matrix_rate(training.device, training.precision)
    return {
        "precision": training.precision,
        "positions_per_second": round(rate, 1),
        "flops_per_position": flops,
        "matrix_flops_per_second": round(peak),
        "mfu": round(rate * flops / peak, 4),
    }


def _measure(
    args: argparse.Namespace, archive: Archive, outcome: str, device: torch.device
) -> dict[str, object]:
    """Return what the report says: where the run stands, and how well its average predicts."""
    facts = read_facts(args.work)
    net = channels_last(averaged_network(args.work).folded(), device)
    precision = training_precision(device)
    sources = [
        evaluate_source(
            net,
            archive,
            name,
            split="validation",
            limit=args.limit,
            precision=precision,
            progress=True,
        )
        for name in archive.sources
        if name and len(archive.split("validation", sources=[name]))
    ]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "outcome": outcome,
        "device": name,
        "filters": facts["config"]["filters"],
        "positions_seen": facts["state"]["samples"],
        "positions_planned": facts["recipe"]["positions"],
        "training_seconds": round(facts["state"]["seconds"]),
        "validation": [asdict(source) for source in sources],
    }
