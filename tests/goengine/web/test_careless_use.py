"""Things done in the wrong moment: the game goes on, and nothing is lost or left hanging."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from goengine.players.player import Choice
from goengine.types import RESIGN, WHITE
from goengine.web.table.kept_table import kept, restore
from goengine.web.table.player_spec import HUMAN as PERSON
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.shared_table import Table
from goengine.web.table.tree_positions import opened
from tests.helpers.analysis_client import instant_evaluator
from tests.helpers.web_client import HUMAN, PageClient, WebServer, engine


def begin_count(page: PageClient) -> None:
    """Ask for a count and wait for it."""
    page.do("count")
    page.wait(lambda: page.table["counting"] is not None)


def node_of(page: PageClient, vertex: str) -> str:
    """Return the name of the node of a move."""
    return next(name for name, node in page.nodes.items() if node.get("move", "  ")[1] == vertex)


def test_a_refused_undo_leaves_the_count(page: PageClient) -> None:
    begin_count(page)
    assert page.do("undo") is not None
    assert page.table["counting"] is not None


def test_deleting_the_engines_answer_lets_it_answer_again(page: PageClient) -> None:
    page.do("new_game", size=9, black=HUMAN, white=engine(4), clock={"main": 100})
    page.do("play", move="E5")
    page.wait(lambda: len(page.line()) == 2)
    first = page.table["cursor"]
    page.do("delete", node=first)
    page.wait(lambda: len(page.line()) == 2 and page.table["cursor"] != first)
    assert page.table["clock"]["running"] == "B"


def test_deleting_what_is_counted_ends_the_count(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9];B[ee];W[cc])")
    page.do("goto", node=node_of(page, "C7"))
    begin_count(page)
    page.do("delete", node=node_of(page, "C7"))
    assert page.table["counting"] is None


def test_what_is_seen_is_counted_and_a_cancelled_count_leaves_the_game(page: PageClient) -> None:
    for vertex in ("E5", "C3", "G7"):
        page.do("play", move=vertex)
    end = page.table["cursor"]
    page.do("undo", count=2)
    head = page.table["head"]
    page.do("goto", node=end)
    begin_count(page)
    assert page.table["cursor"] == end
    page.do("cancel_count")
    assert (page.table["cursor"], page.table["head"]) == (end, head)
    begin_count(page)
    page.do("accept_count")
    assert (page.table["cursor"], page.table["head"]) == (end, end)
    assert page.table["counted"]["node"] == end


def test_looking_back_from_a_count_lets_the_engine_go_on(page: PageClient) -> None:
    page.do("play", move="E5")
    page.do("pass")
    page.do("pass")
    page.wait(lambda: page.table["counting"] is not None)
    page.do("cancel_count")
    page.do("set_players", black=HUMAN, white=engine(4))
    page.wait(lambda: page.table["counting"] is not None)
    head = page.table["head"]
    page.do("goto", node=page.table["root"])
    page.wait(lambda: page.table["head"] != head)
    assert page.nodes[head]["children"]


def test_a_loss_by_time_can_be_taken_back(page: PageClient) -> None:
    page.do("new_game", size=9, clock={"main": 0.2})
    page.do("play", move="E5")
    page.wait(lambda: page.table["result"] == "B+T")
    assert page.do("undo") is None
    assert page.table["result"] is None and page.table["playing"] and page.table["clock"] is None
    time.sleep(0.1)
    assert page.do("play", move="C3") is None and page.table["result"] is None


@pytest.mark.parametrize("request_", ["resign", "count"])
def test_a_loaded_game_keeps_its_result(page: PageClient, request_: str) -> None:
    page.do("load_sgf", text="(;SZ[9]RE[W+3.5];B[ee];W[cc])")
    if request_ == "count":
        begin_count(page)
        page.do("accept_count")
        assert page.table["counting"] is None
    else:
        assert page.do("resign") is not None
    page.do("get_sgf")
    assert "RE[W+3.5]" in page.event("sgf")["text"] and page.table["result"] == "W+3.5"


def test_an_engine_that_is_asked_for_a_move_gives_nothing_up(
    page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "goengine.players.search_player.SearchPlayer.choose",
        lambda *given, **named: Choice(RESIGN),
    )
    page.do("load_sgf", text="(;SZ[9];B[ee];W[cc])")
    page.do("engine_move")
    assert page.event("notice")["key"] == "would_resign"
    assert page.table["result"] is None
    page.do("new_game", size=9, black=HUMAN, white=engine(4))
    page.do("play", move="E5")
    page.wait(lambda: page.table["result"] == "B+R")


def test_a_review_of_an_earlier_game_is_not_shown(server: WebServer, page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9];B[ee];W[cc])")
    page.do("review", visits=2)
    page.event("review", lambda event: not event["running"])
    page.do("new_game", size=9)
    late = server.client()
    late.do("clock_claim")
    assert not [event for event in late.others if event["event"] == "review"]
    late.close()


def test_a_diagram_without_liberties_is_refused(page: PageClient) -> None:
    page.do("play", move="E5")
    refusal = page.do("load_sgf", text="(;SZ[9]AB[aa:ii];W[ee])")
    assert refusal is not None and refusal["key"] == "not_sgf"
    assert page.line() == ["BE5"]


def test_a_finished_game_that_is_played_on_goes_on_after_a_restart() -> None:
    table = Table()
    table.load(opened(b"(;SZ[9]RE[B+R];B[ee])"))
    table.set_players({1: PERSON, WHITE: PlayerSpec("engine", visits=4)})
    again = Table()
    restore(again, kept(table))
    assert again.playing and again.result is None


def test_names_of_nodes_are_not_those_of_another_run() -> None:
    program = (
        "from goengine.web.table.game_tree import empty_tree as new;"
        "print(*(new(9, rules='chinese', komi='7.5').root.ident for _ in range(100)))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    first, second = (set(run.stdout.split()) for run in runs)
    assert len(first) == 100 and not first & second


def test_a_move_that_was_asked_for_comes_too_late_for_a_game_that_went_on() -> None:
    server = WebServer(evaluator=instant_evaluator(0.03))
    page = server.client()
    page.do("new_game", size=9)
    page.do("engine_move")
    page.do("play", move="E5")
    page.do("play", move="C3")
    assert not page.table["thinking"]
    assert page.table["head"] == page.table["cursor"] and len(page.nodes) == 3
    page.close()
    server.stop()


def test_an_engine_thinks_again_after_a_restart_wherever_people_look(tmp_path: Path) -> None:
    path = tmp_path / "table.sgf"
    server = WebServer(path=path, evaluator=instant_evaluator(0.05))
    page = server.client()
    players = {"black": HUMAN, "white": engine(400)}
    page.do("new_game", size=9, clock={"main": 0.0, "byo_yomi": 900}, **players)
    page.do("play", move="E5")
    page.do("goto", node=page.table["root"])
    page.close()
    server.stop()
    server = WebServer(path=path)
    page = server.client()
    page.wait(lambda: len(page.nodes) == 3)
    assert page.line() == []
    page.close()
    server.stop()


def test_kept_clocks_stand_still_until_the_next_move(tmp_path: Path) -> None:
    path = tmp_path / "table.sgf"
    for move in ("E5", "C3"):
        server = WebServer(path=path)
        page = server.client()
        if move == "E5":
            page.do("new_game", size=9, clock={"main": 100})
        else:
            assert page.table["clock"]["running"] is None
        page.do("play", move=move)
        assert page.table["clock"]["running"] == page.table["to_play"]
        page.close()
        server.stop()
