"""A packed archive comes back to the last bit, with its ownership, or one sentence says why not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goengine import BLACK, WHITE
from selfplay.__main__ import main
from selfplay.archive.game_blocks import Block
from selfplay.archive.reader import Archive, ArchiveError
from selfplay.archive.writer import ArchiveWriter
from selfplay.labelling.owners_file import Ownership, owners_path, read_ownership, write_ownership
from selfplay.training.travel import archive_file
from selfplay.training.travel.archive_file import pack_archive, packed_digest, unpack_archive
from tests.helpers.small_archive import make_archive, random_game


def facts(number: int) -> dict[str, Any]:
    return {
        "komi": (None, 7.5, 6.5, 0.5)[number % 4],
        "result": ("B+R", "W+3.5", "0", "B+12")[number % 4],
        "rules": ("Chinese", None)[number % 2],
        "black_rank": ("9p", "6d", None)[number % 3],
        "date": f"20{number % 25:02d}-03-0{1 + number % 9}",
    }


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive of several chunks of moves, whose ownership is known of every other game."""
    monkeypatch.setattr(archive_file, "MOVES_A_CHUNK", 500)
    made = make_archive(tmp_path / "archive", games=60, facts=facts)
    rng = np.random.default_rng(0)
    games = range(0, 60, 2)
    found = [(game, rng.integers(-1, 2, size=361).astype(np.int8)) for game in games]
    write_ownership(owners_path(made.path), Ownership.of(made.digest, found))
    return made


def same(one: Archive, other: Archive) -> None:
    for name in ("games", "moves", "setup", "learn"):
        mine, theirs = vars(one)[name], vars(other)[name]
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes(), name
    assert one.manifest == other.manifest
    assert list(one.games["result"]) == list(other.games["result"])


def test_an_archive_comes_back_whole(archive: Archive, tmp_path: Path) -> None:
    sizes = pack_archive(archive, tmp_path / "file")
    back = unpack_archive(tmp_path / "file", tmp_path / "back")
    same(archive, back)
    back.verify()
    assert packed_digest(tmp_path / "file") == archive.digest
    mine, theirs = (read_ownership(owners_path(a.path), a) for a in (archive, back))
    assert np.array_equal(mine.games, theirs.games)
    assert np.array_equal(mine.owners, theirs.owners)
    assert (sizes.games, sizes.positions, sizes.owned) == (60, len(archive.moves), 30)
    assert 0 < sizes.game_bytes + sizes.owner_bytes < (tmp_path / "file").stat().st_size


def test_small_boards_and_chosen_players_come_back_too(tmp_path: Path) -> None:
    game = random_game(np.random.default_rng(3), length=30)
    small = replace(game, size=9, moves=((BLACK, 4), (WHITE, 80), (BLACK, 81)), setup_black=(1,))
    with ArchiveWriter(tmp_path / "archive") as writer:
        writer.extend(Block.from_records([game, small], ["a", "b"], learn=[BLACK, WHITE]))
        archive = writer.commit({"made": "by hand"})
    pack_archive(archive, tmp_path / "file")
    back = unpack_archive(tmp_path / "file", tmp_path / "back")
    same(archive, back)
    assert back.game(1) == archive.game(1)
    assert not owners_path(back.path).exists()


def test_a_packed_archive_is_the_same_file_every_time(archive: Archive, tmp_path: Path) -> None:
    pack_archive(archive, tmp_path / "one")
    pack_archive(archive, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_byte_changed_anywhere_is_noticed(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "file"
    pack_archive(archive, file)
    whole = file.read_bytes()
    rng = np.random.default_rng(1)
    noticed = 0
    for place in rng.choice(len(whole), size=60, replace=False).tolist():
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        back = tmp_path / f"back-{place}"
        try:
            same(archive, unpack_archive(file, back))  # a date or an attribute of the zip file
        except ArchiveError as error:
            noticed += 1
            assert "\n" not in str(error)
            assert "pack" in str(error)
            assert not back.exists()
    assert noticed > 30


@pytest.mark.parametrize("left", [0, 10, 1000])
def test_a_file_cut_short_is_one_sentence(
    archive: Archive, tmp_path: Path, left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    pack_archive(archive, file)
    file.write_bytes(file.read_bytes()[:left])
    assert main(["unpack", str(file), "--out", str(tmp_path / "back")]) != 0
    told = capsys.readouterr().err
    assert told == (
        f"selfplay unpack: {file} is not a packed archive, or is cut short: make one with "
        "`selfplay pack`\n"
    )
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("left", [10, 1000])
def test_a_lease_with_a_file_cut_short_says_what_to_copy(
    archive: Archive, tmp_path: Path, left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    pack_archive(archive, file)
    file.write_bytes(file.read_bytes()[:left])
    words = ["lease", "dual-96", "--data", str(file), "--out", str(tmp_path / "out")]
    assert main([*words, "--minutes", "5", "--device", "cpu"]) != 0
    told = capsys.readouterr().err
    assert f"{file} is damaged" in told and "copy it again" in told and "ingest" not in told


def test_another_version_and_other_zip_files_are_named(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "file"
    pack_archive(archive, file)
    file.write_bytes(file.read_bytes().replace(b'{"version": 1', b'{"version": 9'))
    with pytest.raises(ArchiveError, match="damaged"):  # the zip file has a checksum of it
        unpack_archive(file, tmp_path / "back")
    with pytest.raises(ArchiveError, match="no file"):
        unpack_archive(tmp_path / "absent", tmp_path / "back")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ArchiveError, match="is not a packed archive"):
        unpack_archive(tmp_path / "other.npz", tmp_path / "back")


def test_the_commands_tell_sizes_and_keep_what_is_there(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, back = tmp_path / "file", tmp_path / "back"
    assert main(["pack", str(archive.path), "--out", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"{len(archive.moves):,} positions of 60 games" in told
    assert "ownership of 30 games" in told
    assert main(["pack", str(archive.path), "--out", str(file)]) == 2
    assert main(["pack", str(archive.path), "--out", str(file), "--overwrite"]) == 0
    assert main(["unpack", str(file), "--out", str(back)]) == 0
    assert main(["unpack", str(file), "--out", str(back)]) != 0
    assert "exists: give another folder" in capsys.readouterr().err
    assert json.loads((back / "manifest.json").read_text("utf-8"))["digest"] == archive.digest
