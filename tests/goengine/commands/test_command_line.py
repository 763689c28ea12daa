"""``goengine``: every subcommand is listed, loads when used and only then."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goengine.__main__ import SUBCOMMANDS, main
from goengine._version import __version__


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_declares_itself_and_has_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(SUBCOMMANDS[name][0])
    module.configure(argparse.ArgumentParser())
    assert callable(module.run)
    with pytest.raises(SystemExit) as exit_:
        main([name, "--help"])
    assert exit_.value.code == 0
    assert f"usage: goengine {name}" in capsys.readouterr().out


def test_help_lists_all_and_loads_none() -> None:
    code = (
        "import sys\n"
        "from goengine.__main__ import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(sorted({'torch', 'numba', 'numpy', 'goengine.gtp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    for name, (_, text) in SUBCOMMANDS.items():
        assert name in done.stdout and text.split()[0] in done.stdout


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"goengine {__version__}\n"


@pytest.mark.parametrize("words", [["ponder"], ["gtp", "--nonsense"]])
def test_bad_words_end_with_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    captured = capsys.readouterr()
    program = " ".join(["goengine", *words[:-1]])
    assert captured.out == "" and captured.err.startswith(f"{program}: ")
    assert captured.err.endswith(f"; see {program} --help\n") and captured.err.count("\n") == 1


def test_an_error_of_ours_is_a_sentence_and_not_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["planes", "no-such-file.sgf"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("goengine planes: ") and "no-such-file.sgf" in errors


@pytest.mark.parametrize("encoding", ["utf-8:strict", "cp1252"])
def test_no_character_ends_a_game_in_the_terminal(encoding: str, net_file: Path) -> None:
    words = ["play", "--size", "9", "--network", str(net_file)]
    typed = b"D4\n\xff\xfe\n\xe5\xbc\xa0\nquit\n"
    done = subprocess.run(
        [sys.executable, "-m", "goengine", *words],
        input=typed,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr.decode()


@pytest.mark.parametrize(
    "words", [["goengine", "policy", "--help"], ["cnncore", "list"], ["selfplay", "--help"]]
)
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    code = f"import sys; from {words[0]}.__main__ import main; sys.exit(main({words[1:]!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert "Traceback" not in said
