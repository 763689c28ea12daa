"""Clients that are slow, vanish, or mean harm: none of them stops the server or another client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from goengine.web.serving.application import BURST, MOST_CLIENTS, RATE, Gate
from goengine.web.serving.web_server import LONGEST_FRAME
from goengine.web.talk.clients import MOST_PATCHES
from tests.helpers.analysis_client import instant_evaluator, query
from tests.helpers.web_client import HUMAN, PageClient, WebServer, engine

MALFORMED = [
    "",
    "{",
    "[]",
    "3",
    "null",
    '"do"',
    "{}",
    '{"do": null}',
    '{"do": "nothing"}',
    '{"do": ["play"]}',
    '{"do": {"a": 1}}',
    '{"do": "play"}',
    '{"do": "play", "move": null}',
    '{"do": "play", "move": "D4", "at": 17}',
    '{"do": "goto", "node": {"$ne": 1}}',
    '{"do": "undo", "count": -1}',
    '{"do": "undo", "count": 1e400}',
    '{"do": "analyse", "visits": NaN}',
    '{"do": "analyse", "visits": 10000000000000000000000000000}',
    '{"do": "analyse", "on": "yes"}',
    '{"do": "review", "visits": 0}',
    '{"do": "annotate", "comment": 7}',
    '{"do": "annotate", "marks": [1]}',
    '{"do": "toggle_dead", "point": "pass"}',
    '{"do": "set_players", "black": 1}',
    '{"do": "hello", "seq": "\\ud800"}',
    '{"id": 3}',
    '{"action": "terminate"}',
    '{"id": "q", "action": "sudo"}',
    "[" * 100_000,
    '{"do": ' * 5_000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_messages_are_answered(server: WebServer, page: PageClient, text: str) -> None:
    page.connection.send(text)
    assert page.do("play", move="E5") is None, "the connection goes on"
    assert page.line() == ["BE5"]


def test_lone_surrogates_in_text_do_no_harm(page: PageClient) -> None:
    page.connection.send('{"do": "annotate", "comment": "a\\ud800b", "seq": 1000}')
    page.wait(lambda: page.table["seen"] >= 1000)
    assert page.here["comment"].startswith("a")


def test_binary_frames_are_refused(page: PageClient) -> None:
    page.connection.send(b'{"do": "play", "move": "E5"}')
    assert page.event("error")["key"] == "bad_message"
    assert page.line() == []


def test_a_frame_beyond_the_bound_ends_its_own_connection(
    server: WebServer, page: PageClient
) -> None:
    other = server.client()
    with suppress(ConnectionClosed):
        other.connection.send("x" * (LONGEST_FRAME + 1))
    with pytest.raises(ConnectionClosed):
        while True:
            other.connection.recv(timeout=20)
    assert page.do("play", move="E5") is None


def test_a_large_message_within_the_bound_is_answered(page: PageClient) -> None:
    page.connection.send(json.dumps({"do": "annotate", "comment": "x" * 1_000_000}))
    assert page.event("error")["key"] == "bad_field"


def test_a_client_that_vanishes_takes_its_analyses_along() -> None:
    server = WebServer(evaluator=instant_evaluator(0.005))
    page = server.client()
    queries = [
        json.dumps(
            {
                "id": f"q{n}",
                "moves": [],
                "rules": "chinese",
                "boardXSize": 9,
                "boardYSize": 9,
                "maxVisits": 100_000,
            }
        )
        for n in range(20)
    ]
    with server.plain() as other:
        for query in queries:
            other.send(query)
        time.sleep(0.3)
        other.socket.shutdown(socket.SHUT_RDWR)
    page.wait(lambda: _clients(server) == 1 or _poke(page))
    end = time.monotonic() + 20
    while server.waiting() and time.monotonic() < end:
        time.sleep(0.05)
    assert server.waiting() == 0
    page.close()
    server.stop()


def test_disconnecting_during_a_search_leaves_the_game_to_others(server: WebServer) -> None:
    first = server.client()
    first.do("new_game", size=9, black=HUMAN, white=engine(30))
    first.send(do="play", move="E5")
    first.connection.socket.shutdown(socket.SHUT_RDWR)
    second = server.client()
    second.wait(lambda: len(second.line()) == 2)
    second.close()


def test_who_does_not_read_gets_the_whole_table_later() -> None:
    server = WebServer()
    page = server.client()
    page.do("new_game", size=19)
    comment = "x" * 90_000
    slow = server.client()
    for n in range(3 * MOST_PATCHES):
        page.do("annotate", comment=f"{n} {comment}")
    assert len(slow.table) and _clients(server) == 2
    end = page.table["version"]
    slow.wait(lambda: slow.table["version"] == end)
    assert slow.here["comment"].startswith(f"{3 * MOST_PATCHES - 1} ")
    slow.close()
    page.close()
    server.stop()


def test_who_never_reads_its_answers_is_cut(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("goengine.web.talk.clients.PATIENCE", 0.5)
    server = WebServer()
    page = server.client()
    page.do("annotate", comment="y" * 90_000)
    with ExitStack() as stack, suppress(ConnectionClosed, OSError):
        greedy = stack.enter_context(server.plain(max_size=None, max_queue=1))
        greedy.recv_bufsize = 1
        for _ in range(400):
            greedy.send('{"do": "get_sgf"}')
        page.wait(lambda: _clients(server) == 1 or _poke(page), seconds=30)
    assert _clients(server) == 1 and "does not read and is cut" in caplog.text
    assert page.do("annotate", comment="") is None
    page.close()
    server.stop()


def test_a_thousand_connections_leave_the_table_usable(server: WebServer, page: PageClient) -> None:
    sockets: list[socket.socket] = []
    refused = 0
    try:
        for n in range(1000):
            with suppress(OSError):
                one = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                sockets.append(one)
                if n % 3 == 0:
                    one.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n")
                elif n % 3 == 1:
                    one.sendall(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
            if n % 250 == 0:
                assert page.do("annotate", comment=str(n)) is None
    finally:
        for one in sockets:
            one.close()
    assert page.do("goto", node=page.table["root"]) is None
    with ExitStack() as stack:
        for _ in range(MOST_CLIENTS + 5):
            try:
                stack.enter_context(server.plain())
            except InvalidStatus as error:
                refused += 1
                assert error.response.status_code == 503
        assert refused >= 5
        assert page.do("play", move="E5") is None
    page.wait(lambda: _clients(server) == 1 or _poke(page))


def test_connections_that_ask_nothing_are_closed(
    server: WebServer, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goengine.web.serving.web_server.FIRST_REQUEST", 0.2)
    late = server.client()
    for words in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent:
            silent.sendall(words)
            with suppress(ConnectionResetError):
                assert silent.recv(100) == b"", "nothing but the end"
    assert late.do("play", move="E5") is None, "a WebSocket may be silent for longer"
    late.close()


def test_a_fast_sender_has_to_wait_and_nobody_else(server: WebServer, page: PageClient) -> None:
    with server.plain() as fast:
        for _ in range(int(BURST) + 200):
            fast.send('{"do": "clock_claim"}')
        began = time.monotonic()
        assert page.do("play", move="E5") is None
        assert time.monotonic() - began < 10


def test_the_gate_lets_bursts_through_and_slows_what_goes_on() -> None:
    now = 0.0
    gate = Gate(now=lambda: now)
    assert all(gate.wait_for(10) == 0 for _ in range(int(BURST) - 1))
    waits = [gate.wait_for(10) for _ in range(60)]
    assert waits[-1] == pytest.approx(60 / RATE, rel=0.1)
    now = 1000.0
    assert gate.wait_for(10) == 0
    assert gate.wait_for(100_000_000) > 1, "a huge message counts as many"


def _clients(server: WebServer) -> int:
    """Return how many clients are connected."""
    return len(server.desk.clients)


def _poke(page: PageClient) -> bool:
    """Have the server say something, so that waiting goes on."""
    time.sleep(0.02)
    page.send(do="clock_claim")
    return False


@pytest.fixture(autouse=True)
def _still_alive(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test a new client must still be served by the shared server."""
    yield
    if "server" in request.fixturenames:
        found = request.getfixturevalue("server").client()
        assert found.do("get_sgf") is None
        found.close()


def test_files_that_keep_everybody_busy_are_refused(page: PageClient) -> None:
    stones = "[aa:ss]" * 2000
    refusal = page.do("load_sgf", text=f"(;SZ[19]AB{stones})")
    assert refusal is not None and "722000 points" in refusal["text"]


def test_texts_cannot_fill_the_memory(page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goengine.web.table.game_tree.MOST_BYTES", 150_000)
    assert page.do("annotate", comment="z" * 90_000) is None
    assert page.do("annotate", comment="y" * 90_000) is None, "it takes the place of the first"
    page.do("play", move="E5")
    refusal = page.do("annotate", comment="z" * 90_000)
    assert refusal is not None and "is full" in refusal["text"] and "comment" not in page.here
    assert page.do("annotate", comment="short") is None


def test_a_long_line_of_the_protocol_is_refused(server: WebServer) -> None:
    moves = [["B", "pass"], ["W", "pass"]] * 20_000
    with server.plain() as connection:
        connection.send(json.dumps(query(moves=moves)))
        assert "longer than" in json.loads(connection.recv(timeout=60))["error"]


@pytest.mark.parametrize("frame", [b"\x89\xfd\0\0\0\0" + b"x" * 125, b"\x00\x80\0\0\0\0"])
def test_floods_of_frames_that_are_no_messages_are_cut(
    server: WebServer, page: PageClient, frame: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as flood:
        flood.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert flood.recv(1000).startswith(b"HTTP/1.1 101")
        flood.sendall(b"\x01\x80\0\0\0\0")
        with pytest.raises(OSError):
            for _ in range(100):
                flood.sendall(frame * 2000)
                time.sleep(0.01)
    assert page.do("play", move="E5") is None


def test_a_second_request_that_never_ends_is_given_up(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goengine.web.serving.web_server.FIRST_REQUEST", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
        with suppress(ConnectionResetError):
            while slow.recv(1000):
                pass
