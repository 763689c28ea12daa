"""Labels: results as columns, final owners beside an archive, and what positions learn of them."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.games.record import GameRecord
from goengine.scoring.counting import format_score
from goengine.types import BLACK, WHITE
from selfplay.__main__ import main
from selfplay.archive.reader import Archive, ArchiveError
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.labels import Labels
from selfplay.labelling.final_positions import counted_games, find_owners
from selfplay.labelling.label_run import label_archive
from selfplay.labelling.owners_file import Ownership, owners_path, read_ownership, write_ownership
from selfplay.labelling.results import points_for_white, recorded_margins, result_kinds


def walls(*, result: str, komi: float | None = 7.5, size: int = 5, **facts: object) -> GameRecord:
    """Return a game of two walls down the board, Black's with two columns, and its result."""
    columns = (1, 2)
    moves = [
        (colour, row * size + column)
        for row in range(size)
        for colour, column in zip((BLACK, WHITE), columns, strict=True)
    ]
    record = GameRecord(size=size, komi=komi, moves=tuple(moves), result=result)
    return dataclasses.replace(record, **facts)  # type: ignore[arg-type]


def archive_of(folder: Path, *games: GameRecord, source: str = "people") -> Archive:
    with ArchiveWriter(folder) as writer:
        for game in games:
            writer.add(game, source)
        return writer.commit()


def test_results_as_columns(tmp_path: Path) -> None:
    stones = {"handicap": 2, "setup_black": (3, 4), "to_play": WHITE, "moves": ()}
    archive = archive_of(
        tmp_path / "a",
        walls(result="W+12.5"),
        walls(result="B+R", komi=None),
        walls(result="0", komi=0.0),
        walls(result="B+T"),
        walls(result="B+3", komi=0.5, rules="Chinese", **stones),
        walls(result="B+3", komi=0.5, rules="AGA", **stones),
        walls(result="B+3", komi=0.5, **stones),
        walls(result="Void"),
    )
    kinds = ["points", "resign", "draw", "time", "points", "points", "points", "void"]
    assert result_kinds(archive).tolist() == kinds
    margins = [-12.5, np.nan, 0, np.nan, 3, 3, 3, np.nan]
    np.testing.assert_array_equal(recorded_margins(archive), np.float32(margins))
    paid = [7.5, np.nan, 0, 7.5, 2.5, 1.5, 0.5, 7.5]
    np.testing.assert_array_equal(points_for_white(archive), np.float32(paid))
    assert counted_games(archive).tolist() == [0, 2]  # the others have no moves or no margin


def test_owners_of_games_that_agree_with_their_margin(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path / "a",
        walls(result="W+12.5"),
        walls(result="W+10.5"),  # two points off, as by territory
        walls(result="W+22.5"),
        walls(result="W+14.5", size=7),  # 14 to 35 before komi
        walls(result="W+28.5", size=7),
    )
    found = find_owners(archive, np.arange(5), playouts=60)
    assert [game for game, _ in found] == [0, 1, 4]
    for game, owners in found:
        size = int(archive.games["size"][game])
        expected = np.where(np.arange(size) < 2, 1, -1)
        assert (owners.reshape(size, size) == expected).all()


def test_the_file_of_owners_comes_back_and_knows_its_archive(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a", walls(result="W+12.5"), walls(result="B+R", size=7))
    other = archive_of(tmp_path / "b", walls(result="W+12.5"))
    owners = [(1, np.int8([1, 0, -1, 1, 0, -1, 1] * 7)), (0, np.int8([-1, 1, 0, 0, 1] * 5))]
    path = owners_path(archive.path)
    assert path.name == "a.owners.npz"
    write_ownership(path, Ownership.of(archive.digest, owners))
    read = read_ownership(path, archive)
    assert read.games.tolist() == [0, 1] and read.points.tolist() == [25, 49]
    assert (read.of_games(np.array([1, 1]), 49) == owners[0][1]).all()
    assert (read.of_games(np.array([0]), 25) == owners[1][1]).all()
    with pytest.raises(ArchiveError, match="one size at a time"):
        read.of_games(np.array([0, 1]), 25)
    with pytest.raises(ArchiveError, match=r"labels another archive .* run `selfplay label"):
        read_ownership(path, other)
    with pytest.raises(ArchiveError, match="labels are of the archive"):
        Labels(other, read)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ArchiveError, match="is damaged"):
        read_ownership(path, archive)
    with pytest.raises(ArchiveError, match="no ownership at"):
        read_ownership(owners_path(other.path), other)


@pytest.mark.parametrize(
    "changes",
    [
        {"games": np.int32([-1, 1])},
        {"games": np.int32([1, 0])},
        {"games": np.int32([0])},
        {"games": np.float64([0, 1])},
        {"points": np.int32([25, 25])},
        {"points": np.int32([25, 4900])},
        {"black": np.uint8([1])},
    ],
    ids=str,
)
def test_owners_that_are_not_of_the_archives_boards_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray]
) -> None:
    archive = archive_of(tmp_path / "a", walls(result="W+12.5"), walls(result="B+R", size=7))
    path = owners_path(archive.path)
    owners = [(number, np.zeros(size * size, np.int8)) for number, size in ((0, 5), (1, 7))]
    write_ownership(path, Ownership.of(archive.digest, owners))
    with np.load(path) as file:
        arrays = dict(file)
    np.savez_compressed(path, **{**arrays, **changes})
    with pytest.raises(ArchiveError, match=r"is damaged \(its arrays do not fit .*label .* again"):
        read_ownership(path, archive)


def test_labels_are_the_movers(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a", walls(result="W+12.5"), walls(result="B+R"))
    owners = Ownership.of(archive.digest, find_owners(archive, np.array([0]), playouts=60))
    labels = Labels(archive, owners).of(np.array([0, 0, 1, 1]), np.array([0, 3, 0, 3]))
    assert labels.winner.tolist() == [-1, 1, 1, -1]
    assert labels.weight.tolist() == [1, 1, 1, 1]
    assert labels.komi.tolist() == [7.5, -7.5, 7.5, -7.5]
    assert labels.counted.tolist() == labels.owned.tolist() == [True, True, False, False]
    assert labels.margin.tolist() == [-5, 5, 0, 0]
    black = np.tile([1, 1, -1, -1, -1], 5)
    assert (labels.ownership == np.stack([black, -black, 0 * black, 0 * black])).all()
    bare = Labels(archive).of(np.array([0]), np.array([0]))
    assert bare.margin.tolist() == [-5] and not bare.owned[0] and not bare.ownership.any()


def test_games_that_teach_no_value_have_no_weight(tmp_path: Path) -> None:
    stones = {"handicap": 2, "setup_black": (3, 4), "to_play": WHITE, "moves": ((WHITE, 12),)}
    games = [
        (walls(result="W+12.5"), 1, 1),
        (walls(result="W+R", komi=6.5), 1, 1),
        (walls(result="W+T"), 0, 0),
        (walls(result="W+F"), 0, 0),
        (walls(result="W+12.5", komi=None), 0, 0),
        (walls(result="Void"), 0, 0),
        (walls(result="W+5", komi=0.5), 0, 1),
        (walls(result="W+R", komi=6.5, **stones), 0, 1),
    ]
    for column, source in ((1, "people"), (2, "self-play")):
        records = [row[0] for row in games]
        archive = archive_of(tmp_path / source, *records, source=source)
        labels = Labels(archive)
        assert labels.teaches.tolist() == [bool(row[column]) for row in games]
        few = labels.of(np.arange(len(games)), np.zeros(len(games), dtype=np.int64))
        assert few.weight.tolist() == [row[column] for row in games]
        assert not (few.counted & (few.weight == 0)).any()


def test_the_command_labels_in_processes_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfplay.labelling.label_run.CHUNK", 2)
    games = [walls(result=f"W+{12.5 + 20 * (number % 3 == 2)}") for number in range(7)]
    archive = archive_of(tmp_path / "a", *games)
    stopped = label_archive(archive, playouts=30, stop=lambda: True, progress=False)
    assert stopped.ownership is None and not owners_path(archive.path).exists()
    parts = sorted((tmp_path / "a.owners.parts").iterdir())
    assert len(parts) == 1
    written = parts[0].stat().st_mtime_ns
    label_archive(archive, playouts=30, stop=lambda: True, progress=False)
    assert len(list((tmp_path / "a.owners.parts").iterdir())) == 2
    assert parts[0].stat().st_mtime_ns == written
    words = ["label", str(archive.path), "--quiet", "--playouts", "30"]
    assert main([*words, "--workers", "2"]) == 0
    assert "5 of 7 counted games agree" in capsys.readouterr().out
    found = read_ownership(owners_path(archive.path), archive)
    assert found.games.tolist() == [0, 1, 3, 4, 6]
    assert not (tmp_path / "a.owners.parts").exists()
    assert main([*words, "--workers", "1"]) == 0
    again = read_ownership(owners_path(archive.path), archive)
    assert (again.owners == found.owners).all() and (again.games == found.games).all()


def test_a_damaged_archive_is_not_labelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = archive_of(tmp_path / "a", walls(result="W+12.5"))
    data = bytearray((archive.path / "moves.npy").read_bytes())
    data[-2] ^= 1
    (archive.path / "moves.npy").write_bytes(data)
    assert main(["label", str(archive.path), "--quiet", "--workers", "1"]) == 2
    assert "is damaged: run `selfplay ingest` again" in capsys.readouterr().err
    assert not owners_path(archive.path).exists()


@pytest.mark.gnugo
def test_owners_agree_with_gnu_go(tmp_path: Path, rng: np.random.Generator) -> None:
    """Finished games of 7x7: who owns what, by playouts and by GNU Go."""
    program = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    if program is None:
        pytest.skip("GNU Go is not installed")
    records, words = [], []
    for _ in range(6):
        board, moves = Board(7, komi=0.0), []
        while board.passes < 2 and len(moves) < 120:
            some = np.flatnonzero(board.sensible()[:-1])
            move = int(rng.choice(some)) if len(some) else 49
            moves.append((board.to_play, move))
            board.play(move)
        words += ["boardsize 7", "clear_board", "komi 0"]
        words += [f"play {'bw'[colour - 1]} {move_to_gtp(move, 7)}" for colour, move in moves]
        words += ["final_score"]
        records.append(GameRecord(size=7, komi=0.0, moves=tuple(moves)))
    said = subprocess.run(
        [program, "--mode", "gtp", "--chinese-rules", "--quiet"],
        input="\n".join([*words, "quit"]),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    scores = [line.strip()[2:] for line in said.split("\n\n") if line.strip()[:3] in ("= B", "= W")]
    assert len(scores) == len(records)
    judged = [
        dataclasses.replace(
            game, result=format_score((1 if text[0] == "B" else -1) * float(text[2:]))
        )
        for game, text in zip(records, scores, strict=True)
    ]
    archive = archive_of(tmp_path / "a", *judged)
    assert len(find_owners(archive, np.arange(6), playouts=200)) == 6
