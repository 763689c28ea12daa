"""The analysis protocol over the WebSocket, as KaTrain's remote backend and scripts speak it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from tests.helpers.analysis_client import instant_evaluator, query
from tests.helpers.web_client import HUMAN, WebServer

SESSION = Path(__file__).parents[2] / "golden" / "analysis" / "katrain.jsonl"


@pytest.fixture
def script(server: WebServer) -> Iterator[ClientConnection]:
    """A connection that never says hello."""
    with server.plain() as connection:
        yield connection


def ask(connection: ClientConnection, fields: dict[str, Any]) -> dict[str, Any]:
    """Send a query and return the next message."""
    connection.send(json.dumps(fields))
    return reply(connection)


def reply(connection: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    found = json.loads(connection.recv(timeout=60))
    assert isinstance(found, dict)
    return found


def test_a_query_is_answered_without_a_hello(script: ClientConnection) -> None:
    found = ask(script, query(maxVisits=10, includeOwnership=True, includePolicy=True))
    assert found["id"] == "q" and found["isDuringSearch"] is False
    assert found["rootInfo"]["visits"] == 10 and len(found["ownership"]) == 25
    assert ask(script, {"id": "v", "action": "query_version"})["engine"] == "goengine"
    assert ask(script, {"id": "m", "action": "query_models"})["models"]


def test_katrains_session_has_an_answer_for_every_query(server: WebServer) -> None:
    """The lines are KaTrain's; its remote backend takes any message with an id for an answer."""
    queries = [json.loads(line) for line in SESSION.read_text(encoding="utf-8").splitlines()]
    waiting = {}
    with server.plain(origin=f"http://127.0.0.1:{server.port}") as connection:
        for fields in queries:
            fields["maxVisits"] = min(10, fields.get("maxVisits", 10))
            if "action" not in fields:
                waiting[fields["id"]] = fields
            connection.send(json.dumps(fields))
        while waiting:
            found = reply(connection)
            if "terminateId" in found:
                continue
            assert "error" not in found, found
            assert found.get("noResults") or found["rootInfo"]["visits"] >= 1
            if not found["isDuringSearch"]:
                del waiting[found["id"]]


def test_nothing_of_the_table_is_sent_to_who_did_not_ask(
    server: WebServer, script: ClientConnection
) -> None:
    page = server.client()
    page.do("new_game", size=9)
    page.do("play", move="E5")
    page.close()
    assert ask(script, {"id": "v", "action": "query_version"})["id"] == "v"


def test_equal_ids_of_two_clients_do_not_clash(server: WebServer) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(server.plain()) for _ in range(2))
        one.send(json.dumps(query(maxVisits=3)))
        other.send(json.dumps(query(maxVisits=5)))
        assert reply(one)["rootInfo"]["visits"] == 3
        assert reply(other)["rootInfo"]["visits"] == 5


def test_what_does_not_count_is_said_in_the_answer(script: ClientConnection) -> None:
    fields = query(maxVisits=3, surprise=1, overrideSettings={"rootPolicyTemperature": 1.0})
    found = ask(script, fields)
    assert "surprise" in found["warning"] and "rootPolicyTemperature" in found["warning"]
    assert found["rootInfo"]["visits"] == 3
    assert "warning" not in ask(script, query(maxVisits=3))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "parse"),
        ("7", "object"),
        ('{"id": 3}', "string"),
        ('{"id": "q"}', "boardXSize"),
        ('{"id": "q", "action": "explode"}', "action"),
        ('{"hello": 1}', "do"),
    ],
)
def test_wrong_lines_are_answered_as_the_protocol_has_it(
    script: ClientConnection, text: str, part: str
) -> None:
    script.send(text)
    found = reply(script)
    assert part in json.dumps(found) and "error" in found and "event" not in found


def test_illegal_moves_are_answered_with_their_id(script: ClientConnection) -> None:
    found = ask(script, query(moves=[["B", "A1"], ["W", "A1"]]))
    assert found["id"] == "q" and "Illegal move" in found["error"]


def test_ending_queries_ends_only_ones_own() -> None:
    server = WebServer(evaluator=instant_evaluator(0.01))
    with ExitStack() as stack:
        one, other = (stack.enter_context(server.plain()) for _ in range(2))
        one.send(json.dumps(query(id="a", maxVisits=5000, priority=5)))
        other.send(json.dumps(query(id="a", maxVisits=30)))
        stopped = ask(one, {"id": "t", "action": "terminate_all"})
        answers = [stopped, reply(one)]
        assert {found["id"] for found in answers} == {"t", "a"}
        assert reply(other)["rootInfo"]["visits"] == 30
        one.send(json.dumps(query(id="b", maxVisits=5000)))
        one.send(json.dumps({"id": "t", "action": "terminate", "terminateId": "b"}))
        assert {reply(one)["id"], reply(one)["id"]} == {"t", "b"}
    server.stop()


def test_partial_reports_come_and_a_final_one_ends_them() -> None:
    server = WebServer(evaluator=instant_evaluator(0.005))
    with server.plain() as connection:
        connection.send(json.dumps(query(maxVisits=400, reportDuringSearchEvery=0.05)))
        found = [reply(connection)]
        while found[-1]["isDuringSearch"]:
            found.append(reply(connection))
    visits = [one["rootInfo"]["visits"] for one in found]
    assert len(found) > 2 and visits == sorted(visits) and visits[-1] == 400
    server.stop()


def test_analyses_go_on_while_a_player_thinks() -> None:
    server = WebServer(evaluator=instant_evaluator(0.005))
    page = server.client()
    page.do("new_game", size=9, black=HUMAN, white={"kind": "engine", "seconds": 60.0})
    page.do("play", move="E5")
    assert page.table["thinking"]
    with server.plain() as connection:
        assert ask(connection, query(maxVisits=20))["rootInfo"]["visits"] == 20
    page.do("planes")
    assert page.event("planes")["size"] == 9
    assert page.table["thinking"]
    page.do("undo")
    page.close()
    server.stop()


def test_the_cursors_analysis_goes_before_those_of_others() -> None:
    server = WebServer(evaluator=instant_evaluator(0.002), visits=200)
    page = server.client()
    with server.plain() as connection:
        for n in range(8):
            connection.send(json.dumps(query(id=str(n), maxVisits=1_000_000, priority=10**12)))
        end = time.monotonic() + 20
        while server.waiting() < 8 and time.monotonic() < end:
            time.sleep(0.01)
        page.do("analyse", on=True, visits=200)
        assert page.event("analysis", lambda event: event["done"])["visits"] >= 200
        assert server.waiting() == 8
    page.close()
    server.stop()
