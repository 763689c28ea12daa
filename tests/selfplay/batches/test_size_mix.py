"""Positions of small boards, and batches of several sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnncore.data.samples import DataError
from goengine.board import Board
from goengine.encoding.features import encode
from goengine.encoding.symmetry import move_table, transform_planes
from goengine.games.record import GameRecord
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.labelled import LabelledMix, stage_lesson
from selfplay.batches.packing import stage, unpack
from selfplay.batches.positions import Positions
from selfplay.batches.size_mix import SizeMix


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    rng = np.random.default_rng(3)
    with ArchiveWriter(tmp_path_factory.mktemp("sizes") / "a") as writer:
        for size in (5, 7, 19):
            for _ in range(12):
                board, moves = Board(size), []
                for _ in range(15):
                    move = int(rng.choice(np.flatnonzero(board.sensible())))
                    moves.append((board.to_play, move))
                    board.play(move)
                writer.add(GameRecord(size=size, moves=tuple(moves)), "some")
        return writer.commit()


def test_batches_of_a_small_board_are_its_positions_turned(archive: Archive) -> None:
    positions = Positions(archive, "train", size=7)
    batch = positions.random_batch(40, seed=1, number=2)
    planes, moves = unpack(stage(batch))
    assert planes.shape == (40, 48, 7, 7) and set(archive.games["size"][batch.games]) == {7}
    for row in range(40):
        game, ply = int(batch.games[row]), int(batch.plies[row])
        board = archive.game(game).board_at(ply)
        turn = int(batch.symmetries[row])
        assert (planes[row].numpy() == transform_planes(encode(board), turn)).all()
        played = archive.game(game).moves[ply][1]
        assert int(moves[row, 0]) == move_table(7)[turn, played]


def test_each_batch_has_one_size_by_its_share(archive: Archive) -> None:
    sizes = {size: Positions(archive, "train", size=size) for size in (5, 7, 19)}
    mix = SizeMix({sizes[5]: 1.0, sizes[7]: 3.0, sizes[19]: 6.0})
    picked = [mix.pick(seed=4, number=number).size for number in range(1000)]
    assert np.abs(np.bincount(picked)[[5, 7, 19]] / 1000 - [0.1, 0.3, 0.6]).max() < 0.05
    unlabelled = LabelledMix(mix)
    stream = unlabelled.stream(8, seed=4, prepare=stage_lesson, first=3, workers=2)
    for number in range(3, 12):
        lesson = next(stream)
        batch = lesson.positions
        assert batch.bits.shape == (8, picked[number] ** 2, 6)
        again = stage_lesson(unlabelled.random_batch(8, seed=4, number=number)).positions
        assert torch.equal(batch.bits, again.bits) and torch.equal(batch.moves, again.moves)
        assert not lesson.owned.any() and not lesson.taught.any(), "the records have no results"
    stream.close()


def test_mixes_that_make_no_sense_are_refused(archive: Archive) -> None:
    one, other = (Positions(archive, "train", size=5) for _ in range(2))
    with pytest.raises(DataError, match="each size once"):
        SizeMix({one: 1.0, other: 1.0})
    with pytest.raises(DataError, match="above 0"):
        SizeMix({one: 0.0})
    with pytest.raises(DataError, match="no 9x9 train games"):
        Positions(archive, "train", size=9)
