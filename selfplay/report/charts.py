"""Charts as inline SVG for a page: lines with bands, dots with whiskers, reliability.

Colours are the page's style-sheet variables `--s0` ... `--s5` and its classes, so that a chart is
readable on light and dark. Browsers show the `<title>` of a mark under the pointer; scripts are not
needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from cnncore.system.fonts import text_width

Interval = tuple[float, float, float]
"""A value and the ends of its 95 % interval: (value, low, high)."""

COLOURS = 6
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 62.0, 20.0, 14.0, 46.0


@dataclass(frozen=True)
class Series:
    """One line of a chart."""

    name: str
    """What it is called."""
    xs: Sequence[float]
    """Horizontal values of its points."""
    ys: Sequence[float]
    """Vertical values of its points."""
    lows: Sequence[float] = ()
    """Lower ends of their intervals, drawn as a band; empty without intervals."""
    highs: Sequence[float] = ()
    """Upper ends of their intervals."""
    notes: Sequence[str] = ()
    """What browsers say of each point."""
    colour: int = 0
    """Number of its colour, 0 ... COLOURS - 1."""
    faint: bool = False
    """Whether it is a background line without dots, of training batches for example."""


@dataclass(frozen=True)
class Frame:
    """Where the axes of a chart lie, and how values become points of the picture."""

    x_range: tuple[float, float]
    """Least and greatest horizontal value."""
    y_range: tuple[float, float]
    """Least and greatest vertical value."""
    width: float = _WIDTH
    """Width of the picture."""
    height: float = 300.0
    """Height of the picture."""

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        low, high = self.y_range
        return self.height - _BOTTOM - (value - low) / (high - low) * (self.height - _TOP - _BOTTOM)


def ticks(low: float, high: float, *, about: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, `about` as many as asked for."""
    raw = (high - low) / max(about, 1)
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(scale * factor for factor in (1, 2, 2.5, 5, 10) if scale * factor >= 0.8 * raw)
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def spread(values: Sequence[float], *, margin: float = 0.06) -> tuple[float, float]:
    """Return a range that holds all values with a little air on both sides."""
    low, high = min(values), max(values)
    air = margin * (high - low) or 0.5 * abs(high) or 1.0
    return low - air, high + air


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    x_text: Callable[[float], str] = "{:g}".format,
    y_text: Callable[[float], str] = "{:g}".format,
    height: float = 300.0,
    width: float = _WIDTH,
) -> str:
    """Return lines over a common axis, each with its band and dots."""
    strong = [line for line in series if not line.faint] or list(series)
    x_values = [x for line in series for x in line.xs]
    y_values = [y for line in strong for y in (*line.ys, *line.lows, *line.highs)]
    frame = Frame(spread(x_values, margin=0.02), spread(y_values), width, height)
    parts = [_axes(frame, x_label, y_label, x_text, y_text)]
    for line in series:
        parts.append(_band(frame, line))
        places = [(frame.x(x), frame.y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        path = "L".join(
            f"{x:.1f} {y:.1f}" for x, y in places if _TOP - 1 <= y <= height - _BOTTOM + 1
        )
        faint = ' stroke-opacity="0.3" stroke-width="1"' if line.faint else ' stroke-width="2"'
        parts.append(f'<path d="M{path}" fill="none" stroke="var(--s{line.colour})"{faint}/>')
        if not line.faint:
            notes = line.notes or [""] * len(places)
            for (x, y), note in zip(places, notes, strict=True):
                parts.append(_dot(x, y, line.colour, note, 3.2))
    return _svg(parts, width, height, f"{y_label} over {x_label}")


def whisker_chart(
    rows: Sequence[tuple[str, Sequence[Interval | None]]],
    *,
    x_label: str,
    text: Callable[[float], str],
) -> str:
    """Return one row a group with one dot and whiskers a series."""
    several = max(len(entries) for _, entries in rows)
    step = max(26.0, 13.0 * several + 8.0)
    height = _TOP + step * len(rows) + _BOTTOM
    left = 16.0 + 8.2 * max(text_width(name) for name, _ in rows)
    values = [v for _, entries in rows for entry in entries if entry for v in entry]
    frame = Frame(spread(values), (0.0, 1.0))

    def across(value: float) -> float:
        low, high = frame.x_range
        return left + (value - low) / (high - low) * (_WIDTH - left - _RIGHT)

    parts = []
    for value in ticks(*frame.x_range):
        x = across(value)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{height - _BOTTOM}" class="grid"/>')
        parts.append(_text(x, height - _BOTTOM + 17, text(value), "middle"))
    parts.append(_text((left + _WIDTH - _RIGHT) / 2, height - 8, x_label, "middle", "label"))
    for number, (name, entries) in enumerate(rows):
        middle = _TOP + step * (number + 0.5)
        parts.append(_text(left - 9, middle + 4, name, "end", "label"))
        for index, entry in enumerate(entries):
            if entry is None:
                continue
            value, low, high = entry
            y = middle + 13.0 * (index - (several - 1) / 2)
            note = f"{name}: {text(value)} ({text(low)} to {text(high)})"
            parts.append(
                f'<path d="M{across(low):.1f} {y:.1f}H{across(high):.1f}" '
                f'stroke="var(--s{index % COLOURS})" stroke-width="2"/>'
            )
            parts.append(_dot(across(value), y, index % COLOURS, note, 4.2))
    return _svg(parts, _WIDTH, height, x_label)


def reliability_chart(series: Sequence[Series]) -> str:
    """Return how often the first choice was right over how sure the network was, both in 0 ... 1.

    The dashed diagonal is perfect calibration.
    """
    side = 420.0
    frame = Frame((0.0, 1.0), (0.0, 1.0), side, side)
    percent = "{:.0%}".format
    parts = [_axes(frame, "probability it gave its first choice", "share right", percent, percent)]
    parts.append(f'<path d="M{frame.x(0)} {frame.y(0)}L{frame.x(1)} {frame.y(1)}" class="ideal"/>')
    for line in series:
        places = [(frame.x(x), frame.y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        colour = f'stroke="var(--s{line.colour})"'
        for (x, _), low, high in zip(places, line.lows, line.highs, strict=True):
            parts.append(
                f'<path d="M{x:.1f} {frame.y(low):.1f}V{frame.y(high):.1f}" {colour} '
                'stroke-width="2" stroke-opacity="0.55"/>'
            )
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" {colour} stroke-width="2"/>')
        for (x, y), note in zip(places, line.notes, strict=True):
            parts.append(_dot(x, y, line.colour, note, 4.0))
    return _svg(parts, side, side, "Calibration")


def legend(names: Sequence[str], colours: Sequence[int] | None = None) -> str:
    """Return the names beside their colours, as HTML; nothing for a single one."""
    if len(names) < 2:
        return ""
    items = "".join(
        f'<span><i style="background:var(--s{colour % COLOURS})"></i>{escape(name)}</span>'
        for name, colour in zip(names, colours or range(len(names)), strict=True)
    )
    return f'<p class="legend">{items}</p>'


def _svg(parts: Sequence[str], width: float, height: float, title: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:{width:g}px">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str, style: str = "tick") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">'
        f"{escape(text)}</text>"
    )


def _dot(x: float, y: float, colour: int, note: str, radius: float) -> str:
    title = f"<title>{escape(note)}</title>" if note else ""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="var(--s{colour})">{title}</circle>'
    )


def _band(frame: Frame, line: Series) -> str:
    """Return the area between the ends of the intervals."""
    if not line.lows:
        return ""
    upper = [f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in zip(line.xs, line.highs, strict=True)]
    lower = [f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in zip(line.xs, line.lows, strict=True)]
    path = "L".join([*upper, *reversed(lower)])
    return f'<path d="M{path}Z" fill="var(--s{line.colour})" fill-opacity="0.14"/>'


def _axes(
    frame: Frame,
    x_label: str,
    y_label: str,
    x_text: Callable[[float], str],
    y_text: Callable[[float], str],
) -> str:
    """Return the grid, its numbers and the names of both axes."""
    parts = []
    bottom, right = frame.height - _BOTTOM, frame.width - _RIGHT
    for value in ticks(*frame.y_range, about=5):
        y = frame.y(value)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" class="grid"/>')
        parts.append(_text(_LEFT - 8, y + 4, y_text(value), "end"))
    for value in ticks(*frame.x_range, about=max(3, int(frame.width / 100))):
        x = frame.x(value)
        parts.append(f'<path d="M{x:.1f} {bottom}v5" class="grid"/>')
        parts.append(_text(x, bottom + 18, x_text(value), "middle"))
    parts.append(_text((_LEFT + right) / 2, frame.height - 8, x_label, "middle", "label"))
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text transform="translate(14 {middle:.1f}) rotate(-90)" text-anchor="middle" '
        f'class="label">{escape(y_label)}</text>'
    )
    return "".join(parts)
