"""The analysis server under stress: hostile lines, readers that stop, ends of input."""

from __future__ import annotations

import json
import os
import threading
import time

import numpy as np
import pytest

from goengine.analysis import line_server
from goengine.analysis.line_server import LineReader, LineWriter
from goengine.analysis.requests.json_fields import LONGEST_LINE
from tests.helpers.analysis_client import AnalysisClient, instant_evaluator, query

VALUES: list[object] = [
    None,
    True,
    -1,
    0,
    3.5,
    10**40,
    "",
    "B",
    "C3",
    "\ud800",
    "x" * 300,
    [],
    [[]],
    [["B", "C3"]],
    [["B", "C3"], ["W", "C3"]],
    {},
    {"player": "B"},
    [{"player": "B", "moves": ["C3"], "untilDepth": 1}],
    {"maxVisits": 10**30},
    {"reportAnalysisWinratesAs": "BLACK", "\u0000": 1},
]


def hostile(rng: np.random.Generator) -> bytes:
    """Return a line that is a query with a few fields spoilt, or no query at all."""
    kind = rng.integers(10)
    if kind == 0:
        return rng.bytes(int(rng.integers(0, 200))).replace(b"\n", b"")
    fields = query(maxVisits=1, id=f"h{rng.integers(5)}")
    names = [*fields, "action", "analyzeTurns", "priorities", "avoidMoves", "allowMoves", "what"]
    names += ["initialStones", "initialPlayer", "overrideSettings", "includePolicy", "terminateId"]
    for name in rng.choice(names, int(rng.integers(1, 4))):
        fields[str(name)] = VALUES[int(rng.integers(len(VALUES)))]
    line = json.dumps(fields).encode()
    if kind == 1:
        return line[: int(rng.integers(len(line)))]
    if kind == 2:
        spoilt = bytearray(line)
        spoilt[int(rng.integers(len(spoilt)))] = int(rng.integers(1, 256))
        return bytes(spoilt).replace(b"\n", b" ")
    if kind == 3:
        return b"[" * int(rng.integers(5000)) + line
    return line


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_lines_are_answered_and_harm_nothing(seed: int) -> None:
    client = AnalysisClient()
    rng = np.random.default_rng(seed)
    replies: list[dict[str, object]] = []

    def read() -> None:
        while (reply := client.reply()).get("id") != "last":
            replies.append(dict(reply))

    reader = threading.Thread(target=read)
    reader.start()
    lines = [hostile(rng) for _ in range(1000)]
    for line in lines:
        client.send(line)
    client.send(query(id="last", priority=-9))
    reader.join(120)
    assert not reader.is_alive()
    lines = [line for line in lines if line.strip()]
    assert sum("warning" not in reply for reply in replies) >= 0.9 * len(lines)
    assert any("error" in reply for reply in replies)
    assert client.close()


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 1_000_000,
        b'{"id":"q","moves":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"id":"deep","action":"query_version","x":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"id":"' + b"a" * 2_000_000 + b'"}',
        b'{"id":"q","maxVisits":' + b"9" * 4000 + b"}",
        b"\xff" * 1_000_000,
        b'{"id": "q", "moves": [' + b",".join([b'["B","pass"]'] * 20_000) + b"]}",
        b"x" * (LONGEST_LINE + 5_000_000),
    ],
)
def test_a_huge_or_deep_line_is_one_reply(line: bytes) -> None:
    client = AnalysisClient()
    sender = threading.Thread(target=client.send, args=(line, query(id="next")))
    sender.start()
    first, second = client.reply(), client.reply()
    sender.join()
    assert len(json.dumps(first)) < 3_000_000
    assert "error" in first or first["id"] == "deep"
    assert second["id"] == "next" and second["rootInfo"]["visits"] == 12
    assert client.close()


def test_blank_lines_and_carriage_returns_are_nothing() -> None:
    client = AnalysisClient()
    client.send("", "   ", "\r")
    assert client.ask(json.dumps(query()) + "\r")["rootInfo"]["visits"] == 12
    assert client.rest() == [] and client.close()


def test_the_last_line_need_not_end_and_all_is_answered_before_the_end() -> None:
    client = AnalysisClient(instant_evaluator(0.001))
    client.send(*[query(id=str(number), maxVisits=40) for number in range(20)])
    client._send.write(json.dumps(query(id="last")).encode())
    assert {reply["id"] for reply in client.rest()} == {*map(str, range(20)), "last"}
    assert client.close()


def test_a_server_that_does_not_wait_ends_with_the_input() -> None:
    client = AnalysisClient(instant_evaluator(0.001), waits=False)
    client.send(query(maxVisits=10_000_000, reportDuringSearchEvery=0.01))
    client.reply()
    began = time.monotonic()
    assert all(reply["isDuringSearch"] for reply in client.rest())
    assert time.monotonic() - began < 5
    assert client.close()


def test_a_client_that_has_died_ends_the_server() -> None:
    client = AnalysisClient(instant_evaluator(0.001))
    client.send(query(maxVisits=10_000_000, reportDuringSearchEvery=0.01))
    client.reply()
    client.hang_up()
    client._thread.join(20)
    assert not client._thread.is_alive()
    assert client.close()


def test_a_reader_that_stops_reading_loses_nothing_and_the_search_waits_for_it() -> None:
    """The answers are far larger than what the pipe holds, so they pile up until they are read."""
    client = AnalysisClient()
    count = 3 * line_server.MOST_UNWRITTEN
    wide = query(
        boardXSize=19, boardYSize=19, maxVisits=3, includeOwnership=True, includePolicy=True
    )
    sender = threading.Thread(
        target=client.send, args=[wide | {"id": str(number)} for number in range(count)]
    )
    sender.start()
    scheduler, writer = client.server._scheduler, client.server._writer
    left = -1
    while scheduler.waiting != left or left < 0:  # until nothing moves any more
        left = scheduler.waiting
        time.sleep(0.5)
    assert len(writer._replies) == line_server.MOST_UNWRITTEN
    assert 0 < left <= count
    replies = []
    while len(replies) < count:
        replies.append(client.reply())
    sender.join()
    assert [reply["id"] for reply in replies] == [str(number) for number in range(count)]
    assert client.rest() == [] and client.close()


def test_partial_reports_are_left_out_while_answers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_server, "CROWDED", 0)
    client = AnalysisClient(instant_evaluator(0.001))
    client.send(query(maxVisits=200, reportDuringSearchEvery=0.001))
    (reply,) = client.rest()
    assert reply["isDuringSearch"] is False
    assert client.close()


def test_a_reader_of_lines_stops_where_too_many_bytes_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_server, "MOST_UNREAD", 100_000)
    receive, send = os.pipe()
    reader = LineReader(receive)
    reader.start()
    lines = [b"%d" % number + b"." * 999 for number in range(2000)]
    sender = threading.Thread(target=os.write, args=(send, b"\n".join(lines) + b"\n"))
    sender.start()
    time.sleep(0.5)
    assert sender.is_alive() and reader._bytes < 300_000
    found: list[bytes] = []
    while len(found) < len(lines):
        found += reader.take(wait=True)
    assert found == lines
    sender.join()
    os.close(send)
    assert reader.take(wait=True) == [] and reader.ended
    os.close(receive)


def test_what_cannot_be_written_is_an_error_of_that_query() -> None:
    receive, send = os.pipe()
    writer = LineWriter(send)
    writer.start()
    writer.put({"id": "a", "value": float("nan")})
    writer.put({"id": "b", "value": object()})
    writer.put({"id": "c", "value": 1.0})
    writer.finish()
    os.close(send)
    with os.fdopen(receive) as stream:
        first, second, third = map(json.loads, stream)
    assert first["id"] == "a" and "cannot be written" in first["error"]
    assert second["id"] == "b" and "error" in second
    assert third == {"id": "c", "value": 1.0}
