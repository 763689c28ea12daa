"""The report: one page that needs nothing but itself, says what was measured, and picks fairly."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from goengine import BLACK, Board
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.pictures.svg import board_svg
from selfplay.batches.fixed_samples import source_sample
from selfplay.evaluation.held_out_answers import Contestant, Evaluation, ask, joined
from selfplay.report.chart_sections import Curve
from selfplay.report.charts import Series, legend, line_chart, spread, ticks, whisker_chart
from selfplay.report.evaluation_page import report_page, write_report
from selfplay.report.examples import confident_misses, drawn_by_lot, example
from selfplay.report.page_frame import percent, table
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Two networks, the second one confident, on one batch of random games."""
    archive = make_archive(tmp_path_factory.mktemp("report") / "archive", games=500)
    contestants = []
    for seed, name in enumerate(("one <b>", "two")):
        torch.manual_seed(seed)
        net = PolicyNet(PolicyConfig(filters=4, layers=3)).eval()
        net.head.weight.data *= 1 + 40 * seed
        contestants.append(Contestant(name, net))
    batches = list(ask(contestants, source_sample(archive, "even", limit=120), batch=60))
    answers = [joined(parts) for parts in zip(*batches, strict=True)]
    return Evaluation(archive, contestants, answers, split="test", limit=120, finished=True)


CURVE = Curve(
    "two",
    [
        *({"event": "train", "samples": n, "top1": 0.3, "policy_loss": 3.0} for n in range(9)),
        {"event": "validation", "samples": 400_000, "loss": 2.9, "top1": 0.31, "top5": 0.6},
        {"event": "validation", "samples": 800_000, "loss": 2.5, "top1": 0.37, "top5": 0.7},
    ],
)


class _Balance(HTMLParser):
    """Checks that every element that is opened is closed, in order."""

    VOID = frozenset({"meta", "br", "rect", "circle", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself leaves nothing open."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_but_itself(evaluation: Evaluation) -> None:
    page = report_page(evaluation, [CURVE])
    assert not re.search(r"https?:|<script|<link|<img|src=|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page and '<meta charset="utf-8">' in page
    reader = _Balance()
    reader.feed(page)
    assert reader.open == []
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) >= 2 + 1 + 6  # learning curves, by move, boards
    for drawing in drawings:
        ElementTree.fromstring(drawing)


def test_the_page_says_what_was_measured(evaluation: Evaluation) -> None:
    page = report_page(evaluation, [CURVE])
    assert "one &lt;b&gt;" in page and "one <b>" not in page
    for words in (
        "in 120 positions",
        "Compared on the same positions",
        "two stands at 37.0",
        "By move number",
        "Can its probabilities be believed?",
        evaluation.archive.digest,
    ):
        assert words in page, words
    assert "interrupted" not in page


def test_a_single_network_is_compared_with_nobody(evaluation: Evaluation) -> None:
    alone = Evaluation(
        evaluation.archive,
        evaluation.contestants[:1],
        evaluation.answers[:1],
        split="train",
        limit=120,
        finished=False,
    )
    page = report_page(alone)
    assert "Compared on" not in page and "How it learned" not in page
    assert "<b>trained on</b>" in page and "The evaluation was interrupted" in page


def test_the_page_is_written_whole(evaluation: Evaluation, tmp_path: Path) -> None:
    write_report(evaluation, tmp_path / "new" / "page.html")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]
    text = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert text == report_page(evaluation)


def test_boards_can_be_left_out(evaluation: Evaluation) -> None:
    boards = "Where network and player differ"
    page = report_page(evaluation, [CURVE], boards=0)
    assert boards in report_page(evaluation, [CURVE], boards=1) and boards not in page
    drawn = [len(re.findall(r"<figcaption><b>", text)) for text in (page, report_page(evaluation))]
    assert drawn[0] == 0 < drawn[1]
    assert "By move number" in page


def test_examples_are_drawn_by_lot(evaluation: Evaluation) -> None:
    answers = evaluation.answers[1]
    misses = confident_misses(answers)
    chosen = drawn_by_lot(misses, count=6)
    assert len(chosen) == 6 == len(set(chosen)) and misses[chosen].all()
    assert (answers.chances[chosen, 0] >= 0.5).all() and (answers.better[chosen] > 0).all()
    assert drawn_by_lot(misses, count=6) == chosen
    assert drawn_by_lot(misses & (np.arange(120) < 0), count=6) == []
    every = np.ones(100_000, dtype=bool)
    assert 20_000 < np.mean(drawn_by_lot(every, count=2000)) < 80_000


def test_an_example_shows_the_position_before_the_move(evaluation: Evaluation) -> None:
    answers = evaluation.answers[1]
    index = int(np.argmax(answers.plies))
    shown = example(evaluation.archive, evaluation.contestants, evaluation.answers, index, shown=1)
    record = evaluation.archive.game(int(answers.games[index]))
    stones = int((record.board_at(int(answers.plies[index])).grid != 0).sum())
    assert shown.board.count('stroke="#16161a" stroke-width="0.8"/>') == stones
    assert shown.board.count('stroke="#c8281e"') == 1
    assert f"Move {answers.plies[index] + 1}," in shown.caption
    assert "one &lt;b&gt;:" in shown.caption and "two:" in shown.caption


def test_a_board_shows_stones_chances_and_the_move_played() -> None:
    board = Board(9)
    board.play(40)
    board.play(41)
    drawing = ElementTree.fromstring(
        board_svg(board, chances={0: 0.62, 1: 0.001}, played=0, title="a &amp; b")
    )
    circles = [e for e in drawing.iter() if e.tag == "circle"]
    faces = [circle.get("fill") for circle in circles]
    assert faces.count("#16161a") == 2  # a black stone, and the dot on the last, white one
    assert faces.count("#fbfbf8") == 1
    texts = [e.text for e in drawing.iter() if e.tag == "text"]
    assert texts[-2:] == ["62", "·"] and texts[:2] == ["A", "9"]
    ring, likely = circles[-1], next(c for c in circles if c.get("fill") == "#053878")
    assert not any(circle.get("fill-opacity") for circle in circles)
    assert "sans-serif" in str(drawing.get("font-family"))
    assert ring.get("fill") == "none"
    assert (ring.get("cx"), ring.get("cy")) == (likely.get("cx"), likely.get("cy"))
    assert drawing.get("aria-label") == "a & b"
    assert board.to_play == BLACK


def test_names_of_wide_letters_have_room() -> None:
    for name in ("이창호의 네트워크", "policy network of me"):
        chart = ElementTree.fromstring(
            whisker_chart([(name, [(0.5, 0.4, 0.6)])], x_label="top-1", text="{:.2f}".format)
        )
        label = next(e for e in chart.iter() if e.text == name)
        letters = 2 * len(name) - 1 if name[0] == "이" else len(name)
        assert float(label.get("x", 0)) > 6.5 * letters


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.352, 0.487), (-3.0, 240.0), (1e-4, 2e-4), (17.0, 18.5)]
)
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 3 <= len(found) <= 9
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0])
    assert f"{steps[0]:.3g}".strip("0.e-")[0] in "1245"


def test_a_range_has_air_even_around_one_value() -> None:
    assert spread([5.0]) == (2.5, 7.5) and spread([0.0]) == (-1.0, 1.0)
    low, high = spread([0.0, 100.0])
    assert low < 0 and high > 100


def _circles(chart: str) -> list[tuple[float, float]]:
    drawing = ElementTree.fromstring(chart)
    circles = [element for element in drawing.iter() if element.tag == "circle"]
    return [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in circles]


def test_charts_put_more_to_the_right_and_higher() -> None:
    line = Series("a", [1, 2, 3], [0.1, 0.3, 0.2], [0.0, 0.2, 0.1], [0.2, 0.4, 0.3])
    faint = Series("", [1, 2, 3], [9.0, 0.25, 0.2], faint=True)
    places = _circles(line_chart([faint, line], x_label="x", y_label="y"))
    assert len(places) == 3
    xs, ys = zip(*places, strict=True)
    assert list(xs) == sorted(xs) and ys[1] < ys[2] < ys[0]
    rows = [("first", [(0.4, 0.3, 0.5)]), ("second", [(0.6, 0.5, 0.7)]), ("third", [None])]
    dots = _circles(whisker_chart(rows, x_label="x", text=percent))
    assert len(dots) == 2 and dots[0][0] < dots[1][0] and dots[0][1] < dots[1][1]


def test_texts_are_escaped() -> None:
    assert "<td>a&amp;b</td>" in table(["x"], [["a&b"]])
    assert "&lt;i&gt;" in legend(["<i>", "b"]) and legend(["only"]) == ""
    ElementTree.fromstring(whisker_chart([("<&>", [(0.4, 0.3, 0.5)])], x_label="&", text=percent))
