"""The results of an evaluation as lines: text that a person reads, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from selfplay.archive.reader import Archive
from selfplay.evaluation.held_out_answers import Answers, Contestant
from selfplay.evaluation.intervals import Share, bracketed, plus_minus
from selfplay.evaluation.judgements import JudgementMeasure, Mean
from selfplay.evaluation.measures import Difference, difference
from selfplay.evaluation.source_reports import SourceReport, source_report


def text_lines(
    source: str, contestants: Sequence[Contestant], answers: Sequence[Answers], archive: Archive
) -> str:
    """Return a block for each network on one source, and a line for each further one's gain."""
    parts = []
    for contestant, mine in zip(contestants, answers, strict=True):
        head = f"{contestant.name} on " if len(contestants) > 1 else ""
        parts.append(head + table([source_report(source, mine, archive)]))
    for contestant, mine in zip(contestants[1:], answers[1:], strict=True):
        gain = difference(answers[0], mine)
        line = comparison(gain, net=contestant.name, against=contestants[0].name)
        parts.append(f"{source}: {line}\n")
    return "".join(parts)


def json_lines(
    source: str, contestants: Sequence[Contestant], answers: Sequence[Answers], archive: Archive
) -> str:
    """Return a JSON object for each network on one source, and one for each further one's gain."""
    objects = []
    for contestant, mine in zip(contestants, answers, strict=True):
        facts = {"net": contestant.name, "symmetry": contestant.symmetry}
        objects.append({**asdict(source_report(source, mine, archive)), **facts})
    for contestant, mine in zip(contestants[1:], answers[1:], strict=True):
        gain = asdict(difference(answers[0], mine))
        names = {"net": contestant.name, "against": contestants[0].name}
        objects.append({"source": source, "difference": gain, **names})
    return "".join(json.dumps(it) + "\n" for it in objects)


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
        if report.judgement is not None:
            lines.append(f"  judgement: {_judged(report.judgement.whole)}")
            lines += [
                f"  judgement, moves {name:>8}: {_judged(part)}"
                for name, part in report.judgement.by_move.items()
            ]
    return "\n".join(lines) + "\n"


def _judged(measure: JudgementMeasure) -> str:
    """Return how positions were judged, as far as they tell."""
    parts = []
    if measure.value is not None and measure.right is not None and measure.calibration is not None:
        parts.append(
            f"value error {_mean(measure.value, 4)}, winner right {_percent(measure.right)}, "
            f"calibration error {100 * measure.calibration:.2f} %"
        )
    if measure.lead is not None:
        parts.append(f"lead error {_mean(measure.lead, 2)} points")
    if measure.ownership is not None:
        parts.append(f"ownership error {_mean(measure.ownership, 3)}")
    return "  ".join(parts) or "no game here teaches a value"


def _mean(mean: Mean, digits: int) -> str:
    return f"{mean.value:.{digits}f} {plus_minus(mean.error, digits)} of {mean.count:,}"


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
