"""The report of an evaluation: one HTML page without scripts, fonts or pictures from elsewhere.

Figures are SVG in the text (charts.py), boards too (goengine/pictures/svg.py), and colours follow
the reader's light or dark setting. Every figure has its numbers in a table that unfolds.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import torch

from cnncore.system import atomic
from cnncore.system.folders import make_folder
from selfplay.batches.fixed_samples import BATCH
from selfplay.evaluation.calibration import BINS
from selfplay.evaluation.held_out_answers import Contestant, Evaluation
from selfplay.evaluation.intervals import plus_minus, sign
from selfplay.evaluation.measures import by_source, difference, measure
from selfplay.report.chart_sections import Curve, by_move_number, calibration, grouped, learning
from selfplay.report.charts import COLOURS
from selfplay.report.examples import SHOWN, Example, confident_misses, drawn_by_lot, example
from selfplay.report.judgement_sections import judgement
from selfplay.report.page_frame import PAGE, bounds, percent, section, signed, table

ANCHOR = "kgs_6d"
"""The source that the paper's own figures are for."""


def write_report(
    evaluation: Evaluation, path: Path, *, curves: Sequence[Curve] = (), boards: int = SHOWN
) -> None:
    """Write the page, whole or not at all; arguments as of `report_page`."""
    make_folder(path.parent)
    atomic.write_text(path, report_page(evaluation, curves, boards=boards))


def report_page(
    evaluation: Evaluation, curves: Sequence[Curve] = (), *, boards: int = SHOWN
) -> str:
    """Return the page as HTML text, with up to `boards` example positions of each kind.

    Without boards the page shows figures alone, for games that may not be passed on.
    """
    names = [contestant.name for contestant in evaluation.contestants]
    sections = [
        _headlines(evaluation),
        _comparison(evaluation),
        learning(curves, names),
        grouped(evaluation, "source", "By source"),
        by_move_number(evaluation),
        grouped(evaluation, "phase", "By phase of the game"),
        grouped(evaluation, "rank", "By rank of the player"),
        calibration(evaluation),
        judgement(evaluation),
        _examples(evaluation, boards) if boards else "",
        _method(evaluation),
    ]
    title = f"How well does {names[0]} guess moves?"
    if len(names) > 1:
        title = f"How well do {' and '.join([', '.join(names[:-1]), names[-1]])} guess moves?"
    return PAGE.substitute(title=escape(title), body="\n".join(filter(None, sections)))


def _headlines(evaluation: Evaluation) -> str:
    """Return the few numbers to know, in plain words."""
    cards = []
    for number, (contestant, answers) in enumerate(
        zip(evaluation.contestants, evaluation.answers, strict=True)
    ):
        found = measure(answers)
        sure = float(answers.chances[:, 0].mean())
        seconds = float(np.median(answers.seconds))
        tiles = [
            (percent(found.top1.value), "player's move guessed", bounds(found.top1)),
            (percent(found.top5.value), "among its first five", bounds(found.top5)),
            (
                percent(math.exp(-found.loss)),
                "typical chance it gave the move",
                f"loss {found.loss:.3f} {plus_minus(found.loss_error, 3)} nats",
            ),
            (
                percent(found.ece),
                "calibration error",
                f"on average {percent(sure)} sure, {percent(found.top1.value)} right",
            ),
            (_time(seconds), "a position", f"median, {_device(contestant)}"),
        ]
        inner = "".join(
            f"<div><strong>{value}</strong><span>{word}</span><small>{escape(note)}</small></div>"
            for value, word, note in tiles
        )
        cards.append(
            f'<h2 class="net"><i style="background:var(--s{number % COLOURS})"></i>'
            f"{escape(contestant.name)} <small>{escape(_shape(contestant))}</small></h2>"
            f'<div class="tiles">{inner}</div>'
        )
    sources = by_source(evaluation.answers[0], evaluation.archive)
    lead = (
        f"<p>Asked for the next move in {len(evaluation.answers[0]):,} positions from games that "
        f"were kept apart from training ({escape(evaluation.split)} games of "
        f"{escape(', '.join(sources))}), choosing among all points of the board.</p>"
    )
    if evaluation.split == "train":
        lead = lead.replace("kept apart from training", "<b>trained on</b>")
    if not evaluation.finished:
        lead += (
            '<p class="warning">The evaluation was interrupted: these are the positions until '
            "then.</p>"
        )
    if ANCHOR in sources:
        here = ", ".join(
            f"{escape(contestant.name)} {percent(measure(answers, sources[ANCHOR]).top1.value)}"
            for contestant, answers in zip(evaluation.contestants, evaluation.answers, strict=True)
        )
        lead += (
            f"<p>On games of KGS players of 6 dan and more: {here}. AlphaGo's network guessed "
            "55.4 % there with 192 filters, and 57.0 % with 256 filters and 8 views (Silver et al. "
            "2016, Extended Data Table 3).</p>"
        )
    return lead + "".join(cards)


def _comparison(evaluation: Evaluation) -> str:
    """Return what each further network has more than the first one, position by position."""
    if len(evaluation.contestants) < 2:
        return ""
    first, base = evaluation.contestants[0], evaluation.answers[0]
    words, cells = [], []
    for contestant, answers in zip(evaluation.contestants[1:], evaluation.answers[1:], strict=True):
        gain = difference(base, answers)
        sure = sign(gain.top1, gain.top1_error)
        verdict = {-1: "fewer moves than", 0: "as many moves as", 1: "more moves than"}[sure]
        top1, error = signed(100 * gain.top1, 2), plus_minus(gain.top1_error, 2, scale=100)
        only = int(((answers.better == 0) & (base.better > 0)).sum())
        other = int(((answers.better > 0) & (base.better == 0)).sum())
        words.append(
            f"<p><b>{escape(contestant.name)}</b> guesses {verdict} {escape(first.name)}"
            f"{'' if sure else ' as far as these positions can tell'}: {top1} points {error}. "
            f"It alone was right in {only:,} positions, {escape(first.name)} alone in "
            f"{other:,}.</p>"
        )
        cells.append(
            [
                contestant.name,
                f"{top1} {error}",
                f"{signed(100 * gain.top5, 2)} {plus_minus(gain.top5_error, 2, scale=100)}",
                f"{signed(gain.loss, 4)} {plus_minus(gain.loss_error, 4)}",
            ]
        )
    head = [f"against {first.name}", "top-1, points", "top-5, points", "loss, nats"]
    return section(
        "Compared on the same positions",
        "".join(words) + table(head, cells),
    )


def _examples(evaluation: Evaluation, boards: int) -> str:
    """Return boards: confident misses, plain random positions, and where two networks differ."""
    archive, contestants, answers = evaluation.archive, evaluation.contestants, evaluation.answers
    first = answers[0]
    misses = confident_misses(first)
    groups = [
        (
            f"Confident, and the player chose otherwise ({percent(float(misses.mean()))} of all "
            "positions)",
            misses,
            0,
        )
    ]
    if len(answers) > 1:
        gained = (answers[1].better == 0) & (first.better > 0)
        lost = (answers[1].better > 0) & (first.better == 0)
        one, two = contestants[0].name, contestants[1].name
        groups.append((f"Found by {two}, not by {one} (the board shows {two})", gained, 1))
        groups.append((f"Found by {one}, not by {two} (the board shows {two})", lost, 1))
    groups.append(("Any position", np.ones(len(first), dtype=bool), 0))
    parts = [
        "<p>Drawn by lot with a fixed seed, not picked. Blue: the network's likeliest moves with "
        "their chance in per cent. Red ring: what the player played. Dot: the last move.</p>"
    ]
    for title, mask, shown in groups:
        chosen = drawn_by_lot(mask, count=boards)
        if chosen:
            cards = "".join(
                _card(example(archive, contestants, answers, index, shown=shown))
                for index in chosen
            )
            parts.append(f'<h3>{escape(title)}</h3><div class="boards">{cards}</div>')
    return section("Where network and player differ", "".join(parts))


def _card(shown: Example) -> str:
    return f"<figure>{shown.board}<figcaption>{shown.caption}</figcaption></figure>"


def _method(evaluation: Evaluation) -> str:
    """Return how it was measured."""
    archive = evaluation.archive
    devices = sorted({_device(contestant) for contestant in evaluation.contestants})
    games = len(np.unique(evaluation.answers[0].games))
    lines = [
        f"Archive {archive.path.name}, digest {archive.digest}, {len(archive):,} games; "
        f"{evaluation.split} split; up to {evaluation.limit:,} positions of each source, drawn "
        f"with a fixed seed, or each once if there are at most so many; here from {games:,} "
        "games. Passes are not asked about.",
        "Top-1 and top-5 are over all points of the board, without a legality mask. Intervals are "
        "at 95 %: Wilson's for shares, normal for losses and differences; positions of one game "
        "are not taken for independent, and a single game does not give an interval.",
        "Calibration error: mean distance between the probability of the first choice and how "
        f"often it was right, in {BINS} bins (Guo et al. 2017). In groups of a few hundred "
        "positions it is mostly chance.",
        f"{'; '.join(devices)}; batches of {BATCH}; torch {torch.__version__}; "
        f"{platform.machine()}.",
    ]
    return section("How this was measured", "".join(f"<p>{escape(line)}</p>" for line in lines))


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.2g} ms"


def _shape(contestant: Contestant) -> str:
    config = contestant.net.config
    count = sum(parameter.numel() for parameter in contestant.net.parameters())
    views = "the mean of 8 views" if contestant.symmetry == "all" else "one view"
    return (
        f"{config.kind}, {config.layers} layers of {config.filters} filters, {count:,} parameters, "
        f"{views}"
    )


def _device(contestant: Contestant) -> str:
    device = next(contestant.net.parameters()).device
    where = f"{torch.get_num_threads()} CPU threads"
    if torch.get_num_threads() == 1:
        where = "1 CPU thread"
    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    return f"{where}, {contestant.precision}"
