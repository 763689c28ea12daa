"""Ingest: inputs of every kind, cuts, duplicates, counts, and being killed."""

import bz2
import gzip
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import tarfile
import time
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from goengine.encoding.symmetry import move_table
from goengine.games.record import GameRecord
from goengine.games.replay import legal_length
from goengine.games.sgf import read_sgf, write_sgf
from goengine.types import BLACK, WHITE
from selfplay.__main__ import main
from selfplay.archive.filters import Filters, rank_value
from selfplay.archive.ingest import cut_game, ingest
from selfplay.archive.ingest_counts import KEPT, POSITIONS, READ
from selfplay.archive.reader import Archive
from tests.helpers.small_games import game, line, run

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "games"


GAMES = [game(seed) for seed in range(6)]
LINES = b"".join(line(record) for record in GAMES)


def moves_of(archive):
    return [archive.game(i).moves for i in range(len(archive))]


def packed_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/readme.txt", "(;GM[1];B[aa])")
        archive.writestr("a/one.sgf", LINES[: len(LINES) // 2 + 5].rpartition(b"\n")[0])
        rest = LINES[len(LINES[: len(LINES) // 2 + 5].rpartition(b"\n")[0]) :]
        archive.writestr("b/two.SGF.bz2", bz2.compress(rest))


def packed_tar(path, mode):
    with tarfile.open(path, mode) as archive:
        for number, record in enumerate(GAMES):
            data = write_sgf(record)
            info = tarfile.TarInfo(f"games/{number}.sgf")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


INPUTS = {
    "kgs-00.sgf": lambda path: path.write_bytes(LINES),
    "kgs.sgf": lambda path: path.write_bytes(b"".join(map(write_sgf, GAMES))),
    "kgs-01.sgf.bz2": lambda path: path.write_bytes(bz2.compress(LINES)),
    "kgs.sgf.gz": lambda path: path.write_bytes(gzip.compress(LINES)),
    "kgs.sgf.xz": lambda path: path.write_bytes(lzma.compress(LINES)),
    "kgs.txt": lambda path: path.write_bytes(LINES),
    "kgs.zip": packed_zip,
    "kgs.tar": lambda path: packed_tar(path, "w"),
    "kgs.tar.gz": lambda path: packed_tar(path, "w:gz"),
    "kgs.tgz": lambda path: packed_tar(path, "w:gz"),
    "kgs-12.tar.bz2": lambda path: packed_tar(path, "w:bz2"),
    "kgs.tar.xz": lambda path: packed_tar(path, "w:xz"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_of_every_kind(tmp_path, name):
    INPUTS[name](tmp_path / name)
    archive, reasons = run([tmp_path / name], tmp_path)
    assert moves_of(archive) == [record.moves for record in GAMES]
    assert archive.sources[1:] == ["kgs.txt" if name.endswith(".txt") else "kgs"]
    assert reasons == {READ: 6, KEPT: 6, POSITIONS: 180}


def test_folders_are_searched_for_sgf_files_only(tmp_path):
    folder = tmp_path / "club"
    (folder / "2011").mkdir(parents=True)
    (folder / "2011" / "a.sgf").write_bytes(line(GAMES[0]))
    (folder / "b.SGF").write_bytes(line(GAMES[1]))
    (folder / "pro-01.sgf.bz2").write_bytes(bz2.compress(line(GAMES[2])))
    (folder / "notes.txt").write_bytes(line(GAMES[3]))
    archive, reasons = run([folder], tmp_path)
    assert reasons[READ] == 3
    names = [archive.sources[number] for number in archive.games["source"]]
    assert sorted(names) == ["club", "club", "pro"]


@pytest.mark.parametrize("suffix", [".sgf.bz2", ".sgf.gz", ".sgf.xz", ".zip", ".tar.gz"])
def test_damaged_packages_are_counted_and_keep_what_could_be_read(tmp_path, suffix):
    whole = tmp_path / f"whole{suffix}"
    many = b"".join(line(game(seed, length=60)) for seed in range(300))
    if suffix == ".zip":
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("a.sgf", many)
    elif suffix == ".tar.gz":
        packed_tar(whole, "w:gz")
    else:
        pack = {".sgf.bz2": bz2.compress, ".sgf.gz": gzip.compress, ".sgf.xz": lzma.compress}
        whole.write_bytes(pack[suffix](many))
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "good.sgf.gz").write_bytes(gzip.compress(line(game(999))))
    archive, reasons = run([broken, tmp_path / "good.sgf.gz"], tmp_path)
    assert reasons["unreadable file"] == 1
    assert "good" in archive.sources


def test_a_file_that_is_not_sgf_is_counted(tmp_path):
    (tmp_path / "a.sgf").write_bytes(b"\x00\xff no game here")
    (tmp_path / "b.sgf").write_bytes(b"")
    archive, reasons = run([tmp_path / "a.sgf", tmp_path / "b.sgf"], tmp_path)
    assert len(archive) == 0
    assert reasons == {READ: 1, "no readable game": 1}


def test_duplicates_under_symmetry_are_dropped(tmp_path):
    record = GAMES[0]
    copies = []
    for symmetry in range(8):
        table = move_table(19)[symmetry]
        turned = tuple((colour, int(table[move])) for colour, move in record.moves)
        copies.append(replace(record, moves=turned, black=f"name {symmetry}"))
    with_passes = replace(record, moves=(*record.moves, (BLACK, 361), (WHITE, 361)))
    shorter = replace(record, moves=record.moves[:-1])
    path = tmp_path / "a.sgf"
    path.write_bytes(b"".join(map(line, [*copies, with_passes, shorter])))
    archive, reasons = run([path], tmp_path)
    assert reasons["duplicate"] == 8
    assert moves_of(archive) == [record.moves, shorter.moves]


def long_game(tail=b"", head=b""):
    """Thirty legal moves and then something, as one line of SGF."""
    start = line(GAMES[0])
    moves = start[start.index(b";B[") : start.rindex(b")")]
    return b"(;GM[1]SZ[19]" + head + moves + tail + b")\n"


@pytest.mark.parametrize(
    ("data", "reason", "length"),
    [
        (long_game(b";B[%s]" % b"aa"), None, 31),
        (long_game(b";W[sb]"), "cut: two moves in a row", 30),
        (long_game(b";B[ss];B[rr]"), "cut: two moves in a row", 31),
        (long_game(b";B[ss];W[ss]"), "cut: illegal move", 31),
        (long_game(b";AB[ss];B[rr]"), "cut: setup in mid-game", 30),
        (long_game(b";B[xx];W[ss]"), "cut: unreadable move", 30),
        (long_game(b";B[ss]C[a ] b];W[rr]"), "cut: broken text", 31),
        (long_game(b";B[ss]")[:-2] + b"\n", "cut: broken text", 31),
    ],
)
def test_cuts_keep_the_prefix(tmp_path, data, reason, length):
    if b"B[aa]" in data and reason is None:
        data = data.replace(b";B[aa])", b";B[sb])")
    (tmp_path / "a.sgf").write_bytes(data)
    archive, reasons = run([tmp_path / "a.sgf"], tmp_path)
    assert archive.games["length"].tolist() == [length]
    assert archive.game(0).moves[:30] == GAMES[0].moves
    expected = {READ: 1, KEPT: 1, POSITIONS: length}
    assert reasons == (expected if reason is None else expected | {reason: 1})


def test_games_cut_too_short_are_dropped_with_the_reason(tmp_path):
    data = b"(;GM[1];B[aa];W[bb];W[cc])\n(;GM[1];B[aa];W[aa])\n(;GM[1];B[aa])\n"
    data += b"(;GM[1]SZ[9]AB[ab][ba]AW[aa];B[ee])\n(;GM[1]SZ[9];B[aa];AB[bb])\n"
    (tmp_path / "a.sgf").write_bytes(data)
    archive, reasons = run([tmp_path / "a.sgf"], tmp_path, filters=Filters(sizes=(9, 19)))
    assert len(archive) == 0
    assert reasons == {
        READ: 5,
        "dropped: two moves in a row": 1,
        "dropped: illegal move": 1,
        "dropped: fewer moves than --min-moves": 1,
        "dropped: set-up without liberties": 1,
        "dropped: setup in mid-game": 1,
    }


def test_ko_and_suicide_are_illegal():
    ko = read_sgf("(;SZ[5];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[cb])")
    assert legal_length(ko) == 8
    assert cut_game(ko)[1] == "illegal move"
    later = read_sgf("(;SZ[5];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[];W[];B[cb])")
    assert legal_length(later) == 11
    suicide = read_sgf("(;SZ[5];B[ba];W[ee];B[ab];W[aa])")
    assert legal_length(suicide) == 3


def test_the_kernel_agrees_with_the_board():
    rng = np.random.default_rng(7)
    for size in (3, 5, 9):
        for _ in range(20):
            points = rng.integers(0, size * size + 1, 60).tolist()
            record = GameRecord(
                size=size, moves=tuple((BLACK + i % 2, move) for i, move in enumerate(points))
            )
            legal = legal_length(record)
            board = record.board_at(legal)
            assert board.turn == legal
            if legal < len(points):
                assert not board.is_legal(points[legal])


def test_command_line(tmp_path, capsys):
    path = tmp_path / "pro-00.sgf"
    path.write_bytes(LINES + line(GAMES[0]))
    out = tmp_path / "archive"
    assert main(["ingest", str(path), "--out", str(out), "--workers", "1", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "pro" in text
    assert "duplicate" in text
    assert "6 games" in text
    assert Archive.open(out).sources == ["", "pro"]
    small = str(tmp_path / "small")
    assert main(["subset", str(out), "--out", small, "--limit-positions", "70"]) == 0
    assert len(Archive.open(small)) == 2
    moves = bytearray((out / "moves.npy").read_bytes())
    moves[-2] ^= 1
    (out / "moves.npy").write_bytes(moves)
    assert main(["subset", str(out), "--out", str(tmp_path / "other")]) == 2
    assert "is damaged: run `selfplay ingest` again" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.sgf"], "nowhere.sgf does not exist"),
        (["--min-rank", "strong"], "--min-rank strong is not a rank"),
        (["--size", "big"], "--size big"),
        (["--komi", "x"], "--komi x"),
        (["--years", "soon"], "--years soon"),
        (["--result", "luck"], "--result luck"),
        (["--workers", "0"], "--workers 0"),
    ],
)
def test_bad_arguments_are_one_sentence(tmp_path, capsys, arguments, message):
    (tmp_path / "a.sgf").write_bytes(LINES)
    command = [str(tmp_path / "a.sgf"), "--out", str(tmp_path / "x"), "--quiet"]
    assert main(["ingest", *arguments, *command]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not (tmp_path / "x").exists()


def test_a_folder_without_sgf_files_is_refused(tmp_path, capsys):
    (tmp_path / "void").mkdir()
    (tmp_path / "void" / "notes.txt").write_bytes(LINES)
    (tmp_path / "bare").mkdir()
    out = tmp_path / "x"
    folders = [str(tmp_path / "void"), str(tmp_path / "bare")]
    assert main(["ingest", *folders, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert f"no SGF files in {', '.join(folders)}: name SGF files" in captured.err
    assert captured.err.count("\n") == 1 and captured.out == "" and not out.exists()


def test_an_archive_without_games_is_not_written_and_replaces_none(tmp_path, capsys):
    (tmp_path / "a.sgf").write_bytes(LINES)
    out = tmp_path / "x"
    command = ["ingest", str(tmp_path / "a.sgf"), "--out", str(out), "--quiet"]
    assert main(command) == 0
    before = Archive.open(out).digest
    capsys.readouterr()
    assert main([*command, "--overwrite", "--player", "Nobody"]) == 2
    captured = capsys.readouterr()
    assert (
        f"nothing was written to {out}" in captured.err and "6 games read, 0 kept" in captured.err
    )
    assert captured.err.count("\n") == 1 and "games kept" in captured.out
    assert Archive.open(out).digest == before and sorted(tmp_path.iterdir()) == [
        tmp_path / "a.sgf",
        out,
    ]


def test_dropped_games_are_named_with_their_reasons(tmp_path, capsys):
    club, report = tmp_path / "club", tmp_path / "dropped.jsonl"
    club.mkdir()
    (club / "a-good.sgf").write_bytes(line(GAMES[0]))
    (club / "b-again.sgf").write_bytes(line(GAMES[0]))
    (club / "c-short.sgf").write_bytes(b"(;GM[1];B[aa];W[bb])")
    (club / "d-noise.sgf").write_bytes(b"no game here")
    (club / "e-three.sgf").write_bytes(line(GAMES[1]) + line(game(9, size=9)) + line(GAMES[2]))
    with zipfile.ZipFile(club / "f.zip", "w") as package:
        package.writestr("old/small.sgf", line(game(8, size=9)))
    (club / "g-cut.sgf.gz").write_bytes(gzip.compress(line(GAMES[3]))[:40])
    command = ["ingest", str(club), "--out", str(tmp_path / "x"), "--quiet", "--workers", "1"]
    assert main([*command, "--report", str(report), "-v"]) == 0
    told = [json.loads(text) for text in report.read_text("utf-8").splitlines()]
    found = {(Path(it["file"]).name, it["game"]): it["reason"] for it in told}
    assert len(found) == len(told) == 6
    assert found["b-again.sgf", 1] == "duplicate"
    assert found["c-short.sgf", 1] == "dropped: fewer moves than --min-moves"
    assert found["d-noise.sgf", 1].startswith("no readable game: ")
    assert found["e-three.sgf", 2] == "filter: size"
    assert found["small.sgf", 1] == "filter: size"
    assert found["g-cut.sgf.gz", None].startswith("unreadable file: g-cut.sgf.gz: ")
    assert {it["file"] for it in told if it["game"]} >= {f"{club / 'f.zip'}: old/small.sgf"}
    err = capsys.readouterr().err
    assert f"{club / 'e-three.sgf'}, game 2: filter: size\n" in err
    assert main([*command, "--overwrite"]) == 0
    assert "filter: size" not in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused(tmp_path, capsys):
    (tmp_path / "a.sgf").write_bytes(LINES)
    command = ["ingest", str(tmp_path / "a.sgf"), "--out", str(tmp_path / "x"), "--quiet"]
    assert main([*command, "--report", str(tmp_path)]) == 2
    assert f"--report {tmp_path} cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("date", ["9" * 5000, "2015-" + "9" * 5000, "2015-03-" + "0" * 5000])
def test_an_endless_date_is_an_unknown_one(tmp_path, date):
    (tmp_path / "a.sgf").write_bytes(line(replace(GAMES[0], date=date)) + line(GAMES[1]))
    archive, _ = run([tmp_path / "a.sgf"], tmp_path)
    assert archive.games["year"].tolist() == [2015 * date.startswith("2015"), 0]


def many_games(path, count, *, times=1):
    """A collection big enough to keep several workers busy."""
    path.write_bytes(b"".join(line(game(seed, length=90)) for seed in range(count)) * times)


def test_workers_make_the_same_archive(tmp_path):
    many_games(tmp_path / "a.sgf", 2000)
    one, _ = ingest([tmp_path / "a.sgf"], tmp_path / "one", workers=1, progress=False)
    two, _ = ingest([tmp_path / "a.sgf"], tmp_path / "two", workers=2, progress=False)
    assert one.digest == two.digest
    assert one.manifest == two.manifest


HALTING = """
import signal, sys, time
from selfplay.__main__ import main
from selfplay.archive.writer import ArchiveWriter

extend = ArchiveWriter.extend

def extend_and_wait(self, block):
    extend(self, block)
    self._file.flush()
    time.sleep(600)

ArchiveWriter.extend = extend_and_wait
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
"""A `selfplay` that waits after the first block of games, so that it is always killed half-way.

It hears SIGINT even if the tests run as a shell's background job, whose children ignore it.
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_ingest_leaves_no_half_archive(tmp_path, how):
    many_games(tmp_path / "a.sgf", 200, times=100)  # more than one block: the workers are busy
    (tmp_path / "b.sgf").write_bytes(LINES)
    command = [sys.executable, "-c", HALTING, "ingest", str(tmp_path / "a.sgf"), "--out"]
    command += [str(tmp_path / "archive"), "--workers", "2"]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    partial = tmp_path / f".archive.{child.pid}.tmp"
    while not (partial / "moves.npy").exists() or (partial / "moves.npy").stat().st_size < 1000:
        assert child.poll() is None, child.stderr.read()
        time.sleep(0.02)
    os.kill(child.pid, how)
    out, _ = child.communicate(timeout=60)  # returns when the workers have let go of the pipes
    assert out == b""
    assert not (tmp_path / "archive").exists()
    if how == signal.SIGINT:
        assert child.returncode == 130
        assert not partial.exists()
    else:
        assert partial.exists()
    archive, _ = ingest([tmp_path / "b.sgf"], tmp_path / "archive", workers=1, progress=False)
    assert len(archive) > 0
    assert not partial.exists()


def test_samples_are_what_their_readme_says(tmp_path):
    samples = ROOT / "data" / "samples"
    filters = Filters(sizes=None, min_moves=5)
    archive, reasons = run([samples], tmp_path, filters=filters)
    assert reasons[READ] == reasons[KEPT] == 25
    assert reasons["cut: broken text"] == 1
    assert set(reasons) == {READ, KEPT, POSITIONS, "cut: broken text"}
    assert archive.sources == ["", "samples"]
    lengths = {path.stem: len(read_sgf(path.read_bytes()).moves) for path in samples.iterdir()}
    assert lengths["ladder"] == 59
    assert lengths["truncated"] == 10
    assert lengths["self-play-19x19"] == 291
    chinese = read_sgf((samples / "gb2312-9x9.sgf").read_bytes())
    assert (chinese.black, chinese.white, chinese.komi) == ("黑方", "白方", 7.5)
    assert rank_value(chinese.black_rank) == 35


@pytest.mark.data
def test_real_games_are_all_kept(tmp_path):
    if not REAL.is_dir():
        pytest.skip(f"no real games at {REAL}")
    lines = []
    for name in ("kgs_6d", "kgs_mixed", "pro-00", "fox_9d", "tygem_9d-03"):
        with bz2.open(REAL / f"{name}.sgf.bz2") as stream:
            lines += [next(stream) for _ in range(60)]
    (tmp_path / "real.sgf").write_bytes(b"".join(lines))
    archive, reasons = run([tmp_path / "real.sgf"], tmp_path)
    assert set(reasons) == {READ, KEPT, POSITIONS}
    for index in range(0, 300, 7):
        record = read_sgf(lines[index])
        kept = archive.game(index)
        assert kept.moves == record.moves
        assert kept.result == record.result
        assert (kept.black_rank, kept.white_rank) == (record.black_rank, record.white_rank)
        assert kept.final_board().turn == len(record.moves)


def korean(record):
    """The bytes of a game as Korean servers write them: CP949 without CA."""
    return line(record).replace(b"CA[UTF-8]", b"").decode().encode("cp949")


def test_a_korean_player_is_found_in_files_without_ca(tmp_path):
    lee, cho = "이창호", "조훈현"
    (tmp_path / "a.sgf").write_bytes(korean(game(1, black=lee, white=cho)))
    (tmp_path / "b.sgf").write_bytes(korean(game(2, black=cho, white="서봉수")))
    (tmp_path / "c.sgf").write_bytes(line(game(3, black=cho, white=lee)))
    files = [tmp_path / f"{name}.sgf" for name in "abc"]
    for name in (lee, unicodedata.normalize("NFD", lee)):
        archive, reasons = run(files, tmp_path, filters=Filters(player=name))
        assert moves_of(archive) == [game(1).moves, game(3).moves]
        assert archive.learn.tolist() == [BLACK, WHITE]
        assert reasons["filter: player"] == 1
        assert reasons["noted: encoding guessed as EUC-KR (CP949)"] == 2


def test_notes_of_the_reader_are_counted_once_a_game(tmp_path, capsys):
    fox = line(game(1)).replace(b"SZ[19]", b"SZ[19]KM[3.75]")
    twice = line(game(2)).replace(b"SZ[19]", b"SZ[19]AB[zz][yy]")
    (tmp_path / "a.sgf").write_bytes(fox + twice + line(game(3)))
    assert main(["ingest", str(tmp_path / "a.sgf"), "--out", str(tmp_path / "x"), "--quiet"]) == 0
    rows = [text.split("   ")[0] for text in capsys.readouterr().out.splitlines()]
    assert "noted: komi guessed" in rows
    archive, reasons = run([tmp_path / "a.sgf"], tmp_path)
    assert reasons["noted: komi guessed"] == 1
    assert reasons["noted: set-up stones left out"] == 1
    assert archive.games["komi"][0] == 7.5


def test_utf16_files_are_read_whole(tmp_path):
    (tmp_path / "a.sgf").write_bytes(write_sgf(game(1, black="古力")).decode().encode("utf-16"))
    archive, _ = run([tmp_path / "a.sgf"], tmp_path, filters=Filters(player="古力"))
    assert moves_of(archive) == [game(1).moves]


def test_dates_of_other_programs_meet_the_years(tmp_path):
    for number, date in enumerate(["2018年5月2日", "02/05/2018", "2018-05-02T10:00", "2017.1.1"]):
        (tmp_path / f"{number}.sgf").write_bytes(line(game(number, date=date)))
    files = [tmp_path / f"{number}.sgf" for number in range(4)]
    archive, reasons = run(files, tmp_path, filters=Filters(years=(2018, 2018)))
    assert archive.games["date"].tolist() == [20180502, 20180000, 20180502]
    assert reasons["filter: year"] == 1


def test_games_on_other_boards_name_the_option_that_takes_them(tmp_path, capsys):
    small = tmp_path / "small.sgf"
    small.write_bytes(b"(;SZ[9];B[ee];W[ce];B[gc])")
    command = ["ingest", str(small), "--out", str(tmp_path / "x"), "--quiet", "--min-moves", "2"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "games of other board sizes than 19 were left out: add --size any" in said
    assert said.count("\n") == 1
    assert main([*command, "--size", "any"]) == 0
