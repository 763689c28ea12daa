"""The course of a game as a picture: win rate and score move by move, in SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from cnncore.system.fonts import lettering
from goengine.analysis.position_analysis import PositionAnalysis
from goengine.review.game_summary import GameSummary
from goengine.review.review_words import ReviewWords
from goengine.types import BLACK

WIDTH, NARROW = 960.0, 380.0
"""Of a graph on a wide screen and on a phone, where the wide one's letters would be too small."""
HEIGHT = 190.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 10.0, 26.0
LEAST_SPAN = 10.0
"""Points that the graph of the score reaches at the least, up and down."""


def score_span(positions: Sequence[PositionAnalysis]) -> float:
    """Return the points up to which a graph of the score goes, a multiple of 10."""
    most = max((abs(position.black_lead) for position in positions), default=0.0)
    return max(LEAST_SPAN, 10.0 * -(-most // 10))


def course_svg(summary: GameSummary, words: ReviewWords) -> str:
    """Return win rate and score as `<svg>` elements; dots of costly moves link to `#moveN`.

    Each comes in two widths, of which the page shows one: classes `chart` and `chart narrow`.
    """
    positions = summary.analysis.positions
    span = score_span(positions)
    rates = [(position.turn, 100 * position.black_winrate) for position in positions]
    leads = [(position.turn, position.black_lead) for position in positions]
    rate_ticks = (0.0, 25.0, 50.0, 75.0, 100.0)
    lead_ticks = (-span, -span / 2, 0.0, span / 2, span)
    return "".join(
        _graph(summary, label, values, ticks, width)
        for label, values, ticks in (
            (words.black_winrate, rates, rate_ticks),
            (words.black_score, leads, lead_ticks),
        )
        for width in (WIDTH, NARROW)
    )


def course_figure(summary: GameSummary, words: ReviewWords, title: str) -> Figure:
    """Return a figure of win rate and score, with the costliest moves as dots."""
    positions = summary.analysis.positions
    figure = Figure(figsize=(10, 6), facecolor="white", layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    turns = [position.turn for position in positions]
    rates = [100 * position.black_winrate for position in positions]
    leads = [position.black_lead for position in positions]
    span = score_span(positions)
    heads = ((words.black_winrate, "win rate"), (words.black_score, "score"))
    for axes, values, (low, high), head in zip(
        (above, below), (rates, leads), ((0, 100), (-span, span)), heads, strict=True
    ):
        middle = (low + high) / 2
        axes.set_ylim(low, high)
        axes.set_xlim(min(turns, default=0), max([*turns, 1]))
        axes.axhline(middle, color="#8a8172", linewidth=0.8)
        axes.fill_between(turns, values, middle, color="#1f66b0", alpha=0.18)
        axes.plot(turns, values, color="#1f66b0", linewidth=1.8)
        axes.grid(color="#e3ded2", linewidth=0.7)
        label = lettering(*head)
        axes.set_title(label.text, loc="left", fontsize=10, **label.style())
        by_turn = dict(zip(turns, values, strict=True))
        for move in summary.costliest:
            face = "#16161a" if move.colour == BLACK else "#fbfbf8"
            axes.plot(
                [move.number],
                [by_turn[move.number]],
                marker="o",
                markersize=7,
                markerfacecolor=face,
                markeredgecolor="#c8281e",
                markeredgewidth=1.6,
                linestyle="none",
            )
    shown = lettering(title, "Black - White", limit=80)
    figure.suptitle(shown.text, fontsize=13, **shown.style())
    return figure


def _graph(
    summary: GameSummary,
    label: str,
    values: Sequence[tuple[int, float]],
    ticks: Sequence[float],
    width: float,
) -> str:
    """Return one graph; `ticks` go from its lower to its upper edge."""
    low, high = ticks[0], ticks[-1]
    last = max([turn for turn, _ in values] + [1])

    def x(turn: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * turn / last

    def y(value: float) -> float:
        inside = min(high, max(low, value))
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - inside) / (high - low)

    kind = "chart" if width == WIDTH else "chart narrow"
    parts = [
        f'<svg class="{kind}" viewBox="0 0 {width:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(label)}">'
    ]
    for tick in ticks:
        parts.append(f'<path class="grid" d="M{LEFT:g} {y(tick):.1f}H{width - RIGHT:g}"/>')
        text = f"{tick:+g}" if low < 0 < abs(tick) else f"{tick:g}"
        parts.append(
            f'<text class="tick" x="{LEFT - 6:g}" y="{y(tick) + 4:.1f}" '
            f'text-anchor="end">{text}</text>'
        )
    step = max(10, 10 * round(last * WIDTH / width / 80)) if last >= 20 else 5
    for turn in range(0, last + 1, step):
        parts.append(
            f'<text class="tick" x="{x(turn):.1f}" y="{HEIGHT - 8:g}" '
            f'text-anchor="middle">{turn}</text>'
        )
    if values:
        line = "L".join(f"{x(turn):.1f} {y(value):.1f}" for turn, value in values)
        middle = y((low + high) / 2)
        first, end = x(values[0][0]), x(values[-1][0])
        parts.append(
            f'<path class="area" d="M{first:.1f} {middle:.1f}L{line}L{end:.1f} {middle:.1f}Z"/>'
        )
        parts.append(f'<path class="line" d="M{line}"/>')
    parts.append(f'<text class="label" x="{LEFT + 6:g}" y="{TOP + 14:g}">{escape(label)}</text>')
    by_turn = dict(values)
    for move in summary.costliest:
        if move.number in by_turn:
            face = "black" if move.colour == BLACK else "white"
            place = f'cx="{x(move.number):.1f}" cy="{y(by_turn[move.number]):.1f}" r="6"'
            parts.append(
                f'<a href="#move{move.number}"><circle class="{face}" {place}>'
                f"<title>{move.number}</title></circle></a>"
            )
    return "".join([*parts, "</svg>"])
