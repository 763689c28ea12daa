"""The analysis protocol over pipes: answers key by key, actions, warnings, one final answer."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from goengine.analysis.human_policy import human_policy, profile_style
from goengine.board import Board
from goengine.coords import gtp_to_move
from goengine.types import BLACK, WHITE
from tests.helpers.analysis_client import AnalysisClient, Reply, instant_evaluator, query

MOVE_KEYS = {
    "move": str,
    "visits": int,
    "edgeVisits": int,
    "winrate": float,
    "scoreMean": float,
    "scoreStdev": float,
    "scoreLead": float,
    "scoreSelfplay": float,
    "prior": float,
    "utility": float,
    "lcb": float,
    "utilityLcb": float,
    "weight": float,
    "edgeWeight": float,
    "playSelectionValue": float,
    "order": int,
    "pv": list,
}
ROOT_KEYS = {
    "currentPlayer": str,
    "visits": int,
    "weight": float,
    "winrate": float,
    "scoreLead": float,
    "scoreSelfplay": float,
    "scoreStdev": float,
    "utility": float,
    "thisHash": str,
    "symHash": str,
    "rawWinrate": float,
    "rawLead": float,
    "rawScoreSelfplay": float,
    "rawScoreSelfplayStdev": float,
    "rawNoResultProb": float,
    "rawStWrError": float,
    "rawStScoreError": float,
    "rawVarTimeLeft": float,
}
ALL = {
    "includeOwnership": True,
    "includeOwnershipStdev": True,
    "includeMovesOwnership": True,
    "includeMovesOwnershipStdev": True,
    "includePolicy": True,
    "includePVVisits": True,
    "includeNoResultValue": True,
}


@pytest.fixture
def client() -> Iterator[AnalysisClient]:
    found = AnalysisClient()
    yield found
    assert found.close()


def place(vertex: str) -> int:
    """Return the entry of a policy that belongs to a vertex."""
    return gtp_to_move(vertex, 5)


def check_types(found: Reply, keys: dict[str, type]) -> None:
    for key, kind in keys.items():
        value = found[key]
        assert type(value) is kind or (kind is float and type(value) is int), (key, value)


def check(reply: Reply, board: Board) -> None:
    """Check what holds for every final answer to a query that wants everything."""
    area = board.size**2
    assert reply["isDuringSearch"] is False
    infos, root = reply["moveInfos"], reply["rootInfo"]
    check_types(root, ROOT_KEYS)
    assert root["currentPlayer"] == ("B" if board.to_play == BLACK else "W")
    assert 0 <= root["winrate"] <= 1 and 0 <= root["rawWinrate"] <= 1
    assert len(root["thisHash"]) == len(root["symHash"]) == 32
    assert int(root["thisHash"], 16) >= int(root["symHash"], 16)
    assert sum(info["visits"] for info in infos) == root["visits"] - 1
    assert [info["order"] for info in infos] == list(range(len(infos)))
    assert len({info["move"] for info in infos}) == len(infos)
    assert sum(info["prior"] for info in infos) <= 1 + 1e-4
    for info in infos:
        check_types(info, MOVE_KEYS)
        assert 0 <= info["winrate"] <= 1 and 0 <= info["prior"] <= 1
        assert info["scoreMean"] == info["scoreLead"] and info["scoreStdev"] >= 0
        assert info["pv"][0] == info["move"]
        assert len(info["pvVisits"]) == len(info["pvEdgeVisits"]) == len(info["pv"])
        assert info["pvVisits"] == sorted(info["pvVisits"], reverse=True)
        after = board.copy()
        for vertex in info["pv"]:
            after.play(gtp_to_move(vertex, board.size))  # raises where the move is illegal
        assert len(info["ownership"]) == len(info["ownershipStdev"]) == area
        assert all(-1 <= value <= 1 for value in info["ownership"])
    assert len(reply["ownership"]) == len(reply["ownershipStdev"]) == area
    assert all(0 <= value <= 1 for value in reply["ownershipStdev"])
    policy = reply["policy"]
    legal = board.legal()
    assert len(policy) == area + 1
    assert [value == -1 for value in policy] == (~legal).tolist()
    assert math.isclose(sum(value for value in policy if value >= 0), 1, abs_tol=1e-5)


@pytest.mark.parametrize("side", ["BLACK", "WHITE", "SIDETOMOVE"])
def test_an_answer_has_every_key_and_speaks_for_the_side_that_is_asked_for(
    client: AnalysisClient, side: str
) -> None:
    """Black has more stones, so Black leads, whoever is to move."""
    moves = [["B", "C3"], ["W", "pass"], ["B", "B2"], ["W", "D4"], ["B", "B3"]]
    for turn in (4, 5):
        reply = client.ask(
            query(
                moves=moves,
                analyzeTurns=[turn],
                maxVisits=40,
                overrideSettings={"reportAnalysisWinratesAs": side},
                **ALL,
            )
        )
        board = Board(5, rules="tromp-taylor", komi=0.5)
        for _, vertex in moves[:turn]:
            board.play(gtp_to_move(vertex, 5))
        check(reply, board)
        assert (reply["id"], reply["turnNumber"]) == ("q", turn)
        asked = {"BLACK": BLACK, "WHITE": WHITE}.get(side, board.to_play)
        sign = 1 if asked == BLACK else -1
        root = reply["rootInfo"]
        assert sign * root["scoreLead"] > 0 and sign * (root["winrate"] - 0.5) > 0
        assert sign * root["utility"] > 0 and sign * root["rawLead"] > 0
        best = reply["moveInfos"][0]
        assert sign * best["scoreLead"] > 0
        mine = asked == board.to_play
        assert best["lcb"] <= best["winrate"] if mine else best["lcb"] >= best["winrate"]
        assert sign * reply["ownership"][gtp_to_move("B2", 5)] > 0.9
        assert sign * best["ownership"][gtp_to_move("B2", 5)] > 0.5


@pytest.mark.parametrize("size", [2, 9, 19])
@pytest.mark.parametrize("visits", [1, 2, 60])
def test_any_size_and_any_number_of_visits(client: AnalysisClient, size: int, visits: int) -> None:
    reply = client.ask(query(boardXSize=size, boardYSize=size, maxVisits=visits, **ALL))
    check(reply, Board(size, rules="tromp-taylor", komi=0.5))
    assert reply["rootInfo"]["visits"] == visits
    if visits == 1:
        (info,) = reply["moveInfos"]
        assert info["visits"] == 0 and info["winrate"] == reply["rootInfo"]["winrate"]


def test_what_is_not_asked_for_is_not_there(client: AnalysisClient) -> None:
    reply = client.ask(query())
    assert set(reply) == {"id", "turnNumber", "isDuringSearch", "moveInfos", "rootInfo"}
    assert set(reply["moveInfos"][0]) == set(MOVE_KEYS)
    assert set(reply["rootInfo"]) == set(ROOT_KEYS)


def test_illegal_moves_and_positions(client: AnalysisClient) -> None:
    error = client.ask(query(moves=[["B", "C3"], ["W", "C3"]]))
    assert error == {"error": "Illegal move 1: C3", "field": "moves", "id": "q"}
    ring = [["B", vertex] for vertex in ("A2", "B1")]
    error = client.ask(query(initialStones=[*ring, ["W", "A1"]]))
    assert error["field"] == "initialStones" and error["id"] == "q"
    after = client.ask(query(moves=[["B", "C3"], ["W", "C3"]], analyzeTurns=[0]))
    assert after["field"] == "moves"  # the whole game must be legal
    assert client.ask(query())["rootInfo"]["visits"] == 12


def test_moves_that_break_superko_are_replayed_and_never_proposed(client: AnalysisClient) -> None:
    """Sending two stones back and forth repeats a position; players' records hold such moves."""
    moves = [["B", "A1"], ["W", "pass"], ["B", "pass"], ["W", "pass"]]
    reply = client.ask(query(moves=moves, rules="tromp-taylor"))
    assert reply["turnNumber"] == 4
    same_colour = client.ask(query(moves=[["B", "A1"], ["B", "B2"]]))
    assert same_colour["rootInfo"]["currentPlayer"] == "W"


def test_the_first_player_is_named_or_follows_from_moves_and_handicap(
    client: AnalysisClient,
) -> None:
    def mover(**changes: object) -> object:
        return client.ask(query(**changes))["rootInfo"]["currentPlayer"]

    stones = [["B", "B2"], ["B", "D4"]]
    assert mover() == "B"
    assert mover(initialStones=stones) == "W"
    assert mover(initialStones=stones[:1]) == "B"
    assert mover(initialStones=stones, initialPlayer="B") == "B"
    assert mover(moves=[["W", "C3"]]) == "B"
    assert mover(moves=[["W", "C3"]], analyzeTurns=[0]) == "W"


def test_handicap_stones_cost_what_the_rules_and_the_query_say(client: AnalysisClient) -> None:
    stones = [["B", "B2"], ["B", "D4"], ["B", "B4"]]

    def lead(**changes: object) -> float:
        reply = client.ask(query(initialStones=stones, maxVisits=1, **changes))
        return float(reply["rootInfo"]["rawLead"])

    even = lead(rules="tromp-taylor")
    assert lead(rules="chinese") == pytest.approx(even - 3)
    assert lead(rules="aga") == pytest.approx(even - 2)
    assert lead(rules="chinese", whiteHandicapBonus="0") == pytest.approx(even)
    assert lead(rules="tromp-taylor", komi=2.5) == pytest.approx(even - 2)


def test_avoided_moves_are_not_searched_and_allowed_ones_only(client: AnalysisClient) -> None:
    plain = client.ask(query(maxVisits=30))
    first = plain["moveInfos"][0]["move"]
    avoid = [{"player": "B", "moves": [first], "untilDepth": 1}]
    moves = {info["move"] for info in client.ask(query(avoidMoves=avoid))["moveInfos"]}
    assert moves and first not in moves
    allow = [{"player": "B", "moves": ["A1", "B1"], "untilDepth": 5}]
    reply = client.ask(query(allowMoves=allow, maxVisits=60, includePolicy=True))
    assert {info["move"] for info in reply["moveInfos"]} == {"A1", "B1"}
    assert sum(value > 0 for value in reply["policy"]) > 10  # the policy is the network's own
    for info in reply["moveInfos"]:
        assert set(info["pv"][:5:2]) <= {"A1", "B1", "pass"}


def test_variations_are_cut_and_the_policy_of_strong_players_is_the_networks(
    client: AnalysisClient,
) -> None:
    reply = client.ask(
        query(
            maxVisits=100,
            analysisPVLen=2,
            includePolicy=True,
            overrideSettings={"humanSLProfile": "proyear_2020"},
        )
    )
    assert max(len(info["pv"]) for info in reply["moveInfos"]) == 2
    assert reply["humanPolicy"] == reply["policy"]
    assert all(
        info["humanPrior"] == pytest.approx(reply["policy"][place(info["move"])], abs=1e-5)
        for info in reply["moveInfos"]
    )


@pytest.mark.parametrize("profile", ["rank_8k", "preaz_8k", "rank_8k_3d"])
def test_the_policy_of_a_rank_is_that_of_our_opponents(
    client: AnalysisClient, profile: str
) -> None:
    settings = {"humanSLProfile": profile}
    reply = client.ask(query(maxVisits=20, includePolicy=True, overrideSettings=settings))
    own, human = np.array(reply["policy"]), np.array(reply["humanPolicy"])
    assert ((own < 0) == (human < 0)).all()
    assert human[human >= 0].sum() == pytest.approx(1, abs=1e-4)
    assert (human != own).any()
    for info in reply["moveInfos"]:
        assert info["humanPrior"] == pytest.approx(human[place(info["move"])], abs=1e-5)


def test_profiles_name_ranks_for_both_colours_and_clamp_to_those_there_are() -> None:
    black, white = Board(9), Board(9)
    white.play(40)
    assert profile_style("rank_20k_3k", black) == profile_style("rank_20k", black)
    assert profile_style("rank_20k_3k", white) == profile_style("preaz_3k", white)
    assert profile_style("rank_30k", black) == profile_style("rank_20k", black)
    for profile in ("rank_9d", "proyear_1990", "rank_", "8k"):
        assert profile_style(profile, black) is None
    weak, strong = profile_style("rank_15k", black), profile_style("rank_3d", black)
    assert weak is not None and strong is not None and weak.heat > strong.heat == 1.0


def test_illegal_moves_and_the_pass_keep_their_place_in_a_policy_of_people() -> None:
    board = Board(5)
    board.play(12)
    policy = np.append(np.linspace(0.01, 0.07, 25), 0.02).astype(np.float32)
    policy[12] = -1
    found = human_policy("rank_12k", policy, board)
    assert found[12] == -1 and found[25] == np.float32(0.02)
    assert found[:25][policy[:25] >= 0].sum() == pytest.approx(policy[policy >= 0][:-1].sum())
    assert (found == human_policy("rank_12k", policy, board)).all()


def test_warnings_come_before_the_answer(client: AnalysisClient) -> None:
    client.send(query(fantasy=1))
    warning, answer = client.reply(), client.reply()
    assert warning == {"warning": "Unexpected or unused field", "field": "fantasy", "id": "q"}
    assert answer["rootInfo"]["visits"] == 12


def test_actions_are_echoed(client: AnalysisClient) -> None:
    version = client.ask({"id": "v", "action": "query_version", "more": [1, {"a": None}]})
    assert version["more"] == [1, {"a": None}] and version["id"] == "v"
    assert {"version", "git_hash"} <= set(version)
    models = client.ask({"id": "m", "action": "query_models"})["models"]
    assert models[0]["name"] == "instant"
    for action in ("clear_cache", "terminate_all"):
        echo = {"id": "x", "action": action}
        assert client.ask(echo) == echo
    echo = {"id": "t", "action": "terminate", "terminateId": "none", "turnNumbers": [1]}
    assert client.ask(echo) == echo


def test_partial_reports_grow_and_end_with_one_final_answer() -> None:
    client = AnalysisClient(instant_evaluator(0.002))
    client.send(query(maxVisits=300, reportDuringSearchEvery=0.02, **ALL))
    replies = client.rest()
    assert client.close()
    assert [reply["isDuringSearch"] for reply in replies] == [True] * (len(replies) - 1) + [False]
    visits = [reply["rootInfo"]["visits"] for reply in replies]
    assert len(visits) > 3 and visits == sorted(set(visits)) and visits[-1] == 300
    assert set(replies[0]) == set(replies[-1])


def test_the_first_report_may_come_at_another_time() -> None:
    client = AnalysisClient(instant_evaluator(0.002))
    client.send(query(maxVisits=200, firstReportDuringSearchAfter=0.05))
    replies = client.rest()
    assert client.close()
    assert [reply["isDuringSearch"] for reply in replies] == [True, False]


def test_time_ends_a_search() -> None:
    client = AnalysisClient(instant_evaluator(0.002))
    reply = client.ask(query(maxVisits=10_000_000, overrideSettings={"maxTime": 0.1}))
    assert 1 < reply["rootInfo"]["visits"] < 10_000_000
    assert client.close()


def test_terminated_queries_answer_with_what_they_have_or_with_nothing() -> None:
    client = AnalysisClient(instant_evaluator(0.002))
    client.send(query(id="long", maxVisits=10_000_000, reportDuringSearchEvery=0.01))
    assert client.reply()["isDuringSearch"] is True  # it has begun
    client.send(
        query(id="low", priority=-1, moves=[["B", "A1"]], analyzeTurns=[0, 1]),
        {"id": "t", "action": "terminate", "terminateId": "low", "turnNumbers": [1]},
        {"id": "u", "action": "terminate", "terminateId": "long"},
    )
    replies = [reply for reply in client.rest() if not reply.get("isDuringSearch")]
    assert client.close()
    named = {(reply["id"], reply.get("turnNumber")): reply for reply in replies}
    assert len(named) == len(replies) == 5
    assert named["low", 1] == {
        "id": "low",
        "turnNumber": 1,
        "isDuringSearch": False,
        "noResults": True,
    }
    assert named["long", 0]["rootInfo"]["visits"] > 1
    assert named["low", 0]["rootInfo"]["visits"] == 12


def test_a_query_of_higher_priority_is_not_kept_waiting_by_a_long_one() -> None:
    client = AnalysisClient(instant_evaluator(0.001))
    client.send(query(id="ponder", maxVisits=10_000_000, reportDuringSearchEvery=0.01))
    client.reply()
    client.send(query(id="now", priority=1, maxVisits=20))
    while (reply := client.reply())["id"] != "now":
        assert reply["isDuringSearch"]
    assert reply["rootInfo"]["visits"] == 20
    client.send({"id": "t", "action": "terminate_all"})
    (final,) = [r for r in client.rest() if r.get("isDuringSearch") is False]
    assert final["id"] == "ponder" and client.close()


def test_equal_positions_have_equal_hashes_and_mirrored_ones_the_same_symmetric_one(
    client: AnalysisClient,
) -> None:
    def hashes(vertex: str, **changes: object) -> tuple[str, str]:
        root = client.ask(query(moves=[["B", vertex]], maxVisits=1, **changes))["rootInfo"]
        return root["thisHash"], root["symHash"]

    one, mirrored, other = hashes("B1"), hashes("A2"), hashes("C3")
    assert one == hashes("B1") and one[0] != mirrored[0] and one[1] == mirrored[1]
    assert other[1] != one[1]
