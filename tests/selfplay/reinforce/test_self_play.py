"""Self-play: games by number, stopped and resumed, scored, as archives and as SGF."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from goengine.games.sgf import read_collection
from goengine.inference.choosing import make_evaluator
from goengine.networks.files import open_network
from goengine.scoring.status import final_score
from goengine.types import BLACK, WHITE, GoError
from selfplay.__main__ import main
from selfplay.archive.reader import Archive
from selfplay.reinforce.finished_games import CAP, FinishedGame, as_record, read_games
from selfplay.reinforce.game_loop import GameBar, play_games
from selfplay.reinforce.plan import Plan
from selfplay.reinforce.shards import PLAN, Shards
from tests.helpers.small_runs import ROOT, environment

torch.set_num_threads(1)

GAMES = 30


@pytest.fixture(scope="module")
def plan(net_file: Path) -> Plan:
    return Plan(open_network(net_file).digest, sizes=(5, 6), batch=4, shard=8, komi_spread=2.0)


def played(
    folder: Path, plan: Plan, net: Path, games: int = GAMES, *, stop_after: int = 10**9, threads=1
) -> dict[int, FinishedGame]:
    folder.mkdir(exist_ok=True)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > stop_after

    shards = Shards(folder, plan)
    evaluator = make_evaluator(net, device="cpu", threads=1)
    play_games(evaluator, shards, games, threads=threads, stop=stop, progress=False)
    found = {game.number: game for game in Shards(folder, plan).games()}
    assert list(found) == sorted(found)
    return found


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan, net_file: Path
) -> dict[int, FinishedGame]:
    """The games of an uninterrupted run."""
    return played(tmp_path_factory.mktemp("whole") / "shards", plan, net_file)


def same(one: dict[int, FinishedGame], other: dict[int, FinishedGame]) -> bool:
    return one.keys() == other.keys() and all(
        (game.moves.tolist(), game.score, game.open, game.end)
        == (twin.moves.tolist(), twin.score, twin.open, twin.end)
        for game, twin in zip(one.values(), other.values(), strict=True)
    )


def test_all_games_are_played_by_the_rules_and_scored(
    whole: dict[int, FinishedGame], plan: Plan
) -> None:
    assert list(whole) == list(range(GAMES))
    assert {plan.setup(number).size for number in whole} == {5, 6}
    assert len({game.moves.tobytes() for game in whole.values()}) > GAMES - 3
    for game in whole.values():
        record = as_record(game, plan, "tiny")
        board = record.final_board("chinese")  # raises at an illegal move, superko's too
        assert int(0.45 * record.size**2) <= len(record.moves) <= plan.cap(record.size)
        assert game.score == int(game.score - 0.5) + 0.5
        if game.end != CAP:
            again = final_score(board, rng=np.random.default_rng(1), playouts=400)
            assert abs(again - game.score) <= 2 * game.open + 2
            assert record.winner == (BLACK if game.score > 0 else WHITE)


def test_the_same_number_is_the_same_game_in_any_company(
    tmp_path: Path, whole: dict[int, FinishedGame], plan: Plan, net_file: Path
) -> None:
    some = played(tmp_path / "some", plan, net_file, 7)
    assert same(some, {number: whole[number] for number in range(7)})
    assert same(played(tmp_path / "threads", plan, net_file, threads=3), whole)


def test_a_stopped_run_goes_on_and_equals_one_that_was_not_stopped(
    tmp_path: Path, whole: dict[int, FinishedGame], plan: Plan, net_file: Path
) -> None:
    counts = []
    for calls in (40, 60, 10**9):
        counts.append(len(played(tmp_path / "shards", plan, net_file, stop_after=calls)))
    assert 0 < counts[0] < counts[1] < counts[2] == GAMES
    assert same(played(tmp_path / "shards", plan, net_file, stop_after=0), whole)
    names = sorted(path.name for path in (tmp_path / "shards").glob("*.npz"))
    start = plan.network[:12]
    assert names == [
        f"{start}-00000000-00000007.npz",
        f"{start}-00000008-00000015.npz",
        f"{start}-00000016-00000023.npz",
        f"{start}-00000024-00000031.part.npz",
    ]


def test_a_shard_that_was_killed_before_its_part_was_removed_counts_once(
    tmp_path: Path, whole: dict[int, FinishedGame], plan: Plan, net_file: Path
) -> None:
    played(tmp_path / "shards", plan, net_file, 8)
    (shard,) = (tmp_path / "shards").glob("*.npz")
    played(tmp_path / "part", plan, net_file, 5)
    (part,) = (tmp_path / "part").glob("*.npz")
    shutil.copy(part, shard.with_name(part.name))
    assert same(played(tmp_path / "shards", plan, net_file), whole)
    shard.write_bytes(shard.read_bytes()[:-40])
    with pytest.raises(GoError, match="is damaged"):
        read_games(shard)


def test_komi_and_handicap_are_spread_around_even_games() -> None:
    plan = Plan("", sizes=(19,), handicap=9, komi_spread=5.0)
    setups = [plan.setup(number) for number in range(2000)]
    stones = np.array([len(setup.handicap) for setup in setups])
    komi = np.array([setup.komi for setup in setups])
    assert np.bincount(stones, minlength=10)[[0, *range(2, 10)]].min() > 150
    assert (stones != 1).all() and (komi % 1 == 0.5).all()
    for count, even in ((0, 7), (2, 21 - 2), (9, 119 - 9)):
        mine = komi[stones == count]
        assert abs(mine.mean() - even) < 1.5 and 4 < mine.std() < 6
    assert all(setup.first == (WHITE if setup.handicap else BLACK) for setup in setups)
    assert len({setup.seed for setup in setups}) == 2000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": (2,)}, "board size 2"),
        ({"sizes": (9, 9)}, "each once"),
        ({"handicap": 1}, "1 handicap stones"),
        ({"handicap": 5, "sizes": (8,)}, "5 handicap stones do not go on 8x8"),
        ({"handicap": 9, "sizes": (5,)}, "do not go on 5x5: use 0, or a larger board"),
        ({"batch": 0}, "at least 1"),
        ({"batch": 1_000_000}, "a batch of 1000000 is too large: use at most 16384"),
        ({"komi_spread": 1e9}, "a komi spread of 1e[+]09 points is too large: use at most 100"),
        ({"temperature": -1.0}, "must not be negative"),
    ],
)
def test_plans_that_make_no_sense_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(GoError, match=message):
        Plan("", **changes)  # type: ignore[arg-type]


def generate(net: Path, out: Path, *extra: str) -> int:
    words = ["generate", "--net", str(net), "--out", str(out), "--sizes", "5", "--device", "cpu"]
    return main([*words, "--threads", "1", "--batch", "4", "--quiet", *extra])


def test_a_missing_folder_for_sgf_is_told_before_any_game(
    tmp_path: Path, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sgf = tmp_path / "missing" / "games.sgf"
    assert generate(net_file, tmp_path / "a", "--games", "5", "--sgf", str(sgf)) != 0
    assert f"there is no folder {sgf.parent} for --sgf: make it first" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--handicap", "1"], "1 handicap stones do not go on 5x5"),
        (["--sizes", "5,5"], "name at least one, and each once"),
        (["--sgf", "."], "--sgf . is a folder: name a file in it"),
    ],
)
def test_what_is_refused_leaves_no_folder(
    tmp_path: Path,
    net_file: Path,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    said: str,
) -> None:
    assert generate(net_file, tmp_path / "games", "--games", "5", *extra) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("games*"))


def test_the_bar_tells_moves_at_once_and_how_long_it_takes_by_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr("selfplay.reinforce.game_loop.time.monotonic", lambda: now)
    bar = GameBar(Plan("0" * 64, sizes=(5,)), 30, 10, silent=False)
    assert ", starting]" in capsys.readouterr().err
    now = 101.0
    bar.moved(40)
    assert ", 40 moves, 40 moves/s]" in capsys.readouterr().err
    now = 110.0
    bar.finished(FinishedGame(3, np.zeros(20, dtype=np.int16), 0.5, 0, 0))
    bar.moved(200)  # 180 of them in games that are not over: 19 x 20 - 180 are left, at 20/s
    assert bar.words(10.0) == "200 moves, 20 moves/s, about 00:10 left"
    last = capsys.readouterr().err.split("\r")[-1]
    assert "11/30 games" in last and ", 200 moves, 20 moves/s, about 00:10 left]" in last
    bar.close()


def test_the_command_writes_an_archive_and_sgf_and_goes_on(
    tmp_path: Path,
    net_file: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    out, sgf = tmp_path / "a", tmp_path / "games.sgf"
    assert generate(net_file, out, "--games", "5", "--sgf", str(sgf)) == 0
    first = Archive.open(out)
    assert generate(net_file, out, "--games", "9", "--sgf", str(sgf)) == 0
    archive = Archive.open(out)
    assert (len(first), len(archive)) == (5, 9)
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith(f"{out}: 9 games, ") and " KiB, " in told and " 0 KiB" not in told
    kept = caplog.messages[-1]
    assert kept.startswith(f"{out}.shards keeps these games as well") and "larger --games" in kept
    assert archive.sources == ["", "self-play"] and (archive.games["size"] == 5).all()
    assert archive.manifest["notes"]["network"] == "tiny"
    read = list(read_collection(sgf.read_bytes()))
    assert len(sgf.read_bytes().splitlines()) == 9
    for number, game in enumerate(read):
        kept = archive.game(number)
        assert game.black == game.white == "tiny" and f"game {number} of seed 0" in game.event
        for name in ("size", "moves", "komi", "result", "handicap", "rules", "to_play"):
            assert vars(game)[name] == vars(kept)[name], name
    capsys.readouterr()
    assert generate(net_file, out, "--games", "9", "--seed", "2") == 2
    assert "were begun with seed 0, not 2" in capsys.readouterr().err
    (tmp_path / "other").mkdir()
    assert generate(net_file, tmp_path / "other", "--games", "9") == 2
    assert "choose another --out" in capsys.readouterr().err
    assert generate(net_file, out, "--games", "9", "--sizes", "5,x") == 2
    assert "--sizes 5,x" in capsys.readouterr().err
    (tmp_path / "a.shards" / PLAN).write_text("[]")
    assert generate(net_file, out, "--games", "9") == 2
    assert "is damaged (it does not name settings)" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("by", [pytest.param("SIGINT", marks=pytest.mark.slow), "SIGKILL"])
def test_a_process_that_is_ended_loses_nothing(tmp_path: Path, net_file: Path, by: str) -> None:
    command = [sys.executable, "-m", "selfplay", "generate", "--net", str(net_file)]
    command += ["--out", str(tmp_path / "a"), "--games", "600", "--sizes", "5", "--batch", "8"]
    command += ["--threads", "1", "--device", "cpu", "--quiet"]
    environ = {**environment(), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    shards = tmp_path / "a.shards"
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(shards.glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.Signals[by])
    process.communicate(timeout=60)
    assert process.returncode == {"SIGINT": 130, "SIGKILL": -signal.SIGKILL}[by]
    assert by == "SIGKILL" or 256 <= len(Archive.open(tmp_path / "a")) < 600
    done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, timeout=120)
    assert b"600 games" in done.stdout
    assert generate(net_file, tmp_path / "b", "--games", "600", "--batch", "8") == 0
    assert Archive.open(tmp_path / "b").digest == Archive.open(tmp_path / "a").digest
