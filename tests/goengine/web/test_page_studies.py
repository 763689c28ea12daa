"""Studies in a real browser: records, analysis, review, the tree, the planes, accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goengine.inference.backends.backend import RawOutputs
from goengine.inference.evaluator import Evaluator
from tests.goengine.web.browser import Visitor, chromium
from tests.helpers.analysis_client import InstantBackend
from tests.helpers.web_client import WebServer

pytestmark = pytest.mark.browser

AXE = (
    Path(__file__).parents[3] / "goengine" / "web" / "page" / "node_modules" / "axe-core"
) / "axe.min.js"
RECORD = (
    "(;GM[1]FF[4]CA[UTF-8]SZ[9]KM[7]PB[Kim]PW[Lee];B[ee]C[the centre];W[cc]"
    "(;B[gg];W[cg];B[gc])(;B[cg]TR[ee]LB[gg:A];W[gg])(;B[gc]))"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


class StrictBackend(InstantBackend):
    """Judges as the instant one, ten points a stone, so that moves can lose much."""

    def run(self, planes: np.ndarray) -> RawOutputs:
        found = super().run(planes)
        assert found.margin is not None
        return replace(found, margin=found.margin * 10)


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    found = WebServer(evaluator=Evaluator(StrictBackend()))
    yield found
    found.stop()


@pytest.fixture
def visitor(browser: Any, server: WebServer) -> Iterator[Visitor]:
    found = Visitor(browser, server.port)
    yield found
    server.desk.study.stop_review()
    found.close()


def load(visitor: Visitor, sgf: str, end: str) -> None:
    """Paste a record and go to where it begins; `end` is the number of its last move."""
    visitor.paste(sgf)
    visitor.until(lambda: visitor.move_number().endswith(f"/ {end}"))
    visitor.press("Home")
    visitor.until(lambda: visitor.move_number() == f"0 / {end}")


def test_a_record_with_variations_comments_and_marks_comes_and_goes(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    load(visitor, RECORD, "5")
    assert page.locator(".tree .node").count() == 9
    visitor.press("ArrowRight")
    visitor.until(lambda: page.locator("#comment").input_value() == "the centre")
    visitor.press("ArrowRight", "ArrowRight", "ArrowDown")
    visitor.until(lambda: visitor.stone_at("C3", 9) == 1)
    page.locator(".shudan-vertex.shudan-marker_triangle").wait_for()
    assert page.locator(".shudan-marker_label .shudan-marker").inner_text() == "A"
    page.locator("#comment").fill("a question 질문")
    page.get_by_role("button", name="Square", exact=True).click()
    visitor.click("H8", 9)
    page.locator(".shudan-vertex.shudan-marker_square").wait_for()
    visitor.press("Escape")
    with page.expect_download() as waited:
        visitor.button("Save").click()
    saved = tmp_path / "saved.sgf"
    waited.value.save_as(saved)
    text = saved.read_text(encoding="utf-8")
    for part in ("a question 질문", "SQ[hb]", "TR[ee]", "LB[gg:A]", "PB[Kim]", "the centre"):
        assert part in text
    assert text.count("(") == 4
    page.locator("#file").set_input_files(saved)
    visitor.agree()
    visitor.until(lambda: page.locator(".tree .node").count() == 9)
    assert page.locator(".who h3").count() == 0
    visitor.choose_view("Play")
    visitor.see("Kim")


def test_a_dropped_and_a_pasted_record_are_taken(visitor: Visitor) -> None:
    page = visitor.page
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "dropped.sgf"));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }""",
        "(;SZ[9];B[aa];W[bb];B[cc];W[dd])",
    )
    visitor.agree()
    visitor.until(lambda: visitor.move_number().endswith("/ 4"))
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
            document.body.dispatchEvent(paste);
        }""",
        "(;SZ[9];B[aa];W[bb])",
    )
    visitor.until(lambda: visitor.move_number().endswith("/ 2"))


def test_what_is_not_a_record_is_refused_with_a_sentence(visitor: Visitor) -> None:
    visitor.paste("this is not a game")
    visitor.see("This is not an SGF record")


def test_the_analysis_shows_moves_variation_policy_and_ownership(visitor: Visitor) -> None:
    page = visitor.page
    load(visitor, RECORD, "5")
    visitor.press("ArrowRight", "Space")
    page.locator(".overlay .candidate.first").wait_for()
    row = page.locator(".candidates tbody tr").first
    move = row.locator("button").inner_text().strip()
    row.hover()
    page.locator(".overlay .ghost.solid").first.wait_for()
    page.mouse.move(5, 5)
    page.locator(".overlay .ghost.solid").first.wait_for(state="detached")
    page.mouse.move(*visitor.place(move, 9))
    page.locator(".overlay .ghost.solid").first.wait_for()
    page.mouse.move(5, 5)
    page.get_by_label("Network's first guess").check()
    page.locator(".overlay .policy").first.wait_for()
    page.get_by_label("Ownership").check()
    page.locator(".overlay .owned").first.wait_for()
    page.get_by_label("On the moves").select_option("visits")
    page.locator(".meter").wait_for()
    visitor.press("ArrowRight")
    page.locator(".overlay .candidate.first").wait_for()
    page.get_by_role("button", name="Stop").first.click()
    visitor.button("Analyse").wait_for()
    page.locator(".overlay .policy").first.wait_for(state="detached")
    page.locator(".overlay .candidate").first.wait_for()
    page.get_by_label("Candidate moves").uncheck()
    page.locator(".overlay .candidate").first.wait_for(state="detached")


def test_playing_on_in_a_study_makes_a_variation_that_can_be_promoted_and_deleted(
    visitor: Visitor,
) -> None:
    page = visitor.page
    load(visitor, RECORD, "5")
    visitor.press("ArrowRight")
    visitor.click("A1", 9)
    visitor.until(lambda: visitor.move_number() == "2 / 2")
    assert page.locator(".tree .node").count() == 10
    visitor.button("Make main line").click()
    visitor.until(lambda: visitor.button("Make main line").is_disabled())
    visitor.press("Home", "End")
    visitor.until(lambda: visitor.move_number() == "2 / 2")
    visitor.button("Delete from here").click()
    visitor.until(lambda: page.locator(".tree .node").count() == 9)
    page.locator(".tree .node").nth(3).click()
    visitor.until(lambda: visitor.move_number() == "3 / 5")


def test_a_review_has_progress_values_mistakes_and_a_graph_that_goes_to_moves(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    walls = "".join(f";B[e{c}];W[f{c}]" for c in "abcdefg") + ";B[aa];W[tt];B[ia];W[ab]"
    load(visitor, f"(;GM[1]SZ[9]KM[7]{walls})", "18")
    visitor.button("Review the game").click()
    page.locator(".summary").wait_for()
    assert page.locator(".summary tbody tr").count() == 2
    page.locator(".graph .winrate").wait_for()
    graph = page.locator(".graph svg")
    width = graph.evaluate("one => one.getBoundingClientRect().width")
    graph.click(position={"x": width * 9 / 18, "y": 20})
    visitor.until(lambda: visitor.move_number() == "9 / 18")
    first = page.locator(".mistakes button").first
    number = first.locator("b").inner_text()
    first.click()
    visitor.until(lambda: visitor.move_number() == f"{number} / 18")
    visitor.press("Home", "e")
    numbers = sorted(int(text) for text in page.locator(".mistakes b").all_inner_texts())
    visitor.until(lambda: visitor.move_number() == f"{numbers[0]} / 18")
    page.get_by_label("Save with the analysis").check()
    with page.expect_download() as waited:
        visitor.button("Save").click()
    waited.value.save_as(tmp_path / "reviewed.sgf")
    assert "SBKV[" in (tmp_path / "reviewed.sgf").read_text(encoding="utf-8")


def test_the_planes_are_shown_explained_and_laid_over_the_board(visitor: Visitor) -> None:
    page = visitor.page
    load(visitor, RECORD, "5")
    visitor.press("ArrowRight", "ArrowRight", "3")
    page.locator(".planes").first.wait_for()
    assert page.locator(".picture").count() == 48
    assert page.locator(".planes").count() == 11
    page.get_by_role("button", name="2: opponent's stones").click()
    visitor.until(lambda: page.locator(".overlay .bit").count() == 1)
    page.get_by_role("button", name="3: empty points").click()
    visitor.until(lambda: page.locator(".overlay .bit").count() == 79)
    visitor.press("ArrowRight")
    visitor.until(lambda: page.locator(".overlay .bit").count() == 78)
    assert page.locator(".bars li").count() == 8
    page.get_by_role("button", name="Show it on the board").click()
    page.locator(".overlay .policy").first.wait_for()


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding(browser: Any, server: WebServer, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("no axe-core: run npm ci in goengine/web/page")
    visitor = Visitor(browser, server.port, color_scheme=scheme, bypass_csp=True)
    page = visitor.page
    load(visitor, RECORD, "5")
    page.add_script_tag(path=str(AXE))
    found = {}

    def check(where: str) -> None:
        page.wait_for_timeout(250)
        report = page.evaluate("axe.run()")
        found[where] = [
            (finding["id"], node["html"][:120], node.get("failureSummary", "")[:200])
            for finding in report["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]

    visitor.press("ArrowRight", "Space")
    page.locator(".candidates").wait_for()
    check("study")
    visitor.press("Space", "3")
    page.locator(".planes").first.wait_for()
    check("inside")
    visitor.press("1")
    check("play")
    for key, name in (("n", "new game"), ("?", "help")):
        visitor.press(key)
        page.locator("dialog").wait_for()
        check(name)
        visitor.press("Escape")
        page.locator("dialog").wait_for(state="detached")
    visitor.button("Settings").click()
    check("settings")
    assert {where: findings for where, findings in found.items() if findings} == {}
    visitor.close()
