"""1,000 random and hostile lines: no crash, no hang, nothing on stdout but GTP.

Bare players and players that search; analyses with any arguments; lines that come while one runs.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from goengine.gtp.protocol import parse_line
from tests.helpers.counting_players import counting_engine
from tests.helpers.gtp_client import Client, run_engine
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


# With a search

ASKING = (
    "lz-analyze analyze kata-analyze lz-genmove_analyze genmove_analyze kata-genmove_analyze "
    "kata-search_analyze cgos-genmove_analyze kata-raw-nn kata-search genmove reg_genmove "
    "kgs-genmove_cleanup goengine-visits goengine-visits_gfx goengine-value goengine-value_gfx "
    "goengine-pv goengine-policy goengine-policy_gfx goengine-ownership gomill-explain_last_move"
).split()
SETTING = "kata-set-param kata-get-param goengine-param gogui-param lz-setoption".split()
MOVING = "play undo clear_board komi boardsize final_score set_position kgs-rules".split()
GIVEN = (
    "b w B x 0 1 50 -1 1000000000000 99999999999999999999 interval minmoves maxmoves avoid allow "
    "rootInfo ownership movesOwnership pvVisits true false all A1 C3 A1,C3,pass pass resign Z9 B2 "
    "name value visits maxVisits maxPlayouts maxTime ponderingEnabled analysisWideRootNoise ponder "
    "allowResignation resign_below never none temperature megabytes width 0.001 3 7 5 nan 1e999"
).split()


def searching_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return lines that ask a search for anything, and change games and settings between them."""
    lines = []
    while len(lines) < count:
        pool = (ASKING, SETTING, MOVING)[int(rng.choice(3, p=[0.5, 0.2, 0.3]))]
        name = pool[rng.integers(len(pool))]
        words = [GIVEN[pick] for pick in rng.integers(len(GIVEN), size=rng.integers(0, 7))]
        if pool is ASKING and rng.random() < 0.5:
            words = ["bw"[rng.integers(2)], *words[:3]]
        if name == "play" and rng.random() < 0.7:
            words = ["bw"[rng.integers(2)], f"{'ABCDE'[rng.integers(5)]}{rng.integers(1, 6)}"]
        if name == "boardsize":
            words = [str(rng.integers(2, 8))]
        lines.append(" ".join([name, *words]))
    return lines


@pytest.mark.parametrize("seed", range(3))
def test_a_search_answers_whatever_it_is_asked(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    engine = counting_engine(size=5, visits=6, megabytes=2.0)
    engine.session.longest = 0.02
    rng = np.random.default_rng(seed)
    for line in searching_lines(rng, 300):
        check_response(line, engine.answer(line))
        engine.session.longest = 0.02
        asked = iter(rng.random(20) < 0.8)
        engine.idle(lambda asked=asked: not next(asked, False))
    assert engine.answer("7 name") == "=7 goengine\n\n"
    assert "internal error" not in caplog.text


def test_analyses_over_pipes_are_interrupted_by_anything_at_any_moment(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = counting_engine(size=5, visits=6, ponder=True)
    engine.session.longest = 0.02
    client = Client(engine)
    rng = np.random.default_rng(5)
    ends = ["name", "stop", "# interrupt", "", "play b A1", "undo", "genmove w", "nonsense \x01"]
    for number in range(60):
        name = ASKING[rng.integers(5)]
        client.send(f"{number} {name} b 1\n")
        time.sleep(float(rng.random()) * 0.03)
        end = ends[rng.integers(len(ends))]
        client.send(f"{end}\n{number + 1000} known_command quit\n")
        answer = ""
        while not answer.startswith(f"={number + 1000}"):
            answer = client.response()
            assert re.match(r"[=?]", answer), answer
    client.send("9 name\n")
    assert client.response() == "=9 goengine\n"
    assert client.close()
    assert "internal error" not in caplog.text
