"""1,000 random and hostile lines: no crash, no hang, nothing on stdout but GTP."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from goengine.gtp.protocol import parse_line
from tests.helpers.gtp_client import run_engine
from tests.helpers.stub_players import make_engine

WORDS = [
    *(
        "b w B white BLACK x resign pass PASS A1 t19 T19 i9 Z1 a0 a99 D4 d4 Q16 C3 E5 C3,E5 "
        "0 1 -1 2 5 9 13 19 20 7.5 -0 +3 1e3 1e999 nan inf -inf 0x10 1_0 ٣ 99999999999999999999 "
        "true false interval minmoves maxmoves avoid allow ownership rootInfo dead alive seki "
        "chinese japanese none byoyomi canadian fischer absolute temperature playouts symmetry "
        '/dev/zero /dev/stdin . .. /no/file NUL \\ \' " {} {"ko":1} [] ; | & $HOME %s %n {0} '
        "é 棋 \ud7ff \u2028 \x85 🦊"
    ).split(" "),
    "x" * 5000,
    "(" * 3000,
    "{" * 100_000,
]
NOISE = "\x00\x01\x07\x08\x0b\x0c\x1b\x7f\t\r# =?\\"
NOT_SENT = ("quit", "printsgf")


def hostile_lines(rng: np.random.Generator, names: list[str], count: int) -> list[str]:
    """Return lines of known and unknown commands, arguments of every kind, and garbage."""
    lines = []
    while len(lines) < count:
        kind = rng.random()
        if kind < 0.06:
            text = "".join(chr(int(c)) for c in rng.integers(0, 0x3000, size=rng.integers(1, 60)))
        elif kind < 0.1:
            text = rng.bytes(int(rng.integers(1, 80))).decode("latin-1")
        else:
            pool = names if rng.random() < 0.95 else WORDS
            name = pool[rng.integers(len(pool))]
            picks = rng.integers(len(WORDS), size=rng.integers(0, 5))
            text = " ".join([name, *(WORDS[pick] for pick in picks)])
        if rng.random() < 0.3:
            text = f"{int(rng.integers(0, 2**31))} {text}"
        if rng.random() < 0.2:
            place = int(rng.integers(0, len(text) + 1))
            text = text[:place] + str(rng.choice(list(NOISE))) + text[place:]
        lines.append(text.replace("\n", " "))
    return lines


def names_of_commands() -> list[str]:
    """Return the commands that neither end the session nor write files."""
    return [name for name in make_engine().session.command_names if name not in NOT_SENT]


def check_response(line: str, response: str) -> None:
    """Check the framing of the response to a line."""
    command = parse_line(line)
    if command is None:
        assert response == "", line
        return
    assert re.match(rf"[=?]{command.id}[ \n]", response), (line, response[:200])
    assert response.endswith("\n\n") and "\n\n" not in response[:-2], (line, response[:200])
    assert "\r" not in response and "\t" not in response and "\x00" not in response
    assert "internal error" not in response, (line, response)


@pytest.mark.parametrize("seed", range(4))
def test_hostile_lines_are_all_answered(
    seed: int, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = make_engine()
    rng = np.random.default_rng(seed)
    answered = 0
    for line in hostile_lines(rng, names_of_commands(), 1000):
        response = engine.answer(line)
        check_response(line, response)
        answered += response != ""
    assert answered > 800
    assert engine.answer("boardsize 9") == "= \n\n"
    assert engine.answer("genmove b") == "= E5\n\n"
    out, _ = capfd.readouterr()
    assert out == ""
    assert not list(tmp_path.iterdir())


def test_a_process_survives_hostile_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(99)
    lines = hostile_lines(rng, names_of_commands(), 1000)
    data = "\n".join([*lines, "77 name", "quit"]).encode("utf-8", "replace")
    options = ["--network", str(tmp_path / "none"), "--size", "9", "--seed", "1"]
    done = run_engine([sys.executable, "-m", "goengine", "gtp", *options], data, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    responses = done.stdout.decode("utf-8").split("\n\n")
    commands = [line for line in lines if parse_line(line) is not None]
    assert len(responses) == len(commands) + 2 + 1
    assert responses[-3:] == ["=77 goengine", "= ", ""]
    for line, response in zip(commands, responses, strict=False):
        check_response(line, response + "\n\n")
    assert b"Traceback" not in done.stderr
