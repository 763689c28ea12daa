"""The command `selfplay evaluate`: how well networks guess the moves of held-out games.

Every source is measured alone, and by move number, phase and rank. Several networks answer the same
positions and are compared pair by pair.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from cnncore.data.samples import DataError
from cnncore.layers.blocks import channels_last
from cnncore.system.devices import default_device, training_precision
from cnncore.training.curves import MetricsLog
from goengine.networks.policy_value import PolicyValueNet
from selfplay.archive.reader import Archive
from selfplay.archive.splits import USUALLY_HELD_OUT
from selfplay.batches.fixed_samples import Sample, source_sample
from selfplay.evaluation.held_out_answers import Answers, Contestant, Evaluation, Symmetry
from selfplay.evaluation.result_lines import json_lines, text_lines
from selfplay.evaluation.source_reports import source_name
from selfplay.evaluation.survey import Survey
from selfplay.learners.judging_lessons import archive_labels
from selfplay.report.chart_sections import Curve
from selfplay.report.evaluation_page import write_report
from selfplay.report.examples import SHOWN
from selfplay.training import device_options
from selfplay.training.failures import fail
from selfplay.training.trained_network import named_network

log = logging.getLogger(__name__)

METRICS = "metrics.jsonl"

FEW = 5
"""Most sources that a warning names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay evaluate`."""
    parser.add_argument(
        "net", nargs="+", help="shipped network, .safetensors file, or folder of a run; or several"
    )
    parser.add_argument(
        "--data", required=True, type=Path, help="archive made by 'selfplay ingest'"
    )
    parser.add_argument("--sources", help="comma-separated; default: all that have such games")
    parser.add_argument(
        "--split",
        default="test",
        choices=["validation", "test", "train"],
        help="which games; default: test",
    )
    parser.add_argument(
        "--symmetry",
        default="none",
        choices=["none", "all", "both"],
        help="one view of the board, the mean of all 8, or each of the two; default: none",
    )
    parser.add_argument(
        "--limit", type=int, default=20_000, help="most positions of each source; default: 20,000"
    )
    device_options.add_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a source instead of a table"
    )
    parser.add_argument(
        "--report", type=Path, metavar="HTML", help="write a page with figures and examples, too"
    )
    parser.add_argument(
        "--boards",
        type=int,
        default=SHOWN,
        help=f"example positions of each kind on the page; 0 for none; default: {SHOWN}",
    )
    parser.add_argument(
        "--metrics",
        type=Path,
        action="append",
        default=[],
        help=f"{METRICS} of a run whose curve the page shows; a NET that is a run has its own",
    )


def run(args: argparse.Namespace) -> int:
    """Print a table or JSON lines on stdout, and write the page of `--report`.

    The exit status is 130 after Ctrl-C, with what was measured until then.
    """
    device_options.take_threads(args)
    try:
        device = default_device(args.device)
        if args.limit < 1:
            raise DataError(f"--limit {args.limit} is not a number of positions; give at least 1")
        if args.boards < 0:
            raise DataError(f"--boards {args.boards} is not a number of examples; give 0 or more")
        if args.report is not None and args.report.is_dir():
            raise DataError(f"--report {args.report} is a folder; name a file in it")
        archive = Archive.open(args.data)
        archive.verify()
        contestants = _contestants(args.net, args.symmetry, device)
        curves = _curves(args)
        samples = _samples(archive, args.sources, split=args.split, limit=args.limit)
        judges = any(isinstance(each.net, PolicyValueNet) for each in contestants)
        survey = Survey(contestants, archive_labels(archive) if judges else None)

        def told(source: str, answers: Sequence[Answers]) -> None:
            lines = json_lines if args.json else text_lines
            sys.stdout.write(lines(source, contestants, answers, archive))
            sys.stdout.flush()

        finished = survey.ask_all(samples, told)
        if args.report is not None and survey.answers:
            evaluation = Evaluation(
                archive=archive,
                contestants=contestants,
                answers=survey.by_contestant(),
                split=args.split,
                limit=args.limit,
                finished=finished,
            )
            write_report(evaluation, args.report, curves=curves, boards=args.boards)
            sys.stderr.write(f"selfplay evaluate: report in {args.report}\n")
    except Exception as error:
        return fail("evaluate", error)
    if not finished:
        sys.stderr.write("selfplay evaluate: interrupted; this is what there was until then\n")
        return 130
    return 0


def _contestants(nets: Sequence[str], symmetry: str, device: torch.device) -> list[Contestant]:
    """Return the networks of the command line on their device, under names that tell them apart."""
    names = [Path(net).name.removesuffix(".safetensors") for net in nets]
    if len(set(names)) < len(names):
        names = list(nets)
    if len(set(names)) < len(names):
        raise DataError("the same network is named twice; name each one once")
    precision = training_precision(device)
    modes: list[Symmetry] = ["none", "all"] if symmetry == "both" else ["none"]
    if symmetry == "all":
        modes = ["all"]
    contestants = []
    for name, text in zip(names, nets, strict=True):
        net = channels_last(named_network(text).folded(), device)
        for mode in modes:
            label = f"{name}, 8 views" if mode == "all" else name
            contestants.append(Contestant(label, net, mode, precision))
    return contestants


def _samples(archive: Archive, named: str | None, *, split: str, limit: int) -> dict[str, Sample]:
    """Return the positions to ask about; without names, sources without such games are left out.

    Raises:
        DataError: a named source is unknown or has no such games, or all sources are empty.
    """
    samples: dict[str, Sample] = {}
    empty = []
    for name in named.split(",") if named else filter(None, archive.sources):
        found = _by_size(archive, name, split=split, limit=limit)
        if not found and named:
            source_sample(archive, name, split=split, limit=limit)  # says what is missing
        samples |= found
        if not found:
            empty.append(name)
    if not samples:
        sizes = " or ".join(f"{n}x{n}" for n in np.unique(archive.games["size"]).tolist())
        raise DataError(
            f"the archive {archive.path} has {len(archive):,} games, none of them a {sizes} "
            f"{split} game: {_remedy(split)}"
        )
    if empty:
        more = f" and {len(empty) - FEW} more" if len(empty) > FEW else ""
        log.warning(
            "left out for want of 19x19 %s games: %s%s", split, ", ".join(empty[:FEW]), more
        )
    return samples


def _remedy(split: str) -> str:
    """Return how to come by games of a split of which there are none."""
    if split == "train":
        return "ingest more games, or give another --split"
    return (
        f"a digest of its moves makes a game in fifty a {split} game, so have {USUALLY_HELD_OUT} "
        "games or more to be nearly sure of one, or ask about all but the held-out games with "
        "--split train"
    )


def _by_size(archive: Archive, source: str, *, split: str, limit: int) -> dict[str, Sample]:
    """Return the positions of a source for each board size; small boards are named."""
    samples: dict[str, Sample] = {}
    if source not in archive.sources:
        return samples
    for size in np.unique(archive.games["size"]).tolist()[::-1]:
        name = source_name(source, size)
        with suppress(DataError):
            samples[name] = source_sample(archive, source, split=split, limit=limit, size=size)
    return samples


def _curves(args: argparse.Namespace) -> list[Curve]:
    """Return the learning curves of the runs and of the files of metrics that were given.

    Raises:
        DataError: a file that was asked for is not there or holds no metrics.
    """
    curves = []
    for text in args.net:
        file = Path(text) / METRICS
        if file.is_file():
            curves.append(Curve(Path(text).name, MetricsLog(file).read()))
    for path in args.metrics:
        file = path / METRICS if path.is_dir() else path
        lines = MetricsLog(file).read()
        if not lines:
            raise DataError(f"{file} holds no metrics; give the {METRICS} of a training run")
        curves.append(Curve(file.resolve().parent.name, lines))
    return curves
