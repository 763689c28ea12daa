"""The page of `goengine web` in Chromium: weight, first paint, and from a click to the stone.

A server of this process with the shipped network, or with one that answers at once (`--instant`),
and a headless Chromium. First paint is what the browser reports of a visit with an empty cache; the
stone is there when the browser has painted it: two animation frames after the click's handler, by
the page's own clock. Clicks are made on an idle board and while the analysis runs.

    python -m benchmarks.web_page --visits 5 --clicks 100
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, sync_playwright

from goengine.analysis.evaluators import make_analysis_evaluator
from tests.goengine.web.browser import Visitor
from tests.helpers.analysis_client import instant_evaluator
from tests.helpers.web_client import WebServer

TIMED_CLICK = """([x, y, point]) => new Promise((done) => {
    const [column, row] = point;
    const vertex = document.querySelector(
        `.shudan-vertex[data-x="${column}"][data-y="${row}"]`);
    const begin = performance.now();
    const look = () => {
        if (vertex.classList.contains("shudan-sign_0")) requestAnimationFrame(look);
        else requestAnimationFrame(() => done(performance.now() - begin));
    };
    document.elementFromPoint(x, y).dispatchEvent(new PointerEvent("click", {
        clientX: x, clientY: y, bubbles: true, pointerType: "mouse"}));
    requestAnimationFrame(look);
})"""
PAINT = """() => performance.getEntriesByType("paint")
    .filter((entry) => entry.name === "first-contentful-paint")[0]?.startTime ?? null"""
NOW = "performance.now()"


def weighed(page: Page) -> list[int]:
    """Note the sizes of all answers of a page, headers left out."""
    sizes: list[int] = []

    def note(response: Any) -> None:
        sizes.append(len(response.body()))

    page.on("response", note)
    return sizes


def visits(browser: Any, port: int, count: int) -> None:
    """Print weight and first paint of visits with an empty cache."""
    paints, boards = [], []
    for _ in range(count):
        context = browser.new_context(locale="ko-KR")
        page = context.new_page()
        sizes = weighed(page)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector(".shudan-vertex")
        boards.append(page.evaluate(NOW))
        page.wait_for_timeout(300)
        paints.append(page.evaluate(PAINT))
        context.close()
    print(f"page: {sum(sizes) / 1024:.1f} KiB in {len(sizes)} files, uncompressed, Korean")
    print(f"first contentful paint: {spread(paints)} ms")
    print(f"board in the page, as seen from here: {spread(boards)} ms")


def clicks(browser: Any, port: int, count: int, analysing: bool) -> None:
    """Print the time from a click to the painted stone."""
    visitor = Visitor(browser, port)
    visitor.new_game(size=19)
    visitor.choose_view("Study")
    if analysing:
        visitor.press("Space")
        visitor.page.locator(".candidates").wait_for()
    times = []
    for index in range(count):
        word = f"{'ABCDEFGHJKLMNOPQRST'[(index * 2) % 19]}{1 + 2 * (index // 10)}"
        x, y = visitor.place(word, 19)
        point = list(visitor.vertex(word, 19))
        times.append(visitor.page.evaluate(TIMED_CLICK, [x, y, point]))
        visitor.page.wait_for_timeout(150)
    print(f"click to stone{', analysing' if analysing else ''}: {spread(times)} ms")
    if analysing:
        visitor.press("Space")
    visitor.close()


def spread(values: Sequence[float]) -> str:
    """Return median, 95 % point and extremes in words."""
    ordered = sorted(values)
    most = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        f"median {statistics.median(ordered):.0f}, 95 % up to {most:.0f}, "
        f"from {ordered[0]:.0f} to {ordered[-1]:.0f} of {len(ordered)}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instant", action="store_true", help="a network that answers at once")
    parser.add_argument("--visits", type=int, default=5, help="visits with an empty cache")
    parser.add_argument("--clicks", type=int, default=100, help="clicks, 100 at the most")
    args = parser.parse_args()
    evaluator = instant_evaluator() if args.instant else make_analysis_evaluator("dual-96")[1]
    server = WebServer(evaluator=evaluator, visits=100_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        visits(browser, server.port, args.visits)
        clicks(browser, server.port, args.clicks, analysing=False)
        clicks(browser, server.port, args.clicks, analysing=True)
        browser.close()
    server.stop()


if __name__ == "__main__":
    main()
