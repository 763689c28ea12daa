"""The command `selfplay evaluate`: how well networks guess the moves of held-out games.

Top-1 and top-5 are shares of positions whose move is the network's first, or among its first five,
of all 361 points: no legality mask helps. The loss is the mean of minus the logarithm of the move's
probability, in nats. Every source is measured alone, and by move number, phase and rank; several
networks answer the same positions and are compared pair by pair.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cnncore.data.samples import DataError
from cnncore.layers.blocks import channels_last
from cnncore.system.devices import default_device, training_precision
from cnncore.training.curves import MetricsLog
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import load_network
from goengine.networks.policy_network import PolicyNet
from selfplay.archive.reader import Archive
from selfplay.evaluation.answers import (
    Answers,
    Contestant,
    Evaluation,
    Sample,
    Symmetry,
    answered,
    ask,
    joined,
    source_sample,
)
from selfplay.evaluation.calibration import Bin, expected_calibration_error, reliability
from selfplay.evaluation.intervals import Share, bracketed, plus_minus
from selfplay.evaluation.measures import Difference, Measure, difference, measure, measure_groups
from selfplay.report.document import write_report
from selfplay.report.examples import SHOWN
from selfplay.report.sections import Curve
from selfplay.training import device_options
from selfplay.training.failures import fail
from selfplay.training.run_network import trained_network

log = logging.getLogger(__name__)

METRICS = "metrics.jsonl"

FEW = 5
"""Most sources that a warning names."""


@dataclass(frozen=True)
class SourceReport:
    """What was measured of one network on one source.

    by_move: "1-30", "31-60", ... to top-1. seconds_per_position: median over batches. ece,
    calibration: see calibration.py. groups: "move", "phase" and "rank" to a Measure of each
    of their groups.
    """

    source: str
    top1: Share
    top5: Share
    loss: float
    loss_error: float | None
    by_move: dict[str, Share]
    seconds_per_position: float
    ece: float
    calibration: list[Bin]
    groups: dict[str, dict[str, Measure]]


def source_report(source: str, answers: Answers, archive: Archive) -> SourceReport:
    """Return the numbers of one network's answers on one source."""
    all_of_it = measure(answers)
    table = reliability(answers.chances[:, 0], answers.better == 0, answers.games)
    groups = {name: measure_groups(answers, archive, name) for name in ("move", "phase", "rank")}
    return SourceReport(
        source=source,
        top1=all_of_it.top1,
        top5=all_of_it.top5,
        loss=all_of_it.loss,
        loss_error=all_of_it.loss_error,
        by_move={name: part.top1 for name, part in groups["move"].items()},
        seconds_per_position=float(np.median(answers.seconds)),
        ece=expected_calibration_error(table),
        calibration=table,
        groups=groups,
    )


def evaluate_source(
    net: PolicyNet,
    archive: Archive,
    source: str,
    *,
    split: str = "test",
    limit: int = 20_000,
    symmetry: Symmetry = "none",
    precision: str = "float32",
) -> SourceReport:
    """Measure a network on up to `limit` fixed random positions of one source."""
    contestant = Contestant("", net, symmetry, precision)
    sample = source_sample(archive, source, split=split, limit=limit)
    return source_report(source, answered(contestant, sample), archive)


def configure_evaluate(parser: argparse.ArgumentParser) -> None:
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


def run_evaluate(args: argparse.Namespace) -> int:
    """Run `selfplay evaluate`: a table, or JSON lines, on stdout.

    Returns 1 on failure and 130 after Ctrl-C, with what was measured until then.
    """
    device_options.take_threads(args)
    try:
        device = default_device(args.device)
        if args.limit < 1:
            raise DataError(f"--limit {args.limit} is no number of positions; give at least 1")
        if args.boards < 0:
            raise DataError(f"--boards {args.boards} is no number of examples; give 0 or more")
        if args.report is not None and args.report.is_dir():
            raise DataError(f"--report {args.report} is a folder; name a file in it")
        archive = Archive.open(args.data)
        archive.verify()
        contestants = _contestants(args.net, args.symmetry, device)
        curves = _curves(args)
        samples = _samples(archive, args.sources, split=args.split, limit=args.limit)
        asked = _Asked(archive, contestants, split=args.split, limit=args.limit, json=args.json)
        finished = asked.all_of(samples)
        if args.report is not None and asked.answers:
            evaluation = asked.evaluation(finished=finished)
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
        run = Path(text)
        net = trained_network(run)[0] if RunFolder(run).begun else load_network(text)
        net = channels_last(net.folded(), device)
        for mode in modes:
            label = f"{name}, 8 views" if mode == "all" else name
            contestants.append(Contestant(label, net, mode, precision))
    return contestants


def _samples(archive: Archive, named: str | None, *, split: str, limit: int) -> dict[str, Sample]:
    """Return what is asked about each source; of those not named, the empty ones are left out.

    Raises:
        DataError: a named source is unknown or has no such games, or none has any.
    """
    if named:
        names = named.split(",")
        return {name: source_sample(archive, name, split=split, limit=limit) for name in names}
    samples, empty = {}, []
    for name in filter(None, archive.sources):
        try:
            samples[name] = source_sample(archive, name, split=split, limit=limit)
        except DataError:
            empty.append(name)
    if not samples:
        raise DataError(
            f"the archive {archive.path} has no 19x19 {split} games; ingest more games, or give "
            "another --split"
        )
    if empty:
        more = f" and {len(empty) - FEW} more" if len(empty) > FEW else ""
        log.warning(
            "left out for want of 19x19 %s games: %s%s", split, ", ".join(empty[:FEW]), more
        )
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


@dataclass
class _Asked:
    """The answers so far, `answers[source][number of the contestant]`, printed source by source."""

    archive: Archive
    contestants: Sequence[Contestant]
    split: str
    limit: int
    json: bool
    answers: dict[str, list[Answers]] = field(default_factory=dict)

    def all_of(self, samples: Mapping[str, Sample]) -> bool:
        """Ask about the sample of every source and print; False if Ctrl-C ended it early."""
        finished = True
        total = sum(map(len, samples.values()))
        with tqdm(total=total, unit="pos", disable=None, file=sys.stderr, leave=False) as bar:
            for source, sample in samples.items():
                batches: list[list[Answers]] = []
                bar.set_description(source)
                try:
                    for answers in ask(self.contestants, sample):
                        batches.append(answers)
                        bar.update(len(answers[0]))
                except KeyboardInterrupt:
                    finished = False
                if batches:
                    self.answers[source] = [joined(parts) for parts in zip(*batches, strict=True)]
                    bar.clear()
                    self._print(source)
                if not finished:
                    break
        return finished

    def _print(self, source: str) -> None:
        answers = self.answers[source]
        reports = [source_report(source, mine, self.archive) for mine in answers]
        several = len(reports) > 1
        for contestant, report in zip(self.contestants, reports, strict=True):
            if self.json:
                facts = {"net": contestant.name, "symmetry": contestant.symmetry}
                sys.stdout.write(json.dumps({**asdict(report), **facts}) + "\n")
            else:
                sys.stdout.write((f"{contestant.name} on " if several else "") + table([report]))
        for contestant, mine in zip(self.contestants[1:], answers[1:], strict=True):
            gain = difference(answers[0], mine)
            names = {"net": contestant.name, "against": self.contestants[0].name}
            if self.json:
                line = {"source": source, "difference": asdict(gain), **names}
                sys.stdout.write(json.dumps(line) + "\n")
            else:
                sys.stdout.write(f"{source}: {comparison(gain, **names)}\n")
        sys.stdout.flush()

    def evaluation(self, *, finished: bool) -> Evaluation:
        """Return everything for the report."""
        answers = [joined(parts) for parts in zip(*self.answers.values(), strict=True)]
        return Evaluation(
            archive=self.archive,
            contestants=self.contestants,
            answers=answers,
            split=self.split,
            limit=self.limit,
            finished=finished,
        )


def table(reports: Sequence[SourceReport]) -> str:
    """Return reports as text a person reads: one block a source."""
    lines = []
    for report in reports:
        lines.append(
            f"{report.source}: top-1 {_percent(report.top1)}  top-5 {_percent(report.top5)}  "
            f"loss {report.loss:.4f} {plus_minus(report.loss_error, 4)}  "
            f"calibration error {100 * report.ece:.2f} %  "
            f"{1000 * report.seconds_per_position:.2f} ms/position"
        )
        for kind, word in (("move", "moves"), ("phase", "phase"), ("rank", "rank ")):
            lines += [
                f"  {word} {name:>11}: top-1 {_percent(part.top1)}  "
                f"top-5 {100 * part.top5.value:.1f} %  "
                f"loss {part.loss:.3f} {plus_minus(part.loss_error, 3)}"
                for name, part in report.groups[kind].items()
            ]
    return "\n".join(lines) + "\n"


def comparison(gain: Difference, *, net: str, against: str) -> str:
    """Return one line on what `net` has more than `against`."""
    return (
        f"{net} against {against}: "
        f"top-1 {100 * gain.top1:+.2f} {plus_minus(gain.top1_error, 2, scale=100)} points  "
        f"top-5 {100 * gain.top5:+.2f} {plus_minus(gain.top5_error, 2, scale=100)} points  "
        f"loss {gain.loss:+.4f} {plus_minus(gain.loss_error, 4)}  of {gain.count:,} positions"
    )


def _percent(share: Share) -> str:
    return f"{bracketed(share, 2)} of {share.count:,}"
