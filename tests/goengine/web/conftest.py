"""A server and a client for the tests of the web board."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.web_client import PageClient, WebServer


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    """A server that the tests of a file share."""
    found = WebServer()
    yield found
    found.stop()


@pytest.fixture
def page(server: WebServer) -> Iterator[PageClient]:
    """A client at an empty 9x9 board between two people."""
    found = server.client()
    found.do("analyse", on=False)
    found.do("new_game", size=9)
    yield found
    found.close()
