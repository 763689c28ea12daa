"""The figures of what networks judge: the value's calibration, and all errors by move number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from selfplay.evaluation.held_out_answers import Answers, Contestant, Evaluation
from selfplay.evaluation.intervals import bracketed, plus_minus
from selfplay.evaluation.judgements import JudgementMeasure, Mean
from selfplay.evaluation.measures import BIN
from selfplay.evaluation.source_reports import JudgementReport, judgement_report
from selfplay.report.charts import COLOURS, Series, legend, line_chart, reliability_chart
from selfplay.report.page_frame import percent, section, table

FEWEST = 30
"""Groups with fewer positions, or of one game, are in the tables but not in the figures."""


@dataclass(frozen=True)
class _Judge:
    """A network that judged, with the number that gives its colour."""

    name: str
    number: int
    report: JudgementReport


def judgement(evaluation: Evaluation) -> str:
    """Return the sections about winner, lead and owners; nothing if no network judged."""
    judges = [
        _Judge(contestant.name, number, report)
        for number, (contestant, report) in enumerate(_reports(evaluation))
        if report is not None and report.whole.value is not None
    ]
    return _win_chance(judges) + _by_move(judges) if judges else ""


def _reports(evaluation: Evaluation) -> list[tuple[Contestant, JudgementReport | None]]:
    pairs: list[tuple[Contestant, Answers]] = list(
        zip(evaluation.contestants, evaluation.answers, strict=True)
    )
    return [(contestant, judgement_report(mine, evaluation.archive)) for contestant, mine in pairs]


def _win_chance(judges: list[_Judge]) -> str:
    """Return the errors of the whole, and the reliability diagram of the win chance."""
    series, rows, bins = [], [], []
    for judge in judges:
        whole = judge.report.whole
        rows.append([judge.name, *_cells(whole)])
        table_of = judge.report.calibration
        kept = [b for b in table_of if b.count >= FEWEST and b.right.interval is not None]
        ends = [b.right.interval or (0.0, 1.0) for b in kept]
        notes = [
            f"said {percent(b.confidence)}, won {percent(b.share)} of {b.count:,}" for b in kept
        ]
        series.append(
            Series(
                judge.name,
                [b.confidence for b in kept],
                [b.share for b in kept],
                [low for low, _ in ends],
                [high for _, high in ends],
                notes,
                judge.number % COLOURS,
            )
        )
        bins += [
            [
                f"{100 * b.edges[0]:.0f}-{100 * b.edges[1]:.0f} %",
                judge.name,
                f"{b.count:,}",
                percent(b.confidence),
                bracketed(b.right, 1),
            ]
            for b in table_of
        ]
    drawn = [line for line in series if line.xs]
    chart = f"<figure>{reliability_chart(drawn)}</figure>" if drawn else ""
    head = ["network", "value error", "winner right", "calibration error", "lead", "ownership"]
    body = (
        "<p>The value error is the mean squared error of the win chance: 0 is perfect, 0.25 a "
        "coin. Only games that teach a value are counted: even ones that the clock did not decide, "
        "with known komi. On the dashed line of the figure a win chance means what it says.</p>"
        f"{table(head, rows)}{_legend(judges)}{chart}<details><summary>The numbers</summary>"
        f"{table(['it said', 'network', 'positions', 'mean', 'won'], bins)}</details>"
    )
    return section("Who wins?", body)


def _by_move(judges: list[_Judge]) -> str:
    """Return the errors of value, lead and ownership over the move number."""
    kinds: list[tuple[str, Callable[[JudgementMeasure], Mean | None]]] = [
        ("squared error of the win chance", lambda measure: measure.value),
        ("error of the lead, points", lambda measure: measure.lead),
        ("error of the ownership", lambda measure: measure.ownership),
    ]
    figures = []
    for label, pick in kinds:
        series = [line for judge in judges if (line := _line(judge, pick)).xs]
        if series:
            chart = line_chart(series, x_label="move number", y_label=label, width=480.0)
            figures.append(f"<figure>{chart}</figure>")
    if not figures:
        return ""
    rows = [
        [name, judge.name, *_cells(part)]
        for judge in judges
        for name, part in judge.report.by_move.items()
    ]
    head = ["moves", "network", "value error", "winner right", "calibration error", "lead"]
    body = (
        "<p>The nearer the end, the surer the judgement should be. The lead's error is the mean "
        "distance from the recorded score, the ownership's that of each point from its owner, "
        "who counts as 1 or \u22121.</p>"
        f"{_legend(judges)}"
        f'<div class="pair">{"".join(figures)}</div>'
        f"<details><summary>The numbers</summary>{table([*head, 'ownership'], rows)}</details>"
    )
    return section("Judgement by move number", body)


def _legend(judges: list[_Judge]) -> str:
    return legend([judge.name for judge in judges], [judge.number % COLOURS for judge in judges])


def _line(judge: _Judge, pick: Callable[[JudgementMeasure], Mean | None]) -> Series:
    found = {
        name: mean
        for name, part in judge.report.by_move.items()
        if (mean := pick(part)) is not None and mean.count >= FEWEST and mean.error is not None
    }
    return Series(
        judge.name,
        [int(name.split("-")[0]) + (BIN - 1) / 2 for name in found],
        [mean.value for mean in found.values()],
        [mean.value - (mean.error or 0.0) for mean in found.values()],
        [mean.value + (mean.error or 0.0) for mean in found.values()],
        [f"{escape(judge.name)}, moves {name}: {_text(mean)}" for name, mean in found.items()],
        judge.number % COLOURS,
    )


def _cells(measure: JudgementMeasure) -> list[str]:
    """Return value error, winner right, calibration error, lead and ownership as texts."""
    none = "\u2013"
    return [
        none if measure.value is None else _text(measure.value, 4),
        none if measure.right is None else bracketed(measure.right, 1),
        none if measure.calibration is None else percent(measure.calibration),
        none if measure.lead is None else f"{_text(measure.lead, 2)}",
        none if measure.ownership is None else _text(measure.ownership),
    ]


def _text(mean: Mean, digits: int = 3) -> str:
    return f"{mean.value:.{digits}f} {plus_minus(mean.error, digits)} of {mean.count:,}"
