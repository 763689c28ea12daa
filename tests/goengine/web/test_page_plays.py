"""Games in a real browser: clicks, keys, handicap, undo, counting, clocks, tabs, a lost link."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.goengine.web.browser import Visitor, chromium
from tests.helpers.web_client import WebServer

pytestmark = pytest.mark.browser

BLACK_WALL = [f"E{row}" for row in range(1, 10)]
WHITE_WALL = [f"F{row}" for row in range(1, 10)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def visitor(browser: Any, server: WebServer) -> Iterator[Visitor]:
    found = Visitor(browser, server.port)
    yield found
    found.close()


def play_walls(visitor: Visitor, dead: bool = False) -> None:
    """Divide a 9x9 board; with `dead`, White leaves a stone in Black's half."""
    for index, (black, white) in enumerate(zip(BLACK_WALL, WHITE_WALL, strict=True)):
        visitor.click(black, 9)
        visitor.click("B5" if dead and index == 4 else white, 9)
    if dead:
        visitor.click("A1", 9)
        visitor.click("F5", 9)
    visitor.until(lambda: visitor.move_number().startswith("20" if dead else "18"))


def test_a_whole_game_to_the_counted_end_with_a_dead_stone_corrected(visitor: Visitor) -> None:
    visitor.new_game()
    play_walls(visitor, dead=True)
    visitor.press("p", "p")
    visitor.see("Click dead stones")
    score = visitor.page.locator(".counting .score")
    before = score.inner_text()
    visitor.click("B5", 9)
    visitor.until(lambda: score.inner_text() != before)
    after = score.inner_text()
    visitor.button("Accept").click()
    visitor.see("The game was counted.")
    assert visitor.page.locator(".status.over b").inner_text() == after
    assert visitor.button("Resign").is_disabled()


def test_the_engine_answers_handicap_stones_stand_and_undo_takes_back(visitor: Visitor) -> None:
    visitor.new_game(size=19, colour="White", handicap="4", visits="4")
    visitor.page.get_by_text("4 visits a move").wait_for()
    assert visitor.page.locator(".facts dd").all_inner_texts()[2:] == ["0.5", "4 stones"]
    assert visitor.stones(1) == 4
    visitor.click("K10", 19)
    visitor.until(lambda: visitor.stones(1) == 5)
    visitor.press("u")
    visitor.until(lambda: visitor.stones(1) == 4 and visitor.stones(-1) == 0)
    visitor.press("ArrowRight", "ArrowRight")
    visitor.until(lambda: visitor.stones(1) == 5 and visitor.stones(-1) == 1)


def test_hint_engine_move_resign_and_the_result(visitor: Visitor) -> None:
    visitor.new_game(colour="Black", visits="4")
    visitor.press("h")
    visitor.see("Best move")
    visitor.button("Show the variation").hover()
    visitor.page.wait_for_selector(".overlay .ghost.solid")
    visitor.button("Show the variation").click()
    visitor.page.mouse.move(*visitor.place("E5", 9))
    visitor.page.wait_for_timeout(100)
    assert visitor.page.locator(".overlay .ghost.solid").count() > 0
    visitor.button("Show the variation").click()
    visitor.page.mouse.move(*visitor.place("E5", 9))
    visitor.page.locator(".overlay .ghost.solid").first.wait_for(state="detached")
    visitor.press("Enter")
    visitor.until(lambda: visitor.stones(1) >= 1)
    visitor.button("Resign").click()
    visitor.page.locator("dialog").get_by_role("button", name="Resign").click()
    visitor.see("White wins by resignation")
    visitor.see("Black resigned.")


def test_an_illegal_move_is_refused_with_a_sentence(visitor: Visitor) -> None:
    visitor.new_game()
    for word in ("A2", "J9", "B1"):
        visitor.click(word, 9)
    visitor.until(lambda: visitor.stones(1) == 2)
    visitor.click("A1", 9)
    visitor.see("A1 is not allowed by the rules.")
    assert visitor.stone_at("A1", 9) == 0


def test_captured_stones_go_and_are_counted(visitor: Visitor) -> None:
    visitor.new_game()
    for word in ("B1", "A1", "A2"):
        visitor.click(word, 9)
    visitor.until(lambda: visitor.stones(-1) == 0 and visitor.stones(1) == 2)
    assert visitor.page.locator(".taken b").all_inner_texts() == ["1", "0"]


def test_a_clock_runs_down_and_ends_the_game(visitor: Visitor) -> None:
    visitor.new_game(clock="byo_yomi", main="0", period="1", periods="1")
    visitor.see("White wins on time")
    assert visitor.page.locator(".clock").count() == 2


def test_two_tabs_show_the_same_game(browser: Any, server: WebServer, visitor: Visitor) -> None:
    visitor.new_game()
    other = Visitor(browser, server.port)
    visitor.click("D4", 9)
    other.until(lambda: other.stones(1) == 1)
    other.click("F6", 9)
    visitor.until(lambda: visitor.stones(-1) == 1)
    other.press("ArrowLeft")
    visitor.until(lambda: visitor.stones(-1) == 0)
    other.close()


def test_a_reload_loses_nothing(visitor: Visitor) -> None:
    visitor.new_game()
    visitor.click("D4", 9)
    visitor.click("F6", 9)
    visitor.until(lambda: visitor.move_number() == "2 / 2" and visitor.stones(-1) == 1)
    visitor.page.reload()
    visitor.until(lambda: visitor.stones(1) == 1 and visitor.stones(-1) == 1)


def test_a_lost_connection_is_shown_and_a_move_of_that_time_arrives(
    browser: Any, server: WebServer
) -> None:
    visitor = Visitor(browser, server.port)
    visitor.new_game()
    routes: list[Any] = []
    refuse = False

    def between(route: Any) -> None:
        if refuse:
            route.close()
            return
        routes.append(route)
        route.connect_to_server()

    visitor.page.route_web_socket("**/ws", between)
    visitor.page.reload()
    visitor.until(lambda: visitor.stones_of_size(9))
    place = visitor.place("D4", 9)
    refuse = True
    routes[-1].close()
    visitor.see("The connection is lost.")
    assert visitor.place("D4", 9) == place, "the board does not move under a click"
    visitor.click("D4", 9)
    visitor.until(lambda: visitor.stones(1) == 1)
    refuse = False
    visitor.page.locator(".note.lost").wait_for(state="detached")
    visitor.until(lambda: len(server.desk.table.tree.nodes) == 2)
    with closing(server.client()) as client:
        assert client.line() == ["BD4"]
    assert visitor.stones(1) == 1
    visitor.close()


def test_keyboard_alone_plays_and_walks_through_the_game(visitor: Visitor) -> None:
    visitor.new_game()
    page = visitor.page
    page.evaluate("document.activeElement.blur()")
    page.locator(".brand").focus()
    for _ in range(20):
        visitor.press("Tab")
        if page.evaluate("document.activeElement.id") == "board":
            break
    page.locator(".overlay .cross").wait_for()
    visitor.press("ArrowLeft", "ArrowUp", "Enter")
    visitor.until(lambda: visitor.stone_at("D6", 9) == 1)
    page.get_by_text("Move 1: Black D6.").wait_for(state="attached")
    visitor.press("ArrowRight", "ArrowRight")
    page.get_by_text("F6, empty").wait_for(state="attached")
    visitor.press("Space")
    visitor.until(lambda: visitor.stone_at("F6", 9) == -1)
    visitor.press("Escape", "ArrowLeft")
    visitor.until(lambda: visitor.move_number() == "1 / 2")
    visitor.press("Home")
    visitor.until(lambda: visitor.move_number() == "0 / 2")
    visitor.press("End", "p", "u", "u")
    visitor.until(lambda: visitor.stones(1) == 1 and visitor.stones(-1) == 0)
    visitor.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    visitor.press("Escape")
    visitor.press("Tab")
    assert page.evaluate("document.activeElement.id") != "board"


def test_quick_steps_do_not_jump_back(visitor: Visitor) -> None:
    moves = "".join(f";{'BW'[i % 2]}[{chr(97 + i % 19)}{chr(97 + i // 19)}]" for i in range(300))
    visitor.paste(f"(;GM[1]FF[4]SZ[19]{moves})")
    visitor.until(lambda: visitor.move_number().endswith(" / 300"))
    visitor.press("Home")
    for _ in range(40):
        visitor.press("ArrowRight")
    assert visitor.move_number() == "40 / 300"
    visitor.page.wait_for_timeout(400)
    assert visitor.move_number() == "40 / 300"
    begin = time.monotonic()
    visitor.press("End")
    visitor.until(lambda: visitor.move_number() == "300 / 300")
    assert time.monotonic() - begin < 5
    visitor.until(lambda: visitor.stone_at("P4", 19) == -1)


def test_a_phone_of_320_pixels_plays_with_a_second_touch(browser: Any, server: WebServer) -> None:
    with closing(server.client()) as client:
        client.do("new_game", size=19)
    visitor = Visitor(
        browser, server.port, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True
    )
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320
    visitor.page.touchscreen.tap(*visitor.place("D4", 19))
    visitor.see("Touch the point once more")
    assert visitor.stones(1) == 0
    visitor.page.touchscreen.tap(*visitor.place("D4", 19))
    visitor.until(lambda: visitor.stones(1) == 1)
    for name in ("Study", "See inside"):
        visitor.choose_view(name)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320
    visitor.close()


def test_the_choice_of_language_and_colours_is_kept(visitor: Visitor) -> None:
    visitor.button("Settings").click()
    visitor.page.locator('[name="language"]').select_option("ko")
    visitor.page.get_by_role("tab", name="대국").wait_for()
    visitor.page.locator('[name="theme"]').select_option("dark")
    dark = "getComputedStyle(document.body).backgroundColor"
    visitor.until(lambda: visitor.page.evaluate(dark) == "rgb(22, 23, 26)")
    visitor.page.reload()
    visitor.page.get_by_role("tab", name="연구").wait_for()
    assert visitor.page.evaluate("document.documentElement.lang") == "ko"
    assert visitor.page.evaluate(dark) == "rgb(22, 23, 26)"
