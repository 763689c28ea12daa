"""The figures of the report of an evaluation: each a section with its words, chart and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from selfplay.evaluation.calibration import reliability
from selfplay.evaluation.held_out_answers import Evaluation
from selfplay.evaluation.intervals import Share, plus_minus
from selfplay.evaluation.measures import BIN, PHASES, Measure, measure_groups
from selfplay.report.charts import (
    COLOURS,
    Interval,
    Series,
    legend,
    line_chart,
    reliability_chart,
    whisker_chart,
)
from selfplay.report.examples import CONFIDENT
from selfplay.report.page_frame import bounds, percent, section, table

FEWEST = 30
"""Groups with fewer positions, or of one game, are in the tables but not in the figures."""


@dataclass(frozen=True)
class Curve:
    """The metrics of a training run."""

    name: str
    """What the run is called."""
    lines: Sequence[dict[str, Any]]
    """Lines as curves.MetricsLog reads them."""


def learning(curves: Sequence[Curve], networks: Sequence[str] = ()) -> str:
    """Return held-out top-1 and loss over the positions seen, training batches faintly behind.

    A curve has the colour of the network of its name, others have the colours that are left.
    """
    drawn = [curve for curve in curves if len(_points(curve, "validation", "top1")[0]) > 1]
    if not drawn:
        return ""
    order = [*networks, *(curve.name for curve in drawn)]
    colours = [order.index(curve.name) % COLOURS for curve in drawn]
    figures = []
    for key, label, scale in (("top1", "top-1 on held-out games, %", 100.0), ("loss", "loss", 1.0)):
        series = []
        for colour, curve in zip(colours, drawn, strict=True):
            batches = "policy_loss" if key == "loss" else key
            xs, ys = _points(curve, "train", batches)
            if len(xs) > 1:
                smooth = _smoothed(ys, max(1, len(ys) // 60))
                series.append(
                    Series("", xs, [scale * y for y in smooth], colour=colour, faint=True)
                )
            xs, ys = _points(curve, "validation", key)
            notes = [
                f"{curve.name}, {x:,.2f} million positions: {scale * y:.4g}"
                for x, y in zip(xs, ys, strict=True)
            ]
            ys = [scale * y for y in ys]
            series.append(Series(curve.name, xs, ys, notes=notes, colour=colour))
        chart = line_chart(series, x_label="million positions seen", y_label=label, width=480.0)
        figures.append(f"<figure>{chart}</figure>")
    figures += _judging_curves(drawn, colours)
    last = "; ".join(
        f"{escape(curve.name)} stands at {percent(ys[-1])} after {xs[-1]:.3g} million positions"
        for curve in drawn
        for xs, ys in [_points(curve, "validation", "top1")]
    )
    text = (
        f"<p>{last}. Dots: the averaged weights on held-out positions of the run's own mixture; "
        f"faint: training batches.{_gaps(drawn)}</p>"
    )
    return section(
        "How it learned",
        text
        + legend([curve.name for curve in drawn], colours)
        + f'<div class="pair">{"".join(figures)}</div>',
    )


def _judging_curves(curves: Sequence[Curve], colours: Sequence[int]) -> list[str]:
    """Return the value error on held-out games, faintly that on games learnt from."""
    series = []
    for colour, curve in zip(colours, curves, strict=True):
        for key, faint in (("learnt_value_error", True), ("value_error", False)):
            xs, ys = _points(curve, "validation", key)
            if len(xs) > 1:
                name = "" if faint else curve.name
                series.append(Series(name, xs, ys, colour=colour, faint=faint))
    if not series:
        return []
    label = "value error; faint: on games learnt from"
    chart = line_chart(series, x_label="million positions seen", y_label=label, width=480.0)
    return [f"<figure>{chart}</figure>"]


def _gaps(curves: Sequence[Curve]) -> str:
    """Return how much worse held-out games are judged than those learnt from."""
    texts = []
    for curve in curves:
        _, gaps = _points(curve, "validation", "value_gap")
        if gaps:
            texts.append(
                f"{escape(curve.name)} judges held-out games by {gaps[-1]:.4f} of squared error "
                "worse than games that it learns from"
            )
    return f" {'; '.join(texts)}: the larger that gap, the more it knows by heart." if texts else ""


def _points(curve: Curve, event: str, key: str) -> tuple[list[float], list[float]]:
    lines = [line for line in curve.lines if line.get("event") == event and key in line]
    return [line["samples"] / 1e6 for line in lines], [float(line[key]) for line in lines]


def _smoothed(values: Sequence[float], width: int) -> list[float]:
    """Return a running mean over the last `width` values."""
    sums = np.cumsum([0.0, *values])
    return [
        float((sums[i] - sums[max(0, i - width)]) / min(i, width))
        for i in range(1, len(values) + 1)
    ]


def by_move_number(evaluation: Evaluation) -> str:
    """Return top-1 over the move number, with bands."""
    measures = _of_all(evaluation, "move")
    series = []
    for number, (contestant, groups) in enumerate(
        zip(evaluation.contestants, measures, strict=True)
    ):
        kept = {name: ends for name, m in groups.items() if (ends := _interval(m.top1))}
        series.append(
            Series(
                contestant.name,
                [int(name.split("-")[0]) + (BIN - 1) / 2 for name in kept],
                [100 * value for value, _, _ in kept.values()],
                [100 * low for _, low, _ in kept.values()],
                [100 * high for _, _, high in kept.values()],
                [f"moves {name}: {_text(groups[name].top1)}" for name in kept],
                number % COLOURS,
            )
        )
    if not all(line.xs for line in series):
        return ""
    chart = line_chart(series, x_label="move number", y_label="top-1, %")
    best = max(zip(series[0].ys, series[0].xs, strict=True))
    worst = min(zip(series[0].ys, series[0].xs, strict=True))
    names = [contestant.name for contestant in evaluation.contestants]
    text = (
        f"<p>{escape(names[0])} guesses from {percent(worst[0] / 100)} (around move "
        f"{worst[1]:.0f}) to {percent(best[0] / 100)} (around move {best[1]:.0f}). Bands "
        "are 95 % intervals: where they overlap, take no point for higher.</p>"
    )
    body = f"{text}{legend(names)}<figure>{chart}</figure>{_numbers(evaluation, measures, 'moves')}"
    return section("By move number", body)


def grouped(evaluation: Evaluation, grouping: str, title: str) -> str:
    """Return top-1 of each group with whiskers, and all numbers in a table."""
    measures = _of_all(evaluation, grouping)
    names = list(measures[0])
    shown = [name for name in names if _interval(measures[0][name].top1)]
    if not shown:
        return ""
    rows: list[tuple[str, list[Interval | None]]] = [
        (name, [_interval(groups[name].top1) for groups in measures]) for name in shown
    ]
    text = {
        "source": "<p>Whiskers are 95 % intervals.</p>",
        "phase": f"<p>{escape(_phases())}</p>",
        "rank": "<p>The rank of the one who moved, as the game record gives it; servers and "
        "professional grades are different scales.</p>",
    }[grouping]
    if len(names) < 2:
        return ""
    contestants = [contestant.name for contestant in evaluation.contestants]
    chart = whisker_chart(rows, x_label="top-1", text=percent)
    body = (
        f"{text}{legend(contestants)}<figure>{chart}</figure>"
        f"{_numbers(evaluation, measures, grouping)}"
    )
    return section(title, body)


def _of_all(evaluation: Evaluation, grouping: str) -> list[dict[str, Measure]]:
    return [measure_groups(a, evaluation.archive, grouping) for a in evaluation.answers]


def _numbers(evaluation: Evaluation, measures: Sequence[dict[str, Measure]], kind: str) -> str:
    """Return every number of the groups in a table that unfolds."""
    head = [kind, "network", "positions", "top-1", "top-5", "loss", "calibration error"]
    rows = [
        [
            name,
            contestant.name,
            f"{groups[name].top1.count:,}",
            _text(groups[name].top1),
            _text(groups[name].top5),
            f"{groups[name].loss:.3f} {plus_minus(groups[name].loss_error, 3)}",
            percent(groups[name].ece),
        ]
        for name in measures[0]
        for contestant, groups in zip(evaluation.contestants, measures, strict=True)
    ]
    return f"<details><summary>The numbers</summary>{table(head, rows)}</details>"


def calibration(evaluation: Evaluation) -> str:
    """Return the reliability diagram with its table."""
    series, rows, words = [], [], []
    for number, (contestant, answers) in enumerate(
        zip(evaluation.contestants, evaluation.answers, strict=True)
    ):
        bins = reliability(answers.chances[:, 0], answers.better == 0, answers.games)
        kept = {b: ends for b in bins if (ends := _interval(b.right))}
        edges = [f"{100 * b.edges[0]:.0f}-{100 * b.edges[1]:.0f} %" for b in kept]
        notes = [
            f"said {percent(b.confidence)}, right {percent(b.share)} of {b.count:,}" for b in kept
        ]
        series.append(
            Series(
                contestant.name,
                [b.confidence for b in kept],
                [b.share for b in kept],
                [low for _, low, _ in kept.values()],
                [high for _, _, high in kept.values()],
                notes,
                number % COLOURS,
            )
        )
        rows += [
            [edge, contestant.name, f"{b.count:,}", percent(b.confidence), percent(b.share)]
            for edge, b in zip(edges, kept, strict=True)
        ]
        sure = [b for b in kept if b.confidence >= CONFIDENT]
        if sure:
            count = sum(b.count for b in sure)
            right = sum(b.count * b.share for b in sure) / count
            said = sum(b.count * b.confidence for b in sure) / count
            words.append(
                f"When {escape(contestant.name)} is confident ({100 * CONFIDENT:.0f} % or more), "
                f"it says {percent(said)} on average and is right {percent(right)} of the time."
            )
    drawn = [line for line in series if line.xs]
    if not drawn:
        return ""
    names = [contestant.name for contestant in evaluation.contestants]
    head = ["it said", "network", "positions", "mean", "right"]
    body = (
        f"<p>{'</p><p>'.join(words)}</p><p>On the dashed line its probabilities mean "
        "what they say; below it, the network is too sure of itself.</p>"
        f"{legend(names)}<figure>{reliability_chart(drawn)}</figure>"
        f"<details><summary>The numbers</summary>{table(head, rows)}</details>"
    )
    return section("Can its probabilities be believed?", body)


def _interval(share: Share) -> Interval | None:
    """Return what a figure shows of a share, if it shows it."""
    if share.count < FEWEST or share.interval is None:
        return None
    return share.value, *share.interval


def _text(share: Share) -> str:
    return f"{percent(share.value)} {bounds(share)}"


def _phases() -> str:
    parts = [
        f"{name}: moves {first + 1} to {end}" if end < 1000 else f"{name}: from move {first + 1} on"
        for name, (first, end) in PHASES.items()
    ]
    return "; ".join(parts).capitalize() + "."
