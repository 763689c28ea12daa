"""Metrics of a training run as JSON lines on disk, and as a PNG that shows how it went."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnncore.system import atomic
from cnncore.system.fonts import lettering


class MetricsLog:
    """A file with one JSON object a line, each with "event" and "step"; written line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; it is on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """Return all complete lines; one cut short by a crash, or of another kind, is left out."""
        if not self.path.is_file():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            if isinstance(line, dict) and {"event", "step"} <= line.keys():
                lines.append(line)
        return lines

    def forget_after(self, step: int) -> None:
        """Drop the lines behind `step`, so that a resumed run writes each line once."""
        if not self.path.is_file():
            return
        kept = [line for line in self.read() if line["step"] <= step]
        atomic.write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))


def plot_curves(lines: Sequence[dict[str, Any]], path: Path, *, title: str) -> None:
    """Draw loss and top-1 over the samples seen as a PNG, once there is a line of training.

    Where a value is learnt, its error on held-out samples and on those learnt from is drawn beside
    them. The title is written if an installed font has its letters.
    """
    train = [line for line in lines if line["event"] == "train"]
    held_out = [line for line in lines if line["event"] == "validation"]
    if not train:
        return
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    judged = [line for line in held_out if "value_error" in line]
    panels = 3 if judged else 2
    figure = Figure(figsize=(5 * panels, 4), layout="constrained")
    loss_axes, top_axes, *more = figure.subplots(1, panels)
    for axes, key, scale in ((loss_axes, "loss", 1.0), (top_axes, "top1", 100.0)):
        mine = "policy_loss" if key == "loss" and "policy_loss" in train[0] else key
        if mine in train[0]:
            axes.plot(
                [line["samples"] for line in train],
                [scale * line[mine] for line in train],
                color="#9ab",
                linewidth=0.8,
                marker="." if len(train) == 1 else None,
                label="training batches",
            )
        points = [line for line in held_out if key in line]
        axes.plot(
            [line["samples"] for line in points],
            [scale * line[key] for line in points],
            color="#c40",
            marker="o",
            markersize=3,
            label="held out (averaged weights)",
        )
        axes.set_xlabel("samples seen")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.grid(alpha=0.3)
    loss_axes.set_ylabel("cross-entropy")
    top_axes.set_ylabel("top-1, %")
    top_axes.legend(loc="lower right")
    if judged:
        _plot_value(more[0], judged)
        more[0].xaxis.set_major_formatter(EngFormatter(sep=""))
    name = lettering(title, "training run")
    figure.suptitle(name.text, **name.style())
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _plot_value(axes: Any, lines: Sequence[dict[str, Any]]) -> None:
    """Draw the value error on held-out samples, and on those that the run learns from."""
    kinds = (("value_error", "#c40", "held out"), ("learnt_value_error", "#9ab", "learnt from"))
    for key, colour, label in kinds:
        points = [line for line in lines if key in line]
        axes.plot(
            [line["samples"] for line in points],
            [line[key] for line in points],
            color=colour,
            marker="o",
            markersize=3,
            label=label,
        )
    axes.set_xlabel("samples seen")
    axes.set_ylabel("value error (squared)")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
