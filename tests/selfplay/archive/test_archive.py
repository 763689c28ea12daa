"""Archives: round trip, splits, symmetry of digests, atomic writing, damage."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goengine.encoding.symmetry import move_table
from goengine.games.record import GameRecord
from goengine.games.sgf_numbers import parse_date
from goengine.types import BLACK, WHITE
from selfplay.archive.game_blocks import GAME_DTYPE, Block
from selfplay.archive.reader import ARCHIVE_VERSION, Archive, ArchiveError
from selfplay.archive.splits import SPLITS, game_digest, split_of
from selfplay.archive.subset import choose_games
from selfplay.archive.writer import ArchiveWriter

ROOT = Path(__file__).resolve().parents[3]


def game(seed, *, size=19, length=40, first=BLACK, **fields):
    """A record of random moves, legal or not: an archive does not judge."""
    rng = np.random.default_rng(seed)
    moves = rng.integers(0, size * size + 1, length).tolist()
    colours = (first, BLACK + WHITE - first)
    pairs = tuple((colours[i % 2], move) for i, move in enumerate(moves))
    return GameRecord(size=size, to_play=first, moves=pairs, **fields)


GAMES = [
    game(1, komi=6.5, result="B+R", black_rank="9p", white_rank="7d", date="2011-05-06"),
    game(2, length=0, komi=0.0, result="0", rules="Chinese", date="1853"),
    game(
        3,
        first=WHITE,
        handicap=3,
        setup_black=(60, 72, 288),
        result="W+3.5",
        black_rank="ama",
        white_rank="Honinbo",
        date="1999-12",
    ),
    game(4, size=9, length=81, setup_black=(1,), setup_white=(3, 5), result="Void"),
    game(5, result="B+361.5", white_rank="9p"),
]


def write(path, games=None, source="one"):
    with ArchiveWriter(path) as writer:
        for record in GAMES if games is None else games:
            writer.add(record, source)
        return writer.commit()


def test_games_come_back(tmp_path):
    with ArchiveWriter(tmp_path / "a") as writer:
        for number, record in enumerate(GAMES):
            writer.add(record, ["pro", "kgs_6d"][number % 2])
        writer.commit({"made": "by a test"})
    archive = Archive.open(tmp_path / "a")
    assert len(archive) == len(GAMES)
    assert [archive.game(i) for i in range(len(GAMES))] == GAMES
    assert archive.sources == ["", "pro", "kgs_6d"]
    assert archive.ranks == ["", "9p", "7d", "ama", "Honinbo"]
    assert archive.rules == ["", "Chinese"]
    assert archive.games["year"].tolist() == [2011, 1853, 1999, 0, 0]
    assert archive.games["winner"].tolist() == [BLACK, 0, WHITE, 0, BLACK]
    assert archive.manifest["notes"] == {"made": "by a test"}
    archive.verify()


def test_games_lie_without_gaps_two_bytes_a_move(tmp_path):
    archive = write(tmp_path / "a")
    ends = archive.games["offset"] + archive.games["length"]
    assert archive.games["offset"].tolist() == [0, *ends[:-1].tolist()]
    assert ends[-1] == len(archive.moves)
    assert archive.moves.dtype == np.int16
    assert isinstance(archive.moves, np.memmap)
    assert GAME_DTYPE.itemsize <= 64


def test_an_empty_archive(tmp_path):
    archive = write(tmp_path / "a", [])
    assert len(archive) == 0
    assert archive.split("train").size == 0
    archive.verify()


def test_blocks_together_equal_single_games(tmp_path):
    one = write(tmp_path / "a")
    with ArchiveWriter(tmp_path / "b") as writer:
        writer.extend(Block.from_records(GAMES[:2], ["one", "one"]))
        writer.extend(Block.from_records(GAMES[2:], ["one"] * 3))
        two = writer.commit()
    assert one.digest == two.digest


def test_digest_changes_with_a_move(tmp_path):
    other = [*GAMES[:-1], replace(GAMES[-1], moves=(*GAMES[-1].moves[:-1], (WHITE, 7)))]
    assert write(tmp_path / "a").digest != write(tmp_path / "b", other).digest


def turned(record, symmetry):
    table = move_table(record.size)[symmetry]
    return replace(
        record,
        setup_black=tuple(sorted(int(table[move]) for move in record.setup_black)),
        setup_white=tuple(sorted(int(table[move]) for move in record.setup_white)),
        moves=tuple((colour, int(table[move])) for colour, move in record.moves),
    )


def digest(record):
    moves = [move for _, move in record.moves]
    return game_digest(record.size, record.to_play, record.setup_black, record.setup_white, moves)


@given(st.integers(0, 10**6), st.sampled_from([2, 9, 13, 19]), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_digest_is_blind_to_symmetry_only(seed, size, stones):
    record = game(seed, size=size, length=12)
    points = np.random.default_rng(seed).permutation(size * size)[:stones].tolist()
    record = replace(record, setup_black=tuple(points[:2]), setup_white=tuple(points[2:]))
    digests = {digest(turned(record, symmetry)) for symmetry in range(8)}
    assert digests == {digest(record)}
    passes = ((BLACK, size * size), (WHITE, size * size))
    assert digest(replace(record, moves=record.moves + passes)) == digest(record)
    played = (*record.moves, (BLACK, 0))
    assert digest(replace(record, moves=played)) != digest(record)


def test_digest_tells_apart_who_begins_and_set_up_stones():
    record = game(1)
    others = [
        digest(record),
        digest(replace(record, to_play=WHITE)),
        digest(replace(record, setup_black=(0,))),
        digest(replace(record, setup_white=(0,))),
        digest(replace(record, size=18, moves=())),
        digest(replace(record, moves=())),
    ]
    assert len(set(others)) == len(others)


def test_digests_are_the_same_for_ever():
    """Splits hang on these numbers: another value moves games from test to train."""
    moves = [72, 288, 60, 300, 361]
    assert game_digest(19, BLACK, (), (), moves) == 1995732555712821295
    assert game_digest(9, WHITE, (20, 60), (40,), [0, 1]) == 17721642280590210249


def test_splits_are_by_game_and_share_out_everything(tmp_path):
    archive = write(tmp_path / "a", [game(seed, length=3) for seed in range(600)])
    parts = [archive.split(name) for name in SPLITS]
    together = np.concatenate(parts)
    assert sorted(together.tolist()) == list(range(600))
    assert len(parts[0]) > 500
    assert len(parts[1]) > 0
    assert len(parts[2]) > 0
    shuffled = write(tmp_path / "b", [game(seed, length=3) for seed in reversed(range(600))])
    assert (599 - shuffled.split("test")[::-1]).tolist() == archive.split("test").tolist()
    with pytest.raises(ArchiveError, match="'dev' is not a split: use train, validation, test"):
        archive.split("dev")


def test_split_shares():
    digests = np.random.default_rng(0).integers(0, 2**63, 100_000).astype(np.uint64)
    shares = np.bincount(split_of(digests), minlength=3) / len(digests)
    assert np.abs(shares - [0.96, 0.02, 0.02]).max() < 0.003


def test_split_of_named_sources(tmp_path):
    with ArchiveWriter(tmp_path / "a") as writer:
        for seed in range(200):
            writer.add(game(seed, length=2), ["pro", "kgs"][seed % 2])
        archive = writer.commit()
    pro = archive.split("train", sources=["pro"])
    assert (pro % 2 == 0).all()
    both = archive.split("train", sources=["kgs", "pro"])
    assert both.tolist() == archive.split("train").tolist()
    with pytest.raises(ArchiveError, match="no source 'fox'"):
        archive.split("train", sources=["fox"])
    with pytest.raises(ArchiveError, match="no source ''"):
        archive.split("train", sources=[""])


def test_two_moves_in_a_row_are_refused(tmp_path):
    record = GameRecord(moves=((BLACK, 0), (BLACK, 1)))
    with ArchiveWriter(tmp_path / "a") as writer:
        with pytest.raises(ArchiveError, match="move 2 is the second in a row"):
            writer.add(record, "x")


def test_long_and_strange_values_are_stored_shortened(tmp_path):
    record = game(1, result="白中盘胜 by far", black_rank="x" * 40, rules="r" * 90, date="soon")
    stored = write(tmp_path / "a", [record]).game(0)
    assert stored.result == "???? by "
    assert stored.black_rank == "x" * 16
    assert stored.rules == "r" * 32
    assert stored.date is None
    assert stored.moves == record.moves


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2010-02-15", 20100215),
        ("2010-02-15,16", 20100215),
        ("2010/2/5", 20100205),
        ("1853", 18530000),
        ("1999-12", 19991200),
        ("2001-13-01", 20010000),
        ("2001-05-77", 20010500),
        ("20100215", 20100215),
        ("15.2.2010", 20100215),
        ("5.2.2010", 20100205),
        ("summer", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_dates(text, date):
    assert parse_date(text) == date


def test_leaving_by_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="stop"):
        with ArchiveWriter(tmp_path / "a") as writer:
            writer.add(GAMES[0], "x")
            raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_overwritten_unasked(tmp_path):
    before = write(tmp_path / "a").digest
    with pytest.raises(ArchiveError, match="exists: choose another name or use --overwrite"):
        ArchiveWriter(tmp_path / "a")
    with pytest.raises(RuntimeError):
        with ArchiveWriter(tmp_path / "a", overwrite=True) as writer:
            writer.add(GAMES[0], "x")
            raise RuntimeError("stop")
    assert Archive.open(tmp_path / "a").digest == before
    with ArchiveWriter(tmp_path / "a", overwrite=True) as writer:
        writer.add(GAMES[0], "x")
        writer.commit()
    assert len(Archive.open(tmp_path / "a")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_only_archives_are_overwritten(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(ArchiveError, match="not an archive"):
        ArchiveWriter(tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / "letter.txt").read_text() == "dear"


def test_leftovers_of_dead_writers_are_removed(tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = tmp_path / f".a.{child.stdout.strip()}.tmp"
    dead.mkdir()
    other = tmp_path / f".b.{child.stdout.strip()}.tmp"
    other.mkdir()
    write(tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a"]


def shorten(path):
    path.write_bytes(path.read_bytes()[:-2])


DAMAGE = {
    "no manifest": lambda a: (a / "manifest.json").unlink(),
    "no json": lambda a: (a / "manifest.json").write_text("{"),
    "manifest of nothing": lambda a: (a / "manifest.json").write_text("[]"),
    "manifest without counts": lambda a: (a / "manifest.json").write_text('{"version": 1}'),
    "no moves": lambda a: (a / "moves.npy").unlink(),
    "short moves": lambda a: shorten(a / "moves.npy"),
    "short games": lambda a: shorten(a / "games.npy"),
    "empty games": lambda a: (a / "games.npy").write_bytes(b""),
    "no array": lambda a: (a / "setup.npy").write_bytes(b"text"),
    "other dtype": lambda a: np.save(a / "games.npy", np.zeros(5)),
    "other length": lambda a: np.save(a / "moves.npy", np.zeros(3, np.int16)),
    "pickle": lambda a: np.save(a / "setup.npy", np.array([{}]), allow_pickle=True),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_the_remedy(tmp_path, name):
    archive = write(tmp_path / "a")
    path = archive.path
    del archive
    DAMAGE[name](path)
    with pytest.raises(ArchiveError, match="selfplay ingest"):
        Archive.open(path)


def test_another_version_is_refused(tmp_path):
    path = write(tmp_path / "a").path / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(manifest | {"version": ARCHIVE_VERSION + 1}))
    with pytest.raises(ArchiveError, match="has version 2, this program reads version 1: run"):
        Archive.open(path.parent)
    with ArchiveWriter(path.parent, overwrite=True) as writer:
        writer.commit()
    assert len(Archive.open(path.parent)) == 0


def test_verify_finds_a_changed_byte(tmp_path):
    path = write(tmp_path / "a").path
    data = bytearray((path / "moves.npy").read_bytes())
    data[-1] ^= 1
    (path / "moves.npy").write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        Archive.open(path).verify()


def test_a_subset_is_a_fair_sample_that_grows(tmp_path):
    with ArchiveWriter(tmp_path / "a") as writer:
        for seed in range(300):
            writer.add(game(seed, length=10 + seed % 7), ["pro", "kgs"][seed % 2])
        archive = writer.commit()
    small, big = choose_games(archive, limit=500), choose_games(archive, limit=1000)
    assert set(small.tolist()) < set(big.tolist())
    assert 470 < archive.games["length"][small].sum() <= 500
    assert 0.3 < (small % 2).mean() < 0.7
    pro = choose_games(archive, sources=["pro"])
    assert pro.tolist() == list(range(0, 300, 2))
    with ArchiveWriter(tmp_path / "b") as writer:
        writer.extend(archive.block(small))
        copy = writer.commit()
    assert [copy.game(i) for i in range(len(copy))] == [archive.game(int(i)) for i in small]
    names = [copy.sources[number] for number in copy.games["source"]]
    assert names == [["pro", "kgs"][i % 2] for i in small]
    copy.verify()


def test_reading_an_archive_imports_no_sgf_parser():
    code = "import sys, selfplay.archive.reader as _; loaded = sys.modules; "
    code += "print('sgfmill' in loaded, 'torch' in loaded)"
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert child.stdout.split() == ["False", "False"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ArchiveError, match=r"cannot write archive .*No space left.*make room"):
        write(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_whose_moves_are_to_be_learnt_travels_along(tmp_path):
    block = Block.from_records(GAMES, ["one"] * len(GAMES), [BLACK, WHITE, 3, BLACK, WHITE])
    with ArchiveWriter(tmp_path / "a") as writer:
        writer.extend(block)
        archive = writer.commit()
    archive.verify()
    assert archive.learn.tolist() == [BLACK, WHITE, 3, BLACK, WHITE]
    assert archive.digest != write(tmp_path / "b").digest
    assert not (tmp_path / "b" / "learn.npy").exists()
    assert archive.block(np.array([1, 3])).learn.tolist() == [WHITE, BLACK]
    np.save(tmp_path / "a" / "learn.npy", np.zeros(2, np.uint8))
    with pytest.raises(ArchiveError, match="do not fit each other"):
        Archive.open(tmp_path / "a")
