"""The start, and the table over a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from goengine.clock import TimeSettings
from goengine.games.sgf import read_sgf
from goengine.inference.evaluator import Evaluator
from goengine.networks.network_config import NetworkError
from goengine.rules import get_rules
from goengine.types import BLACK, WHITE, GoError
from goengine.web.desk import Desk
from goengine.web.starting import FIRST, Starting
from goengine.web.table.kept_table import PROPERTY, KeptFile, kept, place_of, restore
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.shared_table import Table
from goengine.web.thinking.opponents import EngineOptions, Opponents
from tests.helpers.analysis_client import instant_evaluator
from tests.helpers.web_client import HUMAN, PageClient, WebServer, engine


def test_moves_are_played_before_the_engine_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = threading.Event()

    def slow(opponents: Opponents, network: str = "") -> Evaluator:
        assert ready.wait(60)
        return instant_evaluator()

    monkeypatch.setattr(Opponents, "evaluator", slow)
    server = WebServer()
    page = PageClient(server.address, ready=False)
    stage = page.event("starting", lambda event: event["stage"] == "network")
    assert 0 < stage["done"] < 1 and stage["seconds_left"] >= 1 and stage["text"]
    page.do("new_game", size=9, black=HUMAN, white=engine(), clock={"main": 0.4})
    page.do("load_sgf", text="(;SZ[9];B[ee])")
    page.do("new_game", size=9, black=HUMAN, white=engine(), clock={"main": 60})
    assert page.do("play", move="E5") is None
    assert page.line() == ["BE5"] and page.table["thinking"]
    assert page.table["clock"]["running"] is None, "no clock runs while the engine is loaded"
    ready.set()
    page.wait(lambda: len(page.line()) == 2)
    assert page.table["clock"]["running"] == "B"
    page.close()
    server.stop()


def test_without_an_engine_the_table_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(opponents: Opponents, network: str = "") -> Evaluator:
        raise GoError("the file is not a network")

    monkeypatch.setattr(Opponents, "evaluator", broken)
    server = WebServer()
    page = PageClient(server.address, ready=False)
    failed = page.event("starting", lambda event: event["stage"] == "failed")
    assert "not a network" in failed["text"]
    page.do("new_game", size=9, black=HUMAN, white=engine())
    page.send(do="play", move="E5")
    assert "not a network" in page.event("notice")["text"]
    assert page.line() == ["BE5"] and not page.table["thinking"]
    page.do("set_players", black=HUMAN, white=HUMAN)
    page.do("pass")
    page.do("pass")
    page.wait(lambda: page.table["counting"] is not None)
    page.do("planes")
    assert "not a network" in page.event("error")["text"]
    page.send(do="hint")
    assert page.event("notice")["key"] == "cannot_analyse"
    page.close()
    server.stop()


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "web" / "table.sgf"
    server = WebServer(path=path)
    page = server.client()
    page.do("new_game", size=9, rules="japanese", black=HUMAN, white=engine(), clock={"main": 60})
    page.do("play", move="E5")
    page.wait(lambda: len(page.line()) == 2)
    page.do("undo")
    page.do("play", move="C3")
    page.wait(lambda: len(page.line()) == 2)
    page.do("annotate", comment="무승부 ]")
    before = (page.line(), page.table["rules"], page.table["players"], page.nodes)
    late = page.table["cursor"]
    comment = page.here["comment"]
    page.close()
    server.stop()
    assert path.is_file() and PROPERTY.encode() in path.read_bytes()
    assert read_sgf(path.read_bytes()).moves[0] == (BLACK, 56)
    server = WebServer(path=path)
    page = server.client()
    assert (page.line(), page.table["rules"], page.table["players"], page.nodes) == before
    assert page.here["comment"] == comment and page.table["playing"]
    assert page.table["clock"]["B"]["main"] < 60
    page.do("play", move="A1", at=late)
    page.wait(lambda: len(page.line()) == 4)
    page.do("get_sgf")
    assert PROPERTY not in page.event("sgf")["text"]
    page.close()
    server.stop()


@pytest.mark.parametrize("data", [b"", b"garbage", b"(;SZ[9]GOENGINE[{]", b"(;SZ[9]GOENGINE[7])"])
def test_a_damaged_kept_table_is_said_and_left(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "table.sgf"
    path.write_bytes(data)
    server = WebServer(path=path)
    page = server.client()
    assert page.table["notices"] and page.do("new_game", size=9) is None
    page.close()
    server.stop()


def test_a_game_of_the_command_line_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "table.sgf"
    path.write_bytes(b"(;SZ[9])")
    server = WebServer(path=path, first=(b"(;SZ[13];B[aa])", "mine.sgf"))
    page = server.client()
    assert page.table["size"] == 13 and page.table["name"] == "mine.sgf" and len(page.nodes) == 2
    page.close()
    server.stop()


def test_the_whole_table_is_kept() -> None:
    table = Table()
    table.new_game(
        size=13,
        rules=get_rules("aga"),
        komi=-3.5,
        handicap=3,
        players={WHITE: PlayerSpec("engine", network="dual-96", visits=7), BLACK: PlayerSpec()},
        clock=TimeSettings("canadian", 10.0, 30.0, stones=5),
    )
    table.play(5)
    again = Table()
    restore(again, kept(table))
    assert (again.size, again.rules, again.komi, again.handicap) == (13, get_rules("aga"), -3.5, 3)
    assert again.players == table.players and again.playing
    assert again.line() == table.line()
    assert again.clock is not None and again.clock.clock.settings.stones == 5
    assert PROPERTY not in table.tree.root.properties


def test_every_port_has_a_table_of_its_own() -> None:
    assert place_of(8361) != place_of(8362) and place_of(8361).suffix == ".sgf"


def test_the_start_goes_on_and_ends() -> None:
    now = 0.0
    starting = Starting(now=lambda: now)
    done = []
    for part in FIRST:
        starting.enter(part)
        done.append(starting.event()["done"])
        now += 1.0
        done.append(starting.event()["done"])
    assert done == sorted(done) and not starting.over
    starting.enter("ready")
    assert starting.over and starting.ready and starting.event()["done"] == 1.0
    failed = Starting()
    failed.enter("failed", "no network")
    assert failed.over and not failed.ready and failed.event()["text"] == "no network"


@pytest.mark.parametrize("network", ["no-such-network", "policy-64"])
def test_networks_that_cannot_judge_are_refused_at_once(network: str) -> None:
    with pytest.raises(NetworkError):
        Desk(EngineOptions(network=network))


def test_a_folder_that_cannot_be_written_is_said_once_and_the_game_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    server = WebServer(path=tmp_path / "file" / "table.sgf")
    page = server.client()
    page.do("play", move="D4")
    assert page.event("notice")["key"] == "cannot_keep"
    page.do("play", move="E4")
    page.close()
    server.stop()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the table cannot be kept"
    ]


def test_an_older_state_never_replaces_a_newer_one(tmp_path: Path) -> None:
    file = KeptFile(tmp_path / "table.sgf", failed=lambda reason: None)
    older, newer = file.writing(b"older"), file.writing(b"newer")
    newer()
    older()
    assert file.path.read_bytes() == b"newer"
