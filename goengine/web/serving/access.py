"""Who may ask at all: host names, origins, the token, and what browsers are told to refuse.

A page of another site may make a browser ask this server. It then names its own site in `Origin`,
or, where it makes its own name point here (DNS rebinding), in `Host`; both are refused. Whoever may
reach this machine needs the token besides, where the server is opened to others.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import socket
from collections.abc import Iterable
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine that nobody else can have."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; media-src 'self'; manifest-src 'self'; connect-src 'self'{sockets}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own files, and nothing inline but images."""
PLAIN_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]+")
"""What a Host header may be made of: it comes back in the policy."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}


class Access:
    """The guard before everything else.

    `names`: host names by which the server may be asked; where `open_to_others`, any address in
    numbers is one too. `token`: what a stranger has to know; None lets everybody in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        names: Iterable[str] = LOOPBACK,
        open_to_others: bool = False,
        token: str | None = None,
        port: int = 0,
    ) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._open = open_to_others
        self._token = token
        self._cookie = f"goengine-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        guarded = _with_headers(send, headers.get("host", "") if refusal is None else "")
        if refusal is None:
            await self._app(scope, receive, guarded)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await refusal(scope, receive, guarded)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Return what a request is answered with that may not go on, None where it may."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._knows(host):
            return _refused(f"this server does not answer to the name {host[:80]!r}", 421)
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host.lower():
            return _refused("requests of other sites are refused", 403)
        if headers.get("sec-fetch-site") == "cross-site" and scope["type"] == "websocket":
            return _refused("requests of other sites are refused", 403)
        if self._token is None:
            return None
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if self._is_token(given):
            if scope["type"] == "http" and scope["path"] == "/":
                welcome = RedirectResponse("/", status_code=303)
                token = quote(self._token, safe="")
                welcome.set_cookie(self._cookie, token, httponly=True, samesite="lax")
                return welcome
            return None
        if self._is_token(_cookie(headers, self._cookie)):
            return None
        said = "use the whole address that the server has printed, its token included"
        return _refused(said, 401)

    def _knows(self, host: str) -> bool:
        """Tell whether a Host header names this server."""
        if PLAIN_HOST.fullmatch(host) is None:
            return False
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if name is None:
            return False
        if name in self._names:
            return True
        return self._open and _is_address(name)

    def _is_token(self, word: str) -> bool:
        """Tell whether a word is the token."""
        return self._token is not None and hmac.compare_digest(word.encode(), self._token.encode())


def names_for(host: str) -> tuple[frozenset[str], bool]:
    """Return the names of a server that listens at an address, and whether others can reach it."""
    if is_loopback(host):
        return LOOPBACK | {host.lower()}, False
    own = socket.gethostname().lower()
    return LOOPBACK | {host.lower(), own, f"{own}.local", socket.getfqdn().lower()}, True


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    """Tell whether a name is an address in numbers, which no foreign site can make its own."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _place(origin: str) -> str | None:
    """Return host and port of an origin, None where it has none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _cookie(headers: Headers, name: str) -> str:
    """Return the value of a cookie, nothing where it is missing.

    Each is read by itself: servers on other ports of a host set cookies of any kind for it.
    """
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            word, _, value = pair.strip().partition("=")
            if word == name:
                return unquote(value.strip('"'))
    return ""


def _refused(text: str, status: int) -> Response:
    """Return a refusal in one sentence."""
    return PlainTextResponse(f"Refused: {text}.\n", status_code=status)


def _with_headers(send: Send, host: str) -> Send:
    """Return a `send` that adds the headers that keep browsers from harm.

    Some browsers want the address of the WebSocket named: it is at the host that was asked.
    """
    policy = POLICY.format(sockets=f" ws://{host} wss://{host}" if host else "")

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return add
