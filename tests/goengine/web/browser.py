"""A page in a headless Chromium, and what a person does with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

LETTERS = "ABCDEFGHJKLMNOPQRST"
LONG = 30_000
"""Milliseconds after which a test gives up."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on the PATH")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program)
        yield browser
        browser.close()


class Visitor:
    """A person at a tab of the page."""

    def __init__(self, browser: Any, port: int, **options: Any) -> None:
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **options}
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(LONG)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._hear)
        self.sent: list[dict[str, Any]] = []
        self.page.on("websocket", self._watch)
        self.page.goto(f"http://127.0.0.1:{port}/")
        self.page.wait_for_selector(".board")
        if self.page.locator("dialog").count():
            self.page.keyboard.press("Escape")
            self.page.wait_for_selector("dialog", state="detached")

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "WebSocket connection" not in message.text:
            self.problems.append(message.text)

    def _watch(self, socket: Any) -> None:
        socket.on("framesent", lambda text: self.sent.append(json.loads(text)))

    def close(self) -> None:
        """Go away; whatever the browser complained of fails the test."""
        self.context.close()
        assert self.problems == []

    # Looking

    def stones(self, sign: int) -> int:
        """How many stones of a sign (Black 1, White -1) are on the board."""
        return int(self.page.locator(f".shudan-vertex.shudan-sign_{sign}").count())

    def stone_at(self, word: str, size: int) -> int:
        """The sign of what is on a point."""
        x, y = self.vertex(word, size)
        at = self.page.locator(f'.shudan-vertex[data-x="{x}"][data-y="{y}"]')
        return int(
            next(part[12:] for part in at.get_attribute("class").split() if "-sign_" in part)
        )

    def until(self, there: Callable[[], bool]) -> None:
        """Wait until something is there."""
        for _ in range(LONG // 20):
            if there():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(self.page.locator("body").inner_text())

    def see(self, text: str) -> None:
        """Wait until a text is seen."""
        self.page.get_by_text(text).first.wait_for()

    def move_number(self) -> str:
        """What stands under the board, such as "3 / 10"."""
        return str(self.page.locator(".navigation output").inner_text())

    # Doing

    @staticmethod
    def vertex(word: str, size: int) -> tuple[int, int]:
        """The point from the top left that a word names."""
        return LETTERS.index(word[0]), size - int(word[1:])

    def place(self, word: str, size: int) -> tuple[float, float]:
        """Where a point is in the window."""
        x, y = self.vertex(word, size)
        box = self.page.locator(".shudan-content").bounding_box()
        step = box["width"] / size
        return box["x"] + (x + 0.5) * step, box["y"] + (y + 0.5) * step

    def click(self, word: str, size: int) -> None:
        """Click on a point of the board."""
        self.page.mouse.click(*self.place(word, size))

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Any:
        """The button of a name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def new_game(self, *, size: int = 9, colour: str = "Both", **fields: str) -> None:
        """Begin a game by the dialog; fields are the values of its fields by name."""
        self.press("n")
        dialog = self.page.locator("dialog")
        dialog.get_by_label(f"{size}×{size}").check()
        dialog.get_by_label(colour, exact=True).check()
        if "visits" in fields and dialog.locator('[name="limit"]').count():
            dialog.locator('[name="limit"]').select_option("visits")
        for name, value in fields.items():
            field = dialog.locator(f'[name="{name}"]')
            if field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        dialog.get_by_role("button", name="Begin").click()
        self.agree()
        self.until(lambda: self.move_number() == "0 / 0" and self.stones_of_size(size))

    def stones_of_size(self, size: int) -> bool:
        """Whether the board has a size."""
        return bool(self.page.locator(".shudan-vertex").count() == size * size)

    def paste(self, sgf: str) -> None:
        """Load a game by the dialog of pasting."""
        self.press("2")
        self.button("Paste").click()
        self.page.locator("dialog textarea").fill(sgf)
        self.button("Load").click()
        self.agree()

    def agree(self) -> None:
        """Answer the question whether the game on the board may go, if it is asked."""
        self.page.wait_for_selector("dialog.new-game", state="detached")
        self.page.wait_for_timeout(50)
        if self.button("Go on").count():
            self.button("Go on").click()
        self.page.wait_for_selector("dialog", state="detached")

    def choose_view(self, name: str) -> None:
        """Choose Play, Study or See inside."""
        self.page.get_by_role("tab", name=name).click()
