"""Who may import whom: the layering of docs/architecture.md, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("goengine", "cnncore", "selfplay")

# Each module may import the modules of its own and of earlier layers; what is not listed is on top.
LAYERS = (
    ("types", "coords", "rules", "_jit"),
    ("_state",),
    ("_eyes",),
    ("_kernels",),
    ("_ladders", "_planes", "_playout_board", "_playouts", "board"),
    ("features", "symmetry", "record", "replay", "sgf", "sgf_encoding", "sgf_values", "scoring"),
    ("views", "cleanup"),
    ("networks", "nets"),
    ("widening",),
    ("evaluators",),
    ("search",),
    ("players", "clock"),
)
BOARD_SIDE = (
    *(name for layer in LAYERS[:5] for name in layer),
    *("features", "symmetry", "record", "replay", "sgf", "sgf_encoding", "sgf_values", "clock"),
    "views",
)


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_import: bool = False) -> set[str]:
    """Name every module that a source imports; with ``at_import``, only while it is imported."""
    package = path.relative_to(ROOT).parent.parts
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found.add(origin)
            found.update(f"{origin}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return found


def top(name: str) -> str:
    return name.split(".")[0]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_packages_import_downwards_only(path: Path) -> None:
    mine = top(module_name(path))
    forbidden = {
        "cnncore": {"goengine", "selfplay"},
        "goengine": {"selfplay"},
        "selfplay": set(),
    }[mine] | {"tests", "benchmarks"}
    wrong = {name for name in imports(path) if top(name) in forbidden}
    assert not wrong, f"{module_name(path)} may not import {sorted(wrong)}"


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_private_modules_stay_in_their_package(path: Path) -> None:
    mine = top(module_name(path))
    wrong = {
        name
        for name in imports(path)
        if is_module(name)
        and top(name) != mine
        and any(part.startswith("_") and part != "__main__" for part in name.split("."))
    }
    assert not wrong, f"{module_name(path)} imports private {sorted(wrong)}"


@pytest.mark.parametrize(
    "path", [p for p in sources() if top(module_name(p)) == "goengine"], ids=module_name
)
def test_the_engine_keeps_its_layers(path: Path) -> None:
    level = {f"goengine.{name}": number for number, layer in enumerate(LAYERS) for name in layer}
    mine = ".".join(module_name(path).split(".")[:2])
    if mine not in level:
        return
    # "board" may use what stands beside it in its layer, and so may the others.
    wrong = {
        name
        for name in imports(path, at_import=True)
        if is_module(name)
        and top(name) == "goengine"
        and name != "goengine"
        and level.get(".".join(name.split(".")[:2]), len(LAYERS)) > level[mine]
    }
    assert not wrong, f"{mine} may not import {sorted(wrong)}"


@pytest.mark.parametrize("name", BOARD_SIDE)
def test_the_board_side_never_names_torch(name: str) -> None:
    path = ROOT / "goengine" / f"{name}.py"
    if not path.exists():
        pytest.skip(f"goengine has no module {name}")
    wrong = {n for n in imports(path) if top(n) in {"torch", "cnncore"}}
    assert not wrong, f"goengine.{name} imports {sorted(wrong)}"


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a new interpreter and name the top-level modules that it loaded."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import goengine",
        "from goengine import Board, GameRecord, encode, read_sgf; encode(Board(9))",
        "from goengine.encoding.symmetry import move_table; move_table(9)",
    ],
)
def test_the_board_side_never_loads_torch(statement: str) -> None:
    assert "torch" not in loaded_by(statement)


def test_importing_the_engine_is_cheap() -> None:
    assert not {"torch", "numba"} & loaded_by("import goengine")


def test_the_core_knows_nothing_about_go() -> None:
    assert not {"goengine", "selfplay", "numba"} & loaded_by("import cnncore")
