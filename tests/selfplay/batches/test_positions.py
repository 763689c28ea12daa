"""Archive to batches: the right planes, the right moves, the same batch for the same number."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cnncore.data.samples import DataError
from goengine import BLACK, GameRecord, encode
from goengine.encoding.symmetry import SYMMETRIES, move_table, transform_planes
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.packing import stage, unpack
from selfplay.batches.positions import NO_MOVE, PackedBatch, Positions
from tests.helpers.small_archive import make_archive, random_game


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("positions") / "archive")


def unpacked(batch: PackedBatch) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the planes and moves that the network sees."""
    planes, moves = unpack(stage(batch))
    return planes.numpy(), moves.numpy()


def test_planes_and_moves_are_those_of_the_game(archive: Archive) -> None:
    positions = Positions(archive, "train", future=2)
    games, plies = positions.draw(60, np.random.default_rng(1))
    batch = positions.batch(games, plies)
    assert batch.planes.shape == (60, 48, 19, 19) and batch.planes.dtype == np.uint8
    for i, (game, ply) in enumerate(zip(games, plies, strict=True)):
        record = archive.game(int(game))
        board, move = next(itertools.islice(record.positions(), int(ply), None))
        assert np.array_equal(batch.planes[i], encode(board))
        following = [m if m < 361 else NO_MOVE for _, m in record.moves[ply : ply + 3]]
        assert batch.moves[i].tolist() == following + [NO_MOVE] * (3 - len(following))
        assert batch.moves[i, 0] == move != NO_MOVE


def test_packed_positions_are_the_plain_ones_turned(archive: Archive) -> None:
    positions = Positions(archive, "train", future=1)
    games, plies = positions.draw(16, np.random.default_rng(2))
    plain = positions.batch(games, plies)
    known = plain.moves != NO_MOVE
    for s in range(SYMMETRIES):
        packed = positions.packed(games, plies, symmetries=np.full(16, s))
        assert packed.bits.shape == (16, 361, 6) and packed.bits.dtype == np.uint8
        assert packed.known.tolist() == known.sum(0).tolist()
        planes, moves = unpacked(packed)
        assert planes.dtype == np.uint8
        assert np.array_equal(planes, transform_planes(plain.planes, s))
        assert np.array_equal(moves[known], move_table(19)[s, plain.moves[known]])
        assert (moves[~known] == NO_MOVE).all()
    assert np.array_equal(unpacked(positions.packed(games, plies))[0], plain.planes)


def test_a_mixed_batch_turns_every_position_by_its_own_symmetry(archive: Archive) -> None:
    positions = Positions(archive, "train")
    batch = positions.random_batch(64, seed=3, number=0)
    plain = positions.batch(batch.games, batch.plies)
    planes, moves = unpacked(batch)
    assert set(batch.symmetries.tolist()) == set(range(SYMMETRIES))
    for i, s in enumerate(batch.symmetries.tolist()):
        assert np.array_equal(planes[i], transform_planes(plain.planes[i], s))
        assert moves[i, 0] == move_table(19)[s, plain.moves[i, 0]]


def test_unpacked_planes_lie_as_convolutions_want_them(archive: Archive) -> None:
    batch = Positions(archive, "train").random_batch(4, seed=1, number=0)
    planes, _ = unpack(stage(batch))
    assert planes.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_unpacking_on_a_gpu_gives_the_same_and_waits_for_nobody(archive: Archive) -> None:
    batch = Positions(archive, "train", future=1).random_batch(64, seed=3, number=0)
    device = torch.device("cuda")
    unpack(stage(batch, pinned=True).to(device))
    staged = stage(batch, pinned=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        planes, moves = unpack(staged.to(device))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    expected = unpacked(batch)
    assert np.array_equal(planes.cpu().numpy(), expected[0])
    assert np.array_equal(moves.cpu().numpy(), expected[1])


def test_parts_of_a_batch_make_it_up_without_overlap(archive: Archive) -> None:
    positions = Positions(archive, "train", future=2)
    whole = positions.random_batch(10, seed=4, number=7)
    parts = [positions.random_batch(10, seed=4, number=7, part=r, parts=3) for r in range(3)]
    for r, part in enumerate(parts):
        for name in ("bits", "moves", "symmetries", "games", "plies"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[r::3])
        assert np.array_equal(part.known, whole.known)
    assert sum(len(part) for part in parts) == len(whole) == 10


def test_a_batch_is_a_function_of_seed_and_number(archive: Archive) -> None:
    positions = Positions(archive, "train")
    stream = positions.stream(8, seed=5, prepare=stage, workers=3)
    whole = [next(stream) for _ in range(6)]
    stream.close()
    resumed = positions.stream(8, seed=5, prepare=stage, first=4, workers=1)
    for expected in whole[4:]:
        again = next(resumed)
        assert torch.equal(again.bits, expected.bits)
        assert torch.equal(again.symmetries, expected.symmetries)
        assert torch.equal(again.moves, expected.moves)
    resumed.close()
    assert len({batch.bits.numpy().tobytes() for batch in whole}) == 6
    other = stage(positions.random_batch(8, seed=6, number=0))
    assert not torch.equal(other.bits, whole[0].bits)


def test_every_position_is_drawn_alike_and_no_pass(archive: Archive) -> None:
    positions = Positions(archive, "validation")
    wanted = {
        (int(game), ply)
        for game in archive.split("validation")
        for ply, (_, move) in enumerate(archive.game(int(game)).moves)
        if move != 361
    }
    games, plies = positions.draw(60 * len(wanted), np.random.default_rng(8))
    drawn: dict[tuple[int, int], int] = {}
    for pair in zip(games.tolist(), plies.tolist(), strict=True):
        drawn[pair] = drawn.get(pair, 0) + 1
    assert drawn.keys() == wanted
    assert 25 < min(drawn.values()) and max(drawn.values()) < 110


def test_sources_are_drawn_by_weight(archive: Archive) -> None:
    positions = Positions(archive, "train", weights={"even": 0.2, "handicap": 0.8})
    games, _ = positions.draw(4000, np.random.default_rng(9))
    sources = np.array(archive.sources)[archive.games["source"][games]]
    assert abs((sources == "handicap").mean() - 0.8) < 0.03
    only = Positions(archive, "train", weights={"even": 1.0, "handicap": 0.0})
    games, _ = only.draw(500, np.random.default_rng(9))
    assert set(np.array(archive.sources)[archive.games["source"][games]]) == {"even"}


def test_splits_share_no_game(archive: Archive) -> None:
    seen = {}
    for split in ("train", "validation", "test"):
        games, _ = Positions(archive, split).draw(3000, np.random.default_rng(4))
        seen[split] = set(games.tolist())
    assert not seen["train"] & seen["validation"] and not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


def test_what_cannot_be_drawn_from_is_refused(archive: Archive) -> None:
    with pytest.raises(DataError, match="no source 'kgs'"):
        Positions(archive, "train", weights={"kgs": 1.0})
    with pytest.raises(DataError, match="no 19x19 train games"):
        Positions(archive, "train", weights={"even": 0.0})


def test_games_of_passes_alone_are_not_drawn_from(tmp_path: Path) -> None:
    passes = GameRecord(moves=tuple((BLACK + i % 2, 361) for i in range(30)))
    rng = np.random.default_rng(1)
    with ArchiveWriter(tmp_path / "passes") as writer:
        writer.add(passes, "bored")
        bored = writer.commit()
    with pytest.raises(DataError, match="with a move to learn; its sources are bored"):
        Positions(bored, "train")
    with ArchiveWriter(tmp_path / "both") as writer:
        for number in range(100):
            writer.add(passes if number % 2 else random_game(rng, length=9), "ab"[number % 2])
        both = writer.commit()
    positions = Positions(both, "train", weights={"a": 1.0, "b": 1.0})
    assert positions.sources == ["a"]
    games, _ = positions.draw(20, rng)
    assert set(both.games["source"][games]) == {both.sources.index("a")}


def test_the_training_path_needs_no_sgf_parser() -> None:
    code = (
        "import sys; sys.modules['sgfmill'] = None; import selfplay.commands.train, "
        "selfplay.commands.evaluate; print('ready')"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ready\n"
