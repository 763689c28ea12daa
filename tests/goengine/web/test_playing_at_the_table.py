"""Games at the table: turns of the engine, undo, the end, the count, clocks."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.players.player import Budget, Choice
from goengine.rules import RULES
from goengine.types import BLACK, WHITE
from goengine.web import engine_turns
from goengine.web.table.dead_stones import DeadStones, Proposal
from goengine.web.thinking import opponents
from goengine.web.thinking.opponents import Opponents
from tests.helpers.analysis_client import instant_evaluator
from tests.helpers.web_client import HUMAN, PageClient, WebServer, engine


def test_moves_alternate_and_captures_are_told(page: PageClient) -> None:
    for move in ("D4", "D5", "A1", "C4", "A2", "E4", "A3", "D3"):
        assert page.do("play", move=move) is None
    assert page.line() == ["BD4", "WD5", "BA1", "WC4", "BA2", "WE4", "BA3", "WD3"]
    assert page.table["captures"] == {"B": 0, "W": 1}
    assert page.table["to_play"] == "B"


@pytest.mark.parametrize(
    ("move", "key"),
    [("Z9", "bad_field"), ("K1", "bad_field"), (7, "bad_field"), ("resign", "bad_field")],
)
def test_what_is_no_point_is_refused(page: PageClient, move: object, key: str) -> None:
    refusal = page.do("play", move=move)
    assert refusal is not None and refusal["key"] == key and refusal["about"] == "play"
    assert page.line() == []


def test_illegal_moves_are_refused_and_change_nothing(page: PageClient) -> None:
    page.do("play", move="D4")
    refusal = page.do("play", move="D4")
    assert refusal is not None and refusal["key"] == "illegal_move"
    assert refusal["args"] == {"move": "D4"} and "occupied" in refusal["text"]
    assert page.line() == ["BD4"] and page.table["to_play"] == "W"


def test_the_engine_answers_and_undo_goes_back_to_the_persons_turn(page: PageClient) -> None:
    page.do("new_game", size=9, black=HUMAN, white=engine())
    page.do("play", move="E5")
    page.wait(lambda: not page.table["thinking"] and len(page.line()) == 2)
    first = page.line()[1]
    assert page.do("undo") is None
    assert page.line() == [] and page.table["to_play"] == "B"
    page.do("play", move="C3")
    page.wait(lambda: not page.table["thinking"] and len(page.line()) == 2)
    root = page.nodes[page.table["root"]]
    moves = [page.nodes[name]["move"][1] for name in root["children"]]
    assert moves == ["C3", "E5"], "the new move is the main line, the old one stays"
    old = page.nodes[root["children"][1]]
    assert "W" + page.nodes[old["children"][0]]["move"][1] == first


def test_an_opponent_by_rank_takes_its_time_and_answers(
    page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opponents, "HUMAN_WHILE", (0.2, 0.3))
    page.do("new_game", size=9, black=HUMAN, white={"kind": "engine", "rank": "8k"})
    began = time.monotonic()
    page.do("play", move="E5")
    page.wait(lambda: not page.table["thinking"] and len(page.line()) == 2)
    assert time.monotonic() - began >= 0.2
    page.do("play", move="C3")
    page.wait(lambda: not page.table["thinking"] and len(page.line()) == 4)


def test_an_opponent_by_rank_has_the_network_of_the_ranks_and_says_no_other(
    page: PageClient,
) -> None:
    asked = {"kind": "engine", "rank": "8k", "network": "policy-64"}
    page.do("new_game", size=9, black=HUMAN, white=asked)
    white = page.table["players"]["W"]
    assert white["rank"] == "8k" and "network" not in white
    refusal = page.do("new_game", size=9, black=HUMAN, white={**asked, "rank": "9d"})
    assert refusal is not None and "'9d': use 20k to 3d" in refusal["text"]


def test_the_engine_begins_where_it_is_black_or_has_a_handicap(page: PageClient) -> None:
    page.do("new_game", size=9, black=engine(), white=HUMAN)
    page.wait(lambda: len(page.line()) == 1)
    assert page.table["to_play"] == "W"
    page.do("new_game", size=9, handicap=4, black=HUMAN, white=engine())
    page.wait(lambda: len(page.line()) == 1)
    assert page.line()[0][0] == "W" and page.table["handicap"] == 4
    assert len(page.nodes[page.table["root"]]["setup"]["B"]) == 4
    assert page.table["komi"] == 0.5


def test_undo_at_the_start_is_refused(page: PageClient) -> None:
    refusal = page.do("undo")
    assert refusal is not None and refusal["key"] == "nothing_to_undo"
    page.do("new_game", size=9, black=engine(), white=HUMAN)
    page.wait(lambda: len(page.line()) == 1)
    refusal = page.do("undo")
    assert refusal is not None and refusal["key"] == "nothing_to_undo"
    assert len(page.line()) == 1


def test_who_resigns_loses_and_undo_takes_it_back(page: PageClient) -> None:
    page.do("new_game", size=9, black=HUMAN, white=engine())
    page.do("play", move="E5")
    page.wait(lambda: len(page.line()) == 2)
    page.do("resign")
    assert (page.table["result"], page.table["reason"]) == ("W+R", "resign")
    assert not page.table["playing"]
    assert page.do("resign") is not None
    page.do("undo")
    assert page.table["result"] is None and page.table["playing"]
    assert len(page.line()) == 2


def test_two_passes_are_counted_and_dead_stones_can_be_corrected(page: PageClient) -> None:
    wall = [(f"D{n}", f"F{n}") for n in range(1, 10)]
    for black, white in wall:
        page.do("play", move=black)
        page.do("play", move=white)
    page.do("play", move="pass")
    page.do("play", move="B5")  # a lone white stone in Black's area
    page.do("pass")
    page.do("pass")
    page.wait(lambda: page.table["counting"] is not None)
    counting = page.table["counting"]
    if "B5" in counting["dead"]:
        page.do("toggle_dead", point="B5")
    assert "B5" not in page.table["counting"]["dead"]
    alive = page.table["counting"]["score"]
    page.do("toggle_dead", point="B5")
    counting = page.table["counting"]
    assert counting["dead"] == ["B5"] and counting["score"] != alive
    assert counting["area"][36 + 1] == 1, "the dead stone's point is Black's"
    assert sum(counting["area"]) == 0, "both have four columns"
    assert counting["score"] == "W+7.5"
    refusal = page.do("play", move="A1")
    assert refusal is not None, "nobody plays while it is counted"
    refusal = page.do("toggle_dead", point="A9")
    assert refusal is not None
    page.do("accept_count")
    assert (page.table["result"], page.table["reason"]) == ("W+7.5", "count")
    assert page.table["counting"] is None
    counted = page.table["counted"]
    assert {name: counted[name] for name in counting} == counting
    assert counted["breakdown"] == {
        "B": {"area": 36, "prisoners": 0},
        "W": {"area": 36, "prisoners": 0, "komi": 7.5},
    }
    page.do("undo")
    assert page.table["counted"] is None


GROUPS = """
. . . . X O . . .
. O . . X O . . .
. . . . X O . X .
. O O . X O . . .
. . . . X O . . .
. . . . X O . . .
. . O . X O . . .
. . . . X O . . .
. . . . X O . . .
"""


def counted(alive: bool) -> tuple[DeadStones, list[int]]:
    """Return a count in which White's three chains in Black's area are alive or dead."""
    board = Board.from_diagram(GROUPS)
    stones = [n for n in np.flatnonzero(board.grid.ravel() == WHITE).tolist() if n % 9 < 4]
    dead = frozenset() if alive else frozenset(stones)
    return DeadStones(board, Proposal(dead, frozenset(), np.zeros((9, 9), np.float32))), stones


@pytest.mark.parametrize("alive", [True, False])
def test_a_click_turns_a_whole_group_and_a_second_one_takes_it_back(alive: bool) -> None:
    count, stones = counted(alive)
    before = count.described()
    for clicked in stones:
        count.toggle(clicked)
        assert count.dead == (set(stones) if alive else set())
        count.toggle(stones[-1])
        assert count.described() == before


def test_taking_back_one_correction_leaves_the_others() -> None:
    count, stones = counted(alive=True)
    other = next(n for n in np.flatnonzero(count.board.grid.ravel() == BLACK) if n % 9 == 7)
    count.toggle(int(other))
    only = count.described()
    assert count.dead == {int(other)}
    count.toggle(stones[0])
    count.toggle(int(other))
    assert count.dead == set(stones)
    count.toggle(int(other))
    count.toggle(stones[1])
    assert count.described() == only


def test_the_breakdown_adds_up_to_the_score() -> None:
    count, _ = counted(alive=False)
    count.board = count.board.under(replace(RULES["japanese"], komi=6.5))
    parts = count.described()["breakdown"]
    assert set(parts["B"]) == {"territory", "prisoners"} and parts["B"]["prisoners"] == 4
    assert count.lead == sum(parts["B"].values()) - sum(parts["W"].values())


def test_a_count_can_be_cancelled_and_the_game_goes_on(page: PageClient) -> None:
    page.do("play", move="E5")
    page.do("count")
    page.wait(lambda: page.table["counting"] is not None)
    page.do("cancel_count")
    assert page.table["counting"] is None
    assert page.do("play", move="C3") is None
    assert page.do("cancel_count") is not None
    assert page.do("accept_count") is not None


def test_engines_that_play_each_other_take_their_time_and_can_be_paused(page: PageClient) -> None:
    assert page.do("pause", on=True) is not None, "people play here"
    began = time.monotonic()
    page.do("new_game", size=9, black=engine(2), white=engine(2))
    page.wait(lambda: len(page.line()) >= 3)
    assert time.monotonic() - began >= 2 * engine_turns.PACE
    page.do("pause", on=True)
    assert page.table["paused"] and not page.table["thinking"]
    played = page.line()
    time.sleep(0.2)
    page.do("goto", node=page.table["cursor"])
    assert page.line() == played
    page.do("pause", on=False)
    page.wait(lambda: len(page.line()) > len(played))
    assert not page.table["paused"]


def test_two_engines_play_to_a_counted_end(
    page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_turns, "PACE", 0.0)
    page.do("new_game", size=5, black=engine(2), white=engine(2))
    page.wait(lambda: page.table["result"] is not None)
    assert page.table["reason"] in ("count", "resign")


def test_players_change_in_the_middle_of_a_game(page: PageClient) -> None:
    page.do("play", move="E5")
    page.do("set_players", black=HUMAN, white=engine())
    page.wait(lambda: len(page.line()) == 2)
    assert page.table["players"]["W"]["kind"] == "engine"
    page.do("set_players", black=HUMAN, white=HUMAN)
    page.do("play", move="A1")
    page.do("play", move="A2")
    assert page.line()[2:] == ["BA1", "WA2"]


def test_an_engine_moves_when_it_is_asked_to(page: PageClient) -> None:
    page.do("engine_move")
    page.wait(lambda: len(page.line()) == 1 and not page.table["thinking"])
    assert page.table["to_play"] == "W"


def test_the_cursor_may_look_back_while_the_engine_thinks() -> None:
    server = WebServer(evaluator=instant_evaluator(0.02))
    page = server.client()
    page.do("new_game", size=9, black=HUMAN, white={"kind": "engine", "seconds": 1.0})
    page.do("play", move="E5")
    assert page.table["thinking"]
    root = page.table["root"]
    page.do("goto", node=root)
    assert page.table["thinking"] and page.table["cursor"] == root
    page.wait(lambda: not page.table["thinking"])
    assert page.table["cursor"] == root
    assert page.nodes[page.table["head"]]["move"][0] == "W"
    page.close()
    server.stop()


def test_undo_gives_up_what_the_engine_thinks_about() -> None:
    server = WebServer(evaluator=instant_evaluator(0.02))
    page = server.client()
    page.do("new_game", size=9, black=HUMAN, white={"kind": "engine", "seconds": 60.0})
    page.do("play", move="E5")
    assert page.table["thinking"]
    refusal = page.do("play", move="A1")
    assert refusal is not None and refusal["key"] == "not_your_turn"
    began = time.monotonic()
    page.do("undo")
    assert not page.table["thinking"] and page.line() == []
    page.do("new_game", size=9, black=HUMAN, white=engine(2))
    page.do("play", move="E5")
    page.wait(lambda: len(page.line()) == 2)
    assert time.monotonic() - began < 30, "the search of a minute was broken off"
    page.close()
    server.stop()


def test_a_count_in_the_middle_of_thinking_ends_the_thinking() -> None:
    server = WebServer(evaluator=instant_evaluator(0.02))
    page = server.client()
    page.do("new_game", size=9, black=HUMAN, white={"kind": "engine", "seconds": 60.0})
    page.do("play", move="E5")
    page.do("count")
    page.wait(lambda: page.table["counting"] is not None)
    assert not page.table["thinking"]
    page.close()
    server.stop()


def test_the_clock_runs_for_who_is_to_move_and_ends_the_game(page: PageClient) -> None:
    clock = {"main": 0.3, "byo_yomi": 0.2, "periods": 1}
    page.do("new_game", size=9, clock=clock)
    told = page.table["clock"]
    assert told["running"] == "B" and told["B"]["periods"] == 1
    assert told["settings"]["kind"] == "byoyomi"
    page.do("clock_claim")
    assert page.table["result"] is None, "there is time left"
    page.do("play", move="E5")
    assert page.table["clock"]["running"] == "W"
    page.wait(lambda: page.table["result"] is not None, seconds=5.0)
    assert (page.table["result"], page.table["reason"]) == ("B+T", "time")
    assert page.table["clock"]["running"] is None
    assert page.table["clock"]["W"] == {"main": 0.0, "period": 0.0, "periods": 1}


def test_seconds_for_a_move_bound_what_the_clock_allows(
    page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[Budget] = []

    class Passer:
        """Passes, and notes what it may use."""

        def choose(self, game: Game, budget: Budget, **options: object) -> Choice:
            budgets.append(budget)
            return Choice(game.size**2)

    monkeypatch.setattr(Opponents, "player", lambda opponents, spec: Passer())
    clock = {"main": 600, "byo_yomi": 60, "periods": 1}
    for seconds in (0.5, 500.0):
        white = {"kind": "engine", "seconds": seconds}
        page.do("new_game", size=9, black=HUMAN, white=white, clock=clock)
        page.do("play", move="E5")
        page.wait(lambda: len(page.line()) == 2)
    assert budgets[0].seconds == 0.5 and budgets[0].most == 0.5
    assert budgets[1].seconds is not None and 10 < budgets[1].seconds < 500


def test_changing_the_players_does_not_give_time_back(page: PageClient) -> None:
    page.do("new_game", size=9, clock={"main": 0, "canadian_stones": 5, "byo_yomi": 60})
    since = page.table["clock"]["at"]
    page.do("set_players", black=HUMAN, white=HUMAN)
    assert page.table["clock"]["at"] == since and page.table["clock"]["B"]["stones"] == 5
    page.do("play", move="E5")
    assert page.table["clock"]["B"]["stones"] == 4


@pytest.mark.parametrize(
    ("clock", "kind"),
    [
        ({"main": 60}, "absolute"),
        ({"main": 60, "fischer": 5}, "fischer"),
        ({"main": 60, "canadian_stones": 10, "byo_yomi": 60}, "canadian"),
    ],
)
def test_time_controls(page: PageClient, clock: dict[str, float], kind: str) -> None:
    page.do("new_game", size=9, clock=clock)
    assert page.table["clock"]["settings"]["kind"] == kind
    assert page.table["clock"]["B"]["main"] == 60


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 1},
        {"size": 20},
        {"size": "9"},
        {},
        {"size": 9, "rules": "nobody's"},
        {"size": 9, "komi": 0.3},
        {"size": 9, "komi": "many"},
        {"size": 9, "handicap": 1},
        {"size": 9, "handicap": 10},
        {"size": 2, "handicap": 9},
        {"size": 9, "black": {"kind": "cat"}},
        {"size": 9, "black": {"kind": "engine", "visits": -1}},
        {"size": 9, "black": {"kind": "engine", "network": "../../etc/passwd"}},
        {"size": 9, "black": {"kind": "engine", "rank": "31k"}},
        {"size": 9, "clock": {"main": -1}},
        {"size": 9, "clock": "fast"},
    ],
)
def test_impossible_games_are_refused(page: PageClient, fields: dict[str, object]) -> None:
    before = page.table["version"]
    refusal = page.do("new_game", **fields)
    assert refusal is not None and refusal["text"]
    assert page.table["version"] == before


def test_a_rank_that_does_not_exist_is_refused_with_those_that_do(page: PageClient) -> None:
    refusal = page.do("new_game", size=9, black={"kind": "engine", "rank": "31k"})
    assert refusal is not None
    assert refusal["text"] == "black: There is no opponent of rank '31k': use 20k to 3d"


def test_two_clients_see_one_table(server: WebServer, page: PageClient) -> None:
    other = server.client()
    page.do("play", move="E5")
    other.wait(lambda: other.line() == ["BE5"])
    other.do("play", move="C3")
    page.wait(lambda: page.line() == ["BE5", "WC3"])
    other.close()
    again = server.client()
    assert again.line() == ["BE5", "WC3"], "a reload loses nothing"
    again.close()
