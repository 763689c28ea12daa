"""Archive to batches: the right planes, the right moves, the same batch for the same number."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goengine import encode
from goengine.symmetry import move_table, transform_planes
from selfplay.archive import Archive
from selfplay.positions import NO_MOVE, DataError, Positions
from tests.small_archive import make_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("positions") / "archive")


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


def test_symmetries_turn_planes_and_moves_alike(archive: Archive) -> None:
    positions = Positions(archive, "train", future=1)
    games, plies = positions.draw(16, np.random.default_rng(2))
    plain = positions.batch(games, plies)
    for s in range(8):
        turned = positions.batch(games, plies, symmetries=np.full(16, s))
        assert np.array_equal(turned.planes, transform_planes(plain.planes, s))
        known = plain.moves != NO_MOVE
        assert np.array_equal(turned.moves[known], move_table(19)[s, plain.moves[known]])
        assert (turned.moves[~known] == NO_MOVE).all()


def test_every_symmetry_is_drawn(archive: Archive) -> None:
    positions = Positions(archive, "train")
    batch = positions.random_batch(200, seed=3, number=0)
    plain = positions.batch(batch.games, batch.plies).planes
    seen = set()
    for turned, original in zip(batch.planes, plain, strict=True):
        fits = [s for s in range(8) if np.array_equal(turned, transform_planes(original, s))]
        assert fits
        seen.update(fits if len(fits) == 1 else [])
    assert seen == set(range(8))


def test_a_batch_is_a_function_of_seed_and_number(archive: Archive) -> None:
    positions = Positions(archive, "train")
    stream = positions.stream(8, seed=5, first=0, workers=3)
    whole = [next(stream) for _ in range(6)]
    stream.close()
    resumed = positions.stream(8, seed=5, first=4, workers=1)
    for expected in whole[4:]:
        again = next(resumed)
        assert np.array_equal(again.planes, expected.planes)
        assert np.array_equal(again.moves, expected.moves)
    resumed.close()
    assert len({batch.planes.tobytes() for batch in whole}) == 6
    other = positions.random_batch(8, seed=6, number=0)
    assert not np.array_equal(other.planes, whole[0].planes)


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


def test_the_training_path_needs_no_sgf_parser() -> None:
    code = (
        "import sys; sys.modules['sgfmill'] = None; import selfplay.supervised, "
        "selfplay.evaluation; print('ready')"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ready\n"
