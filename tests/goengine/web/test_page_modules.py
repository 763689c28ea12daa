"""The page's own modules under Node: their tests, their types, and the vendored bundle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "goengine" / "web" / "page"
STATIC = ROOT / "goengine" / "web" / "static"
TESTS = Path(__file__).parent / "page"
LARGEST_PAGE = 300 * 1024
"""Bytes that the whole page may have."""


@pytest.fixture
def node() -> str:
    """Node's path, of a version that takes a .js file for a module where it is one."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on the PATH")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = tuple(int(part) for part in said.stdout.strip().lstrip("v").split(".")[:2])
    if version < (20, 19):
        pytest.skip(f"node {said.stdout.strip()} is older than 20.19")
    return program


@pytest.fixture
def built(node: str) -> str:
    """Node, where the packages of the bundle and of its checks are installed."""
    for package in ("esbuild", "typescript", "preact"):
        if not (PAGE / "node_modules" / package).is_dir():
            pytest.skip(f"no {package}: run npm ci in goengine/web/page")
    return node


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.node
def test_the_modules_do_what_their_tests_say(node: str) -> None:
    run([node, "--test", *sorted(str(path) for path in TESTS.glob("*.test.mjs"))], ROOT)


@pytest.mark.node
def test_a_fresh_bundle_equals_the_vendored_one_byte_for_byte(built: str) -> None:
    run([built, "build.js", "--check"], PAGE)


@pytest.mark.node
def test_the_types_of_the_modules_agree(built: str) -> None:
    run([built, "node_modules/typescript/bin/tsc", "-p", "tsconfig.json"], PAGE)


def test_the_page_is_small_and_takes_nothing_from_other_hosts() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert len(files) > 40
    assert sum(path.stat().st_size for path in files) <= LARGEST_PAGE
    for path in files:
        if path.suffix in (".html", ".css", ".svg") or "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "http://" not in text and "https://" not in text, path


def test_no_script_and_no_style_stands_in_the_page_itself() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    for forbidden in ("<style", "style=", " onclick", " onload", "javascript:"):
        assert forbidden not in page
    assert page.count("<script") == page.count('<script type="module" src=') == 1


def test_files_of_the_page_are_of_readable_length() -> None:
    for path in (STATIC / "js").rglob("*.js"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 400, f"{path} has {lines} lines"
