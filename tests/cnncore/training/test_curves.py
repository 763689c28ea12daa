"""Metrics on disk, and their curves."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from cnncore.training.curves import MetricsLog, plot_curves


def test_metrics_forget_what_a_crash_cut_short(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for step in (1, 2, 3):
        log.write({"event": "train", "step": step, "samples": step, "loss": 1.0})
    with log.path.open("a") as file:
        file.write('{"event": "tr')
    assert [line["step"] for line in log.read()] == [1, 2, 3]
    log.forget_after(2)
    assert [line["step"] for line in log.read()] == [1, 2]


@pytest.mark.parametrize("title", ["run", "이창호", "囲碁", "李世乭", "lr=$1e-3, $x_{"])
def test_the_curve_is_a_png(tmp_path: Path, title: str) -> None:
    lines = [
        {"event": event, "step": s, "samples": s, "loss": 1.0 / s, "top1": 0.1 * s}
        for s in (1, 2, 3)
        for event in ("train", "validation")
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_curves(lines, tmp_path / "curve.png", title=title)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
