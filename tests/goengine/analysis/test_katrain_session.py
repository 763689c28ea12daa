"""A recorded session of KaTrain 1.20.0: what it sent, and what it reads in every answer.

tests/golden/analysis/katrain.jsonl holds lines that KaTrain itself wrote to `goengine analysis`
while its window was used: a game on 9x9 from the first query to the two passes, a deeper look, a
sweep over the board, alternatives, and pondering that the next move cancels.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.analysis_client import AnalysisClient, Reply, instant_evaluator

SESSION = Path(__file__).parents[2] / "golden" / "analysis" / "katrain.jsonl"
PONDERING = 10_000_000
READ = {"move", "order", "visits", "winrate", "scoreLead", "pv", "prior"}
"""Of a move's keys those that KaTrain reads."""


@pytest.fixture
def client() -> Iterator[AnalysisClient]:
    found = AnalysisClient(instant_evaluator(0.001))
    yield found
    assert found.close()


def sent() -> list[dict[str, Any]]:
    """Return the queries of the session."""
    return [json.loads(line) for line in SESSION.read_text(encoding="utf-8").splitlines()]


def ends(query: dict[str, Any], reply: Reply) -> bool:
    """Say whether the session goes on after a reply: pondering goes on by itself meanwhile."""
    if reply["id"] != query["id"]:
        return False
    return query.get("maxVisits") == PONDERING or not reply.get("isDuringSearch", False)


def check(query: dict[str, Any], reply: Reply) -> None:
    """Assert that an answer has what KaTrain reads of it."""
    area = query["boardXSize"] * query["boardYSize"]
    assert reply["turnNumber"] == len(query["moves"])
    assert 0 <= reply["rootInfo"]["winrate"] <= 1
    assert isinstance(reply["rootInfo"]["scoreLead"], float)
    assert 1 <= reply["rootInfo"]["visits"] <= query["maxVisits"]
    assert len(reply["policy"]) == area + 1
    assert [info["order"] for info in reply["moveInfos"]] == list(range(len(reply["moveInfos"])))
    avoided = {move for rule in query.get("avoidMoves", ()) for move in rule["moves"]}
    for info in reply["moveInfos"]:
        assert set(info) >= READ and info["pv"][0] == info["move"]
        assert info["move"] not in avoided
        if query["includeMovesOwnership"]:
            assert len(info["ownership"]) == area
    assert ("ownership" in reply) == query["includeOwnership"]
    if query["includeOwnership"]:
        assert len(reply["ownership"]) == area


def test_every_answer_of_a_recorded_session_has_what_katrain_reads(client: AnalysisClient) -> None:
    queries = {query["id"]: query for query in sent()}
    replies: list[Reply] = []
    waiting: dict[str, Any] | None = None
    for query, following in pairwise([*queries.values(), {}]):
        client.send(query)
        if query.get("maxVisits") == PONDERING and "action" in following:
            waiting = query  # the one before is cancelled in the same moment
            continue
        goal, waiting = waiting or query, None
        replies.append(client.reply())
        while not ends(goal, replies[-1]):
            replies.append(client.reply())
    replies += client.rest()
    final: Counter[str] = Counter()
    for reply in replies:
        assert "error" not in reply and "warning" not in reply
        query = queries[reply["id"]]
        final[reply["id"]] += not reply.get("isDuringSearch", False)
        if "action" in query:
            assert {key: reply[key] for key in query} == query
        else:
            check(query, reply)
    assert final == Counter(list(queries))


def test_the_session_has_a_whole_game_and_pondering_that_is_cancelled() -> None:
    queries = sent()
    assert [move for _, move in queries[-1]["moves"][-2:]] == ["pass", "pass"]
    pondered = [query["id"] for query in queries if query.get("maxVisits") == PONDERING]
    ended = [query["terminateId"] for query in queries if "action" in query]
    assert len(pondered) == 3 and ended == pondered
    assert any("avoidMoves" in query for query in queries)
