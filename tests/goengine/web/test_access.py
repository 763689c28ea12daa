"""Who is let in: hosts, origins, the token, and what the page may load."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from goengine.web.serving.access import LOOPBACK, is_loopback, names_for
from goengine.web.serving.application import STATIC
from tests.helpers.web_client import WebServer

TOKEN = "a-token for;tests+%"


@pytest.fixture(scope="module")
def opened() -> Iterator[WebServer]:
    """A server as it is for others."""
    found = WebServer(token=TOKEN, open_to_others=True)
    yield found
    found.stop()


def get(server: WebServer, path: str, **headers: str) -> http.client.HTTPResponse:
    """Return the answer to a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("GET", path, skip_host="host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_health_is_told(server: WebServer) -> None:
    response = get(server, "/health")
    assert response.status == 200
    assert set(json.loads(response.body)) == {"ready", "clients"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:1", 200),
        ("127.0.0.1:8361", 200),
        ("[::1]:8361", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example:8361", 421),
        ("192.168.1.7", 421),
        ("user@evil.example", 421),
        ("user@localhost", 421),
        ("localhost; script-src *", 421),
        ("localhost:1 http:", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_only_its_own_names_are_answered(server: WebServer, host: str, status: int) -> None:
    assert get(server, "/health", host=host).status == status


@pytest.mark.parametrize(
    ("origin", "lets"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("http://evil.example", False),
        ("http://127.0.0.1:1", False),
        ("http://localhost:{port}", False),
        ("null", False),
        ("file://", False),
        ("http://[", False),
    ],
)
def test_other_sites_cannot_open_the_socket(
    server: WebServer, origin: str | None, lets: bool, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = None if origin is None else origin.format(port=server.port)
    if lets:
        with connect(server.address, origin=chosen) as connection:
            connection.send('{"do": "hello"}')
            assert json.loads(connection.recv(timeout=20))["event"] == "hello"
        return
    with pytest.raises(InvalidStatus) as refused, connect(server.address, origin=chosen):
        pass
    assert refused.value.response.status_code == 403
    assert not caplog.records, "a page of another site does not fill the terminal"


def test_what_the_page_may_load_is_told(server: WebServer) -> None:
    for path in ("/health", "/", "/static/nothing.js"):
        response = get(server, path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/%2e%2e/serving/application.py",
        "/static/..%2f..%2f..%2fpyproject.toml",
        "/static//etc/passwd",
        "/etc/passwd",
        "/static/",
        "/nothing",
    ],
)
def test_no_other_file_is_read(server: WebServer, path: str) -> None:
    assert get(server, path).status == 404


def test_the_page_is_there_or_is_said_to_be_missing(server: WebServer) -> None:
    response = get(server, "/")
    assert response.status == (200 if (STATIC / "index.html").is_file() else 404)


def test_nothing_but_reading_is_allowed(server: WebServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    for method in ("POST", "PUT", "DELETE"):
        connection.request(method, "/", body=b"x")
        response = connection.getresponse()
        response.read()
        assert response.status == 405
    connection.close()


def test_strangers_need_the_token(opened: WebServer) -> None:
    assert get(opened, "/").status == 401
    assert get(opened, "/?token=wrong").status == 401
    assert get(opened, "/health", cookie=f"goengine-{opened.port}=wrong").status == 401
    with pytest.raises(InvalidStatus) as refused, opened.plain():
        pass
    assert refused.value.response.status_code == 401


def test_the_token_of_the_address_becomes_a_cookie(opened: WebServer) -> None:
    response = get(opened, f"/?token={quote(TOKEN)}")
    assert response.status == 303 and response.headers["Location"] == "/"
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    pair = cookie.split(";")[0]
    assert get(opened, "/health", cookie=pair).status == 200
    foreign = f'a="; {{}}; b=[1, "2"]; {pair}; c'
    assert get(opened, "/health", cookie=foreign).status == 200
    with connect(opened.address, additional_headers={"Cookie": pair}) as connection:
        connection.send('{"do": "hello"}')
        assert json.loads(connection.recv(timeout=20))["event"] == "hello"
    with connect(f"{opened.address}?token={quote(TOKEN)}") as connection:
        connection.send('{"id": "v", "action": "query_version"}')
        assert json.loads(connection.recv(timeout=20))["engine"] == "goengine"


@pytest.mark.parametrize(
    ("host", "status"), [("192.168.1.7:80", 200), ("[fe80::1]", 200), ("evil.example", 421)]
)
def test_addresses_in_numbers_are_answered_where_it_is_open(
    opened: WebServer, host: str, status: int
) -> None:
    assert get(opened, f"/health?token={quote(TOKEN)}", host=host).status == status


def test_what_is_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.1", "example.org")))
    assert names_for("127.0.0.1") == (LOOPBACK, False)
    names, open_to_others = names_for("0.0.0.0")
    assert open_to_others and names > LOOPBACK
