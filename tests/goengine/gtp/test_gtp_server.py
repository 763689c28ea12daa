"""The GTP server: pipes, processes, interruptions, and what happens before loading is done."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.helpers.gtp_client import Client, run_engine
from tests.helpers.stub_players import CentrePlayer, make_engine

GTP = [sys.executable, "-m", "goengine", "gtp"]


def test_nothing_heavy_is_imported_to_answer_name() -> None:
    code = (
        "import sys\n"
        "from goengine.__main__ import main\n"
        "from goengine.commands.gtp import Engine, SessionSettings\n"
        "engine = Engine(lambda: None, SessionSettings())\n"
        "for line in ('name', 'version', 'protocol_version', 'list_commands', 'known_command x'):\n"
        "    assert engine.answer(line).startswith('= ')\n"
        "print(sorted({'torch', 'numba', 'numpy', 'sgfmill'} & set(sys.modules)))"
    )
    done = run_engine([sys.executable, "-c", code], "")
    assert done.stdout.split() == [b"[]"], done.stderr


def test_the_first_answers_do_not_wait_for_the_player() -> None:
    release = threading.Event()

    def slow() -> CentrePlayer:
        assert release.wait(60)
        return CentrePlayer()

    client = Client(make_engine(slow))
    client.send("name\nversion\n3 protocol_version\nlist_commands\nplay b E5\n")
    assert client.response() == "= goengine\n"
    assert client.response().startswith("= 0.")
    assert client.response() == "=3 2\n"
    assert "genmove\n" in client.response()
    assert client.response() == "= \n"
    assert client.server.loading
    client.send("genmove w\n")
    release.set()
    assert client.response() == "= E6\n"
    assert client.close()


def test_pipelined_commands_are_answered_in_order() -> None:
    client = Client(make_engine())
    client.send("".join(f"{number} known_command play\n" for number in range(1, 300)))
    assert [client.response() for _ in range(1, 300)] == [f"={n} true\n" for n in range(1, 300)]
    assert client.close()


@pytest.mark.parametrize("piece", [1, 2, 7])
def test_lines_may_come_in_pieces_and_without_an_end(piece: int) -> None:
    client = Client(make_engine())
    text = b"1 kgs-chat game a \xe6\xa3\x8b \xff\r\n\n2 play b E5\r\n3 last_move"
    for start in range(0, len(text), piece):
        client.send(text[start : start + piece])
    assert client.response().startswith("=1 ")
    assert client.response() == "=2 \n"
    assert client.close()


@pytest.mark.parametrize(
    ("interrupt", "answer"),
    [
        ("protocol_version\n", "= 2\n"),
        ("stop\n", "= \n"),
        ("name\n", "= goengine\n"),
        ("7 known_command lz-analyze\n", "=7 true\n"),
        ("\nstop\n", "= \n"),
        ("# interrupt\nstop\n", "= \n"),
        ("undo\n", "= \n"),
    ],
)
@pytest.mark.parametrize("analysis", ["lz-analyze b 10", "kata-analyze 10", "analyze W 10"])
def test_any_line_ends_an_analysis(analysis: str, interrupt: str, answer: str) -> None:
    client = Client(make_engine())
    client.send(f"play b E5\n{analysis}\n")
    assert client.response() == "= \n"
    assert client.line() == "=\n"
    for _ in range(3):
        assert client.line().startswith("info move ")
    client.send(interrupt)
    while (line := client.line()) != "\n":
        assert line.startswith("info move ")
    assert client.response() == answer
    assert client.close()


def test_an_analysis_that_is_overtaken_still_reports_once() -> None:
    client = Client(make_engine())
    client.send("1 lz-analyze 10\n2 lz-genmove_analyze b 10\n3 name\n")
    first = client.response()
    assert first.startswith("=1\ninfo move E5 ") and first.count("\n") == 2
    second = client.response()
    assert second.startswith("=2\ninfo move E5 ") and second.endswith("play E5\n")
    assert client.response() == "=3 goengine\n"
    assert client.close()


def test_the_end_of_input_ends_an_analysis() -> None:
    client = Client(make_engine())
    client.send("lz-analyze 10\n")
    assert client.line() == "=\n"
    assert client.close()


def test_quit_is_answered_and_ends() -> None:
    client = Client(make_engine())
    client.send("quit\nname\n")
    assert client.response() == "= \n"
    assert client.close()


def test_a_dead_client_ends_the_server_quietly() -> None:
    client = Client(make_engine())
    client.send("name\n")
    client.response()
    client.hang_up()
    client.send("name\nname\n")
    assert client.close()


def test_the_log_holds_both_directions() -> None:
    log = io.StringIO()
    client = Client(make_engine(), log=log)
    client.send("1 play b E5\n2 nonsense\n")
    client.response()
    client.response()
    assert client.close()
    lines = [line[20:] for line in log.getvalue().splitlines()]
    assert lines[:4] == ["> 1 play b E5", "< =1 ", "> 2 nonsense", "< ?2 unknown command"]


class FullDisk(io.StringIO):
    """A file that takes a few lines and then no more."""

    def flush(self) -> None:
        if self.getvalue().count("\n") > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_the_log_and_not_the_game(caplog: pytest.LogCaptureFixture) -> None:
    log = FullDisk()
    client = Client(make_engine(), log=log)
    client.send("1 play b E5\n2 name\n3 last_move\n")
    assert [client.response() for _ in range(3)] == ["=1 \n", "=2 goengine\n", "=3 black E5\n"]
    assert client.close()
    assert log.closed
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [f"the log ends here, the game goes on: {os.strerror(errno.ENOSPC)}"]


# Processes


def test_a_process_plays_with_a_network(tmp_path: Path) -> None:
    from goengine.networks.files import save_network
    from goengine.networks.policy_network import PolicyConfig, PolicyNet

    network = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), network, metadata={})
    log = tmp_path / "gtp.log"
    lines = [
        "name",
        "boardsize 9",
        "1 genmove b",
        "2 lz-genmove_analyze w 50",
        "3 goengine-param",
        "4 goengine-param symmetry none",
        "5 kata-analyze b 50 maxmoves 1 ownership true",
        "6 final_score",
        "7 gomill-describe_engine",
        "quit",
    ]
    done = run_engine(
        [*GTP, "--network", str(network), "--seed", "3", "--log", str(log), "--threads", "1"],
        "\n".join(lines) + "\n",
        folder=tmp_path,
    )
    answers = done.stdout.decode().split("\n\n")
    assert done.returncode == 0, done.stderr
    assert len(answers) == len(lines) + 1 and answers[-1] == ""
    assert all(answer.startswith("=") for answer in answers[:-1]), answers
    assert answers[3].split("\n")[-1].startswith("play ")
    assert "[list/none/random/all] symmetry all" in answers[4]
    assert "player: policy network tiny, temperature 0\n" in answers[8]
    assert log.read_text(encoding="utf-8").count("> ") == len(lines)


def test_a_process_without_a_network_goes_on(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.safetensors")
    done = run_engine([*GTP, "--network", missing], "boardsize 5\ngenmove b\nplay b C3\n")
    answers = done.stdout.decode().split("\n\n")
    assert answers[0] == "= " and answers[2] == "= "
    assert answers[1].startswith("? cannot load the player: ") and "missing" in answers[1]
    assert b"cannot load the player" in done.stderr and b"Traceback" not in done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors with a POSIX shell")
def test_standard_output_belongs_to_gtp() -> None:
    code = (
        "import os, sys\n"
        "from goengine.gtp.server import reserve_stdout\n"
        "descriptor = reserve_stdout()\n"
        "print('noise from Python')\n"
        "os.write(1, b'noise from C')\n"
        "os.write(descriptor, b'= \\n\\n')"
    )
    done = run_engine([sys.executable, "-c", code], "")
    assert done.stdout == b"= \n\n"
    assert b"noise from Python" in done.stderr and b"noise from C" in done.stderr
    closed = run_engine(["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code], "")
    assert closed.stdout == b"= \n\n" and closed.returncode == 0
    mute = run_engine(["sh", "-c", 'exec "$0" -m goengine gtp >&-', sys.executable], "name\n")
    assert mute.returncode == 2 and b"standard output is closed" in mute.stderr


@pytest.mark.parametrize("text", ["", "quit\n", "name\nquit\n", "\n\n# nothing\n"])
def test_a_process_ends_at_once_while_it_still_loads(text: str) -> None:
    done = run_engine(GTP, text)
    assert done.returncode == 0
    assert done.stdout.count(b"\n\n") == text.count("name") + text.count("quit")


def test_a_process_whose_reader_has_gone_says_nothing() -> None:
    process = subprocess.Popen(
        GTP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdout.close()
    process.stdin.write(b"name\n" * 3)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0 and b"Traceback" not in errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "20"], "'20' is not possible: use a whole number from 2 to 19"),
        (["--rules", "martian"], "'martian' is not a rule set"),
        (["--temperature", "inf"], "'inf' is not possible: use a finite number of at least 0"),
        (["--resign", "-1"], "'-1' is not possible: use a finite number of at least 0"),
        (["--komi", "nan"], "'nan' is not possible: use a finite number"),
        (["--seed", "-1"], "'-1' is not possible: use a whole number of at least 0"),
        (["--threads", "x"], "'x' is not possible: use a whole number from 1 to 1024"),
        (["--log", "/no/such/folder/log"], "cannot write the log file"),
    ],
)
def test_bad_options_are_named(options: list[str], words: str) -> None:
    done = run_engine([*GTP, *options], "name\n")
    assert done.returncode == 2 and words in done.stderr.decode()
    assert done.stdout == b""
