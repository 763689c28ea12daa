"""Conversations as programs hold them: what each sends, in its order, and what it reads.

Built from what KaTrain (`core/engine.py`), Ogatak (`src/modules/query.js`) and LizzieYzy are known
to send; values that differ from run to run are checked by kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.analysis_client import AnalysisClient, instant_evaluator

ROOT = Path(__file__).resolve().parents[3]
MOVES = [["B", "Q16"], ["W", "D4"], ["B", "D16"]]


@pytest.fixture
def client() -> Iterator[AnalysisClient]:
    found = AnalysisClient(instant_evaluator(0.001))
    settings = {"reportAnalysisWinratesAs": "BLACK"}
    found.ask(katrain(0, overrideSettings=settings))  # compiles; maxTime counts from the first step
    yield found
    assert found.close()


def katrain(number: int, **changes: object) -> dict[str, object]:
    """Return a query as KaTrain sends it."""
    return {
        "rules": "japanese",
        "priority": 1,
        "analyzeTurns": [len(MOVES)],
        "maxVisits": 25,
        "komi": 6.5,
        "boardXSize": 19,
        "boardYSize": 19,
        "includeOwnership": True,
        "includeMovesOwnership": True,
        "includePolicy": True,
        "initialStones": [],
        "initialPlayer": "B",
        "moves": MOVES,
        "overrideSettings": {
            "reportAnalysisWinratesAs": "BLACK",
            "maxTime": 8.0,
            "wideRootNoise": 0.04,
        },
        "id": f"QUERY:{number}",
        **changes,
    }


def test_katrain_analyses_a_game_ponders_and_cancels(client: AnalysisClient) -> None:
    """It sends queries at once, without a handshake, and reads a few keys of each answer."""
    client.send(
        katrain(1, analyzeTurns=[0], moves=[]),
        katrain(2),
        katrain(3, priority=-99, maxVisits=10_000_000, reportDuringSearchEvery=0.02),
    )
    for number in (1, 2):
        reply = client.reply()
        assert reply["id"] == f"QUERY:{number}" and not reply["isDuringSearch"]
        assert reply["rootInfo"]["visits"] == 25
        assert {"winrate", "scoreLead"} <= set(reply["rootInfo"])
        assert len(reply["ownership"]) == 361 and len(reply["policy"]) == 362
        for info in reply["moveInfos"]:
            needed = {"move", "order", "visits", "winrate", "scoreLead", "pv", "prior", "ownership"}
            assert needed <= set(info)
    assert client.reply()["isDuringSearch"] is True
    client.send(
        {"action": "terminate", "terminateId": "QUERY:3", "id": "QUERY:4"},
        {"action": "terminate", "terminateId": "QUERY:1", "id": "QUERY:5"},
        {"action": "query_version", "id": "QUERY:6"},
    )
    replies = [reply for reply in client.rest() if not reply.get("isDuringSearch")]
    assert sorted(str(reply["id"]) for reply in replies) == [f"QUERY:{n}" for n in (3, 4, 5, 6)]
    assert not any("error" in reply for reply in replies)


def test_katrains_further_ways_of_asking(client: AnalysisClient) -> None:
    """Alternatives, a look at a small part of the board, a sweep over moves, and its AIs."""
    settings = {"reportAnalysisWinratesAs": "BLACK", "ignorePreRootHistory": False}
    avoid = [{"moves": ["R4", "Q4", "pass"], "player": "W", "untilDepth": 1}]
    reply = client.ask(katrain(1, avoidMoves=avoid))
    assert not {"R4", "Q4", "pass"} & {info["move"] for info in reply["moveInfos"]}
    sweep = katrain(2, moves=[*MOVES, ["W", "D16"]], includePolicy=False, analyzeTurns=[4])
    error = client.ask(sweep)
    assert "Illegal move" in error["error"] and error["id"] == "QUERY:2"
    client.send(katrain(3, overrideSettings={**settings, "humanSLProfile": "rank_9k"}))
    warning, answer = client.reply(), client.reply()
    assert warning["field"] == "overrideSettings" and "ignorePreRootHistory" in warning["warning"]
    assert len(answer["humanPolicy"]) == 362


def test_ogatak_probes_with_a_board_that_must_be_refused_and_replaces_its_query(
    client: AnalysisClient,
) -> None:
    """It never asks for fewer than 2 visits, and counts on every query to end."""
    probe = {
        "id": "!test:1",
        "moves": [],
        "rules": "chinese",
        "boardXSize": 29,
        "boardYSize": 29,
        "maxVisits": 5,
    }
    error = client.ask(probe)
    assert set(error) == {"error", "field", "id"} and error["id"] == "!test:1"
    version = client.ask({"id": "version", "action": "query_version"})
    assert all(part.isdigit() for part in version["version"].split("."))

    def ogatak(name: str) -> dict[str, object]:
        return {
            "id": name,
            "rules": "Chinese",
            "komi": 7.5,
            "boardXSize": 19,
            "boardYSize": 19,
            "maxVisits": 1_000_000,
            "analysisPVLen": 32,
            "reportDuringSearchEvery": 0.02,
            "firstReportDuringSearchAfter": 0.01,
            "includeOwnership": True,
            "includeMovesOwnership": False,
            "overrideSettings": {"reportAnalysisWinratesAs": "SIDETOMOVE", "wideRootNoise": 0},
            "initialStones": [],
            "moves": MOVES,
        }

    client.send(ogatak("node_7:1"))
    assert client.reply()["isDuringSearch"] is True
    client.send(ogatak("node_8:2"), {"id": "t", "action": "terminate", "terminateId": "node_7:1"})
    seen: dict[str, list[bool]] = {}
    while "node_8:2" not in seen:
        reply = client.reply()
        seen.setdefault(str(reply["id"]), []).append(bool(reply.get("isDuringSearch", False)))
    client.send({"id": "t2", "action": "terminate_all"})
    for reply in client.rest():
        seen.setdefault(str(reply["id"]), []).append(bool(reply.get("isDuringSearch", False)))
    for name in ("node_7:1", "node_8:2"):
        assert seen[name].count(False) == 1 and seen[name][-1] is False


def test_lizzieyzy_reads_the_deviation_of_every_move_of_a_whole_game(
    client: AnalysisClient,
) -> None:
    """Its ids are numbers in quotes, and it asks for all turns of a game at once."""
    client.send(
        {
            "id": "41",
            "initialStones": [],
            "moves": MOVES,
            "rules": "chinese",
            "komi": 7.5,
            "boardXSize": 19,
            "boardYSize": 19,
            "analyzeTurns": [0, 1, 2, 3],
            "maxVisits": 10,
            "includeOwnership": False,
            "overrideSettings": {"reportAnalysisWinratesAs": "SIDETOMOVE"},
        }
    )
    replies = client.rest()
    assert [reply["turnNumber"] for reply in replies] == [0, 1, 2, 3]
    for reply in replies:
        assert reply["id"] == "41"
        for info in reply["moveInfos"]:
            needed = {"order", "move", "visits", "winrate", "lcb", "prior", "scoreLead"}
            assert needed | {"scoreStdev", "pv"} <= set(info)


def run_analysis(*words: str, lines: str = "", folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goengine", "analysis", *words],
        input=lines,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )


def test_katagos_command_line_starts_the_engine_with_one_warning(tmp_path: Path) -> None:
    """As KaTrain and Ogatak build it; the side comes from the configuration file."""
    config = tmp_path / "analysis.cfg"
    config.write_text("# comment\nreportAnalysisWinratesAs = SIDETOMOVE\nmaxVisits=2 # few\nx=1\n")
    for name in ("model.bin.gz", "human.bin.gz"):
        (tmp_path / name).write_text("")
    lead = {"initialStones": [["B", "C3"], ["B", "D4"], ["B", "E5"], ["B", "F6"]]}
    base = {"rules": "chinese", "boardXSize": 9, "boardYSize": 9, "moves": []}
    done = run_analysis(
        *("-model", "model.bin.gz", "-human-model", "human.bin.gz", "-config", str(config)),
        *("-override-config", "homeDataDir=/nowhere,maxVisits=3", "-analysis-threads", "4"),
        lines=json.dumps({"id": "a", **base, **lead}) + "\n",
        folder=tmp_path,
    )
    assert done.returncode == 0
    (reply,) = map(json.loads, done.stdout.splitlines())
    assert reply["rootInfo"]["visits"] == 3
    assert reply["rootInfo"]["currentPlayer"] == "W" and reply["rootInfo"]["winrate"] < 0.3
    *warnings, ready = done.stderr.splitlines()
    assert ready == "Started, ready to begin handling requests"
    ignored = [line for line in warnings if "ignored" in line]
    assert len(ignored) == 1
    assert "model.bin.gz" in ignored[0] and "-analysis-threads 4" in ignored[0]
    assert "what()" not in done.stderr and "Uncaught exception" not in done.stderr


def test_an_engine_that_does_not_wait_ends_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "goengine", "analysis", "-quit-without-waiting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None and process.stderr is not None
    for line in process.stderr:
        if line.startswith("Started"):
            break
    process.stdin.write(json.dumps(katrain(1, maxVisits=10_000_000, overrideSettings={})) + "\n")
    process.stdin.flush()
    time.sleep(0.5)
    began = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert output == "" and process.returncode == 0
    assert time.monotonic() - began < 10


def test_a_network_that_only_names_moves_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = run_analysis("--network", "policy-64", "--precision", "int8", folder=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "dual-96" in done.stderr
