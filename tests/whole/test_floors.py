"""Who may import whom: every import of every package against one table of floors.

A package is a list of floors from the ground up; a floor is a list of rooms, and a room is a folder
or a file of the package. A file may import rooms of lower floors and of its own room, nothing
beside it and nothing above it, and inside a room no circle of files. It does not matter whether the
import stands at the top of a file, inside a function or under TYPE_CHECKING: an import at the top
costs time, but any import ties two files together.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = ("cnncore", "goengine", "selfplay")
"""From the ground up: each may import those before it."""

FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "cnncore": (
        ("system",),
        ("layers",),
        ("models",),
        ("weights",),
        ("data",),
        ("training",),
        ("recipes", "pretrained"),
        ("classification", "explain"),
        ("commands",),
    ),
    "goengine": (
        ("types", "_version", "statistics", "feature_table", "nets"),
        ("coords", "rules", "clock"),
        ("options", "handicap", "foreign_options"),
        ("_kernels",),
        ("board", "lockstep"),
        ("encoding",),
        ("games", "scoring"),
        ("networks", "pictures"),
        ("inference",),
        ("search",),
        ("players",),
        ("match", "gtp", "terminal", "analysis"),
        ("review",),
        ("web",),
        ("commands",),
    ),
    "selfplay": (
        ("archive",),
        ("labelling",),
        ("batches",),
        ("recipes",),
        ("learners",),
        ("training",),
        ("evaluation",),
        ("report",),
        ("finetuning", "reinforce"),
        ("commands",),
    ),
}


def sources(package: str) -> list[Path]:
    """Return every source file of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in PACKAGES for path in sources(package)}


def imports(path: Path) -> set[str]:
    """Return the modules of this tree that a source file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively: write the whole name"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else str(node.module))
    return {name for name in found if name.split(".")[0] in (*PACKAGES, "tests", "benchmarks")}


ARROWS = {name: imports(path) for name, path in MODULES.items()}
"""Module -> the modules that it imports."""


def room_of(module: str) -> str:
    """Return the room of a module: the part of its name behind the package."""
    return module.split(".")[1]


def floor_of(module: str) -> int:
    """Return the floor of a module."""
    package, room = module.split(".")[:2]
    for number, rooms in enumerate(FLOORS[package]):
        if room in rooms:
            return number
    pytest.fail(f"{module} is on no floor: give the room {room!r} a place in FLOORS")


def inside(package: str) -> Iterable[tuple[str, str]]:
    """Yield the arrows between files of a package; its front doors may import whom they like."""
    doors = {package, f"{package}.__main__"}
    for name, targets in ARROWS.items():
        if name.split(".")[0] == package and name not in doors:
            yield from ((name, target) for target in targets if target.split(".")[0] == package)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_downwards_only(package: str) -> None:
    below = PACKAGES[: PACKAGES.index(package) + 1]
    wrong = [
        f"{name} -> {target}"
        for name, targets in ARROWS.items()
        for target in targets
        if name.split(".")[0] == package and target.split(".")[0] not in below
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_is_on_a_floor_and_every_floor_is_there(package: str) -> None:
    listed = [room for floor in FLOORS[package] for room in floor]
    there = {room_of(name) for name in MODULES if name.startswith(f"{package}.")} - {"__main__"}
    assert len(set(listed)) == len(listed)
    assert set(listed) == there


@pytest.mark.parametrize("package", PACKAGES)
def test_no_arrow_goes_up_or_sideways(package: str) -> None:
    wrong = [
        f"{name} -> {target}"
        for name, target in inside(package)
        if target != package
        and room_of(target) != room_of(name)
        and floor_of(target) >= floor_of(name)
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_inside_takes_the_front_door(package: str) -> None:
    assert not [name for name, target in inside(package) if target == package]


def test_there_is_no_circle_of_files() -> None:
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert state.get(name) != 1, " -> ".join((*path[path.index(name) :], name))
        if state.get(name) == 2:
            return
        state[name] = 1
        for target in ARROWS.get(name, ()):
            visit(target, (*path, name))
        state[name] = 2

    for name in MODULES:
        visit(name, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_private_modules_stay_in_their_package(package: str) -> None:
    wrong = [
        f"{name} -> {target}"
        for name, targets in ARROWS.items()
        for target in targets
        if target.split(".")[0] == package != name.split(".")[0]
        and any(part.startswith("_") for part in target.split("."))
    ]
    assert not wrong


def test_only_rooms_that_play_go_import_kernels() -> None:
    players_of_go = {
        "_kernels",
        "board",
        "lockstep",
        "encoding",
        "games",
        "scoring",
        "inference",
        "search",
    }
    wrong = [
        name
        for name, target in inside("goengine")
        if room_of(target) == "_kernels" and room_of(name) not in {*players_of_go, "commands"}
    ]
    assert not wrong


def test_the_board_side_never_imports_torch() -> None:
    light = {"networks", "inference", "players", "match", "gtp", "commands"}
    for name, path in MODULES.items():
        if name.startswith("goengine.") and room_of(name) not in light:
            tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            named = {
                alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names
            }
            assert "torch" not in named, f"{name} imports torch"


def test_folders_hold_three_to_nine_files_and_no_name_stands_twice() -> None:
    where: dict[str, str] = {}
    for package in PACKAGES:
        for folder in {path.parent for path in sources(package)} - {ROOT / package}:
            names = [p.stem for p in folder.glob("*.py")] + [
                p.name for p in folder.iterdir() if (p / "__init__.py").is_file()
            ]
            data = any(p.suffix in (".toml", ".md") for p in folder.iterdir())
            if not data:
                assert 3 <= len(names) <= 10, f"{folder} holds {len(names)} files"
            if "commands" in folder.relative_to(ROOT).parts:
                continue
            for name in set(names) - {"__init__"}:
                if (folder / f"{name}.py").is_file():
                    place = str((folder / name).relative_to(ROOT))
                    assert name not in where, f"{place} and {where[name]} have one name"
                    where[name] = place


def main() -> None:
    """Print how many rooms, floors and arrows between rooms each package has."""
    for package in PACKAGES:
        rooms = {room_of(name) for name in MODULES if name.startswith(f"{package}.")}
        arrows = {
            (room_of(name), room_of(target))
            for name, target in inside(package)
            if target != package and room_of(name) != room_of(target)
        }
        print(f"{package}: {len(rooms)} rooms, {len(FLOORS[package])} floors, {len(arrows)} arrows")


if __name__ == "__main__":
    sys.exit(main())
