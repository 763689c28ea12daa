"""The dispatcher of all programs: one command is imported, errors are sentences with a status."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import cnncore.__main__
import goengine.__main__
import selfplay.__main__
from cnncore.system.command_line import (
    DONE,
    FAILED,
    INTERRUPTED,
    MISUSED,
    Program,
    run_program,
)
from cnncore.system.version import __version__

PROGRAMS = (cnncore.__main__, goengine.__main__, selfplay.__main__)


class OwnError(ValueError):
    """An error of this program."""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Program]:
    """Return a program whose command `try` raises what it is given."""

    def made(error: BaseException | None = None) -> Program:
        module = ModuleType("command_of_a_test")

        def run(args: object) -> int:
            if error is not None:
                raise error
            return DONE

        vars(module).update(configure=lambda parser: parser.add_argument("--size"), run=run)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        commands = {"try": (module.__name__, "try it"), "gone": ("not_a_module", "never loaded")}
        return Program("prog", "A program.", "1.2", commands, (OwnError, OSError))

    return made


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OwnError("size 0; give 9"), MISUSED, "prog try: size 0; give 9\n"),
        (OSError("the disk is full"), FAILED, "prog try: the disk is full\n"),
        (KeyboardInterrupt(), INTERRUPTED, "prog try: interrupted\n"),
        (None, DONE, ""),
    ],
)
def test_every_end_has_its_status_and_sentence(
    error: BaseException | None,
    status: int,
    said: str,
    program: Callable[..., Program],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_program(program(error), ["try"]) == status
    assert capsys.readouterr() == ("", said)


def test_other_errors_are_not_hidden(program: Callable[..., Program]) -> None:
    with pytest.raises(ZeroDivisionError):
        run_program(program(ZeroDivisionError()), ["try"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tri"], "prog: 'tri' is not a command: use try, gone; see prog --help\n"),
        (["try", "--size"], "prog try: argument --size: expected one argument; see prog try"),
        (["try", "-x"], "prog try: unrecognized arguments: -x; see prog try --help\n"),
        (["--loud"], "prog: unrecognized arguments: --loud; see prog --help\n"),
    ],
)
def test_wrong_words_get_one_sentence(
    words: list[str],
    said: str,
    program: Callable[..., Program],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        run_program(program(), words)
    assert end.value.code == MISUSED
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(said) and err.count("\n") == 1


@pytest.mark.parametrize("main", [module.main for module in PROGRAMS])
def test_without_words_the_help_is_printed(
    main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == DONE
    out, err = capsys.readouterr()
    assert out.startswith("usage: ") and "COMMAND --help" in out and err == ""


@pytest.mark.parametrize("module", PROGRAMS)
def test_all_programs_have_one_version(
    module: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        module.main(["--version"])
    name = module.__name__.partition(".")[0]
    assert end.value.code == 0 and capsys.readouterr().out == f"{name} {__version__}\n"


@pytest.mark.parametrize("name", ["cnncore", "goengine", "selfplay"])
def test_a_main_module_loads_nothing_heavy(name: str) -> None:
    code = (
        f"import sys, {name}.__main__\n"
        "print(sorted({'torch', 'numba', 'numpy', 'logging'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_reader_that_goes_away_ends_a_command_quietly() -> None:
    code = "import sys; from cnncore.__main__ import main; sys.exit(main(['list']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert process.returncode == 141 and said == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("cnncore list", DONE),
        ("cnncore train nosuch --out {folder}/run", MISUSED),
        ("goengine match random random --size 5 --games 2 --out {folder}/match", DONE),
        ("goengine play --net nosuch", MISUSED),
        ("selfplay recipes", DONE),
        ("selfplay ingest {folder}/absent --out {folder}/archive", MISUSED),
    ],
)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_status(
    command: str, status: int, closed: str, tmp_path: Path
) -> None:
    words = command.format(folder=tmp_path)
    done = subprocess.run(["sh", "-c", f"'{sys.executable}' -m {words} {closed}"])
    assert done.returncode == status


@pytest.mark.parametrize("words", [["--version"], ["try", "--version"]])
def test_every_command_tells_the_version(
    words: list[str], program: Callable[..., Program], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_program(program(), words)
    assert ended.value.code == 0
    assert capsys.readouterr().out == "prog 1.2\n"


def test_the_overview_has_a_line_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert goengine.__main__.main([]) == 0
    said = capsys.readouterr().out.splitlines()
    for name, (_, text) in goengine.__main__.SUBCOMMANDS.items():
        assert any(line.split(None, 1) == [name, text] for line in said)
