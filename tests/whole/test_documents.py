"""The documents: links lead somewhere, what they name exists, prose fits a screen."""

from __future__ import annotations

import ast
import importlib
import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = ROOT / "docs" / "README.md"
PATTERNS = (
    *("README.md", "docs/**/*.md", "benchmarks/README.md", "data/README.md"),
    *("goengine/nets/*.md", "cnncore/pretrained/*.md"),
)
DOCUMENTS = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
PACKAGES = ("goengine", "cnncore", "selfplay")
FOLDERS = (*PACKAGES, "benchmarks", "tests", "data", "docs")
COLUMNS = 120

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NOT_INSIDE = r"(?<![\w/\\.~-])"
"""A name begins here: it is not the end of a longer path, such as /tmp/goengine.log."""
MODULE = re.compile(rf"{NOT_INSIDE}(?:{'|'.join(FOLDERS[:5])})(?:\.(?!md\b)[A-Za-z_]\w*)+")
PATH = re.compile(rf"{NOT_INSIDE}(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/](?![\w*])")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """Return a document without its blocks of code; the lines keep their numbers."""
    return FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)


def links(text: str) -> list[str]:
    """Return where the links of a document lead, those to other sites left out."""
    targets = LINK.findall(CODE.sub("", prose(text)))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Return the anchors that a reader's browser knows in a document: one for each heading."""
    found: set[str] = set()
    for title in re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE):
        plain = LINK.sub(lambda link: link[0].split("]")[0].lstrip("!["), title)
        anchor = re.sub(r"[^\w -]", "", plain.lower()).strip().replace(" ", "-")
        again = 1
        while anchor in found:
            anchor = f"{anchor.removesuffix(f'-{again - 1}')}-{again}"
            again += 1
        found.add(anchor)
    return found


def broken_links(path: Path) -> list[str]:
    """Return the links of a document that lead to a missing file or heading."""
    broken = []
    for link in links(text_of(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            broken.append(link)
    return broken


def exists(name: str) -> bool:
    """Return whether a dotted name is a module, or something in a module."""
    parts = name.split(".")
    place = ROOT / parts[0]
    count = 1
    while count < len(parts) and (
        (place / parts[count]).is_dir() or (place / f"{parts[count]}.py").is_file()
    ):
        place /= parts[count]
        count += 1
    if count == len(parts):
        return True
    return parts[0] in PACKAGES and hasattr(
        importlib.import_module(".".join(parts[:count])), parts[count]
    )


def columns(line: str) -> int:
    """Return how wide a line is; Korean letters take two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_links_lead_to_a_file_and_a_heading(path: Path) -> None:
    assert broken_links(path) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_modules_and_files_that_are_named_exist(path: Path) -> None:
    text = text_of(path)
    modules = {name for name in MODULE.findall(text) if not exists(name)}
    files = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    files = {name for name in files if "__pycache__" not in name}
    assert modules | files == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_python_blocks_import_what_exists(path: Path) -> None:
    for language, block in FENCED.findall(text_of(path)):
        for node in ast.walk(ast.parse(block)) if language == "python" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGES):
                module = importlib.import_module(node.module or "")
                assert [name.name for name in node.names if not hasattr(module, name.name)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_prose_fits_into_120_columns(path: Path) -> None:
    lines = prose(text_of(path)).splitlines()
    wide = [
        number
        for number, line in enumerate(lines, start=1)
        if columns(line) > COLUMNS and not line.lstrip().startswith("|")
    ]
    assert wide == []


def test_every_document_is_reached_from_the_first_one() -> None:
    reached: set[Path] = set()
    pending = [START]
    while pending:
        path = pending.pop()
        if path in reached or not path.exists():
            continue
        reached.add(path)
        if path.suffix == ".md":
            names = (link.partition("#")[0] for link in links(text_of(path)))
            pending.extend((path.parent / name).resolve() for name in names if name)
    wanted = {*DOCUMENTS, *ROOT.glob("docs/**/*.html")}
    assert sorted(short(path) for path in wanted - reached) == []


def test_links_in_code_are_not_links() -> None:
    text = "[a](b.md#c) `[d](e.md)`\n```sh\n[f](g.md)\n```\n[two\nlines](h.md) [i](mailto:j)\n"
    assert links(text) == ["b.md#c", "h.md"]


def test_anchors_are_those_of_headings() -> None:
    text = "# A title\n```sh\n# not a title\n```\n## What, exactly?\n## 설치\n## A title\n"
    assert anchors(text) == {"a-title", "what-exactly", "설치", "a-title-1"}


def test_a_missing_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](#here) [b](#there) [c](none.md)\n", encoding="utf-8")
    assert broken_links(page) == ["#there", "none.md"]


def test_only_names_that_exist_count_as_existing() -> None:
    assert exists("goengine.board.Board")
    assert exists("benchmarks.training")
    assert not exists("goengine.board.Nothing")
    assert not exists("goengine.nowhere")
    assert not exists("benchmarks.nowhere")
