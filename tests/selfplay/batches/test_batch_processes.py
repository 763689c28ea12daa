"""Batches of processes: the same bits in the same order, whatever happens to the processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from selfplay.archive.reader import Archive
from selfplay.batches.batch_processes import BatchProcesses, LoaderError
from selfplay.batches.labelled import LabelledMix
from selfplay.batches.labels import Labels
from selfplay.batches.positions import PackedBatch, Positions
from selfplay.batches.size_mix import SizeMix
from selfplay.batches.streaming import stream_batches
from selfplay.labelling.owners_file import owners_path, read_ownership
from tests.helpers.judged_games import judged_archive, label_at_random
from tests.helpers.small_archive import make_archive

FIELDS = ("bits", "moves", "symmetries", "games", "plies", "known")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("data") / "archive")


def numbered(size: int, *, number: int) -> tuple[int, np.ndarray]:
    """Make a batch that shows its number and is larger the higher that is."""
    if number == 13:
        raise ValueError("thirteen is not made")
    return number, np.full(size * (1 + number % 3), number, dtype=np.int64)


def deadly(*, number: int) -> int:
    os._exit(3)


def running(source: BatchProcesses[object]) -> list[int]:
    return [worker.process.pid for worker in source._workers if worker.process.pid]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("first", [0, 5])
def test_a_batch_is_the_same_for_any_number_of_workers(
    archive: Archive, workers: int, first: int
) -> None:
    positions = Positions(archive, "train", future=2)
    stream = positions.stream(8, seed=3, prepare=lambda b: b, first=first, workers=workers)
    with closing(stream):
        for number in range(first, first + 6):
            batch = next(stream)
            expected = positions.random_batch(8, seed=3, number=number)
            assert isinstance(batch, PackedBatch)
            for name in FIELDS:
                mine, theirs = getattr(batch, name), getattr(expected, name)
                assert mine.dtype == theirs.dtype
                assert np.array_equal(mine, theirs), name


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> LabelledMix:
    """Positions of two board sizes with labels."""
    archive = judged_archive(tmp_path_factory.mktemp("judged") / "archive", sizes=(9, 19))
    label_at_random(archive)
    labels = Labels(archive, read_ownership(owners_path(archive.path), archive))
    sizes = {Positions(archive, "train", size=size): 1.0 for size in (9, 19)}
    return LabelledMix(SizeMix(sizes), [labels])


def test_labels_and_boards_of_several_sizes_are_the_same_too(mix: LabelledMix) -> None:
    stream = mix.stream(8, seed=3, prepare=lambda batch: batch, workers=2)
    sizes = set()
    with closing(stream):
        for number in range(8):
            batch, expected = next(stream), mix.random_batch(8, seed=3, number=number)
            sizes.add(batch.packed.bits.shape[1])
            assert np.array_equal(batch.totals, expected.totals)
            for part in ("packed", "labels"):
                mine, theirs = vars(vars(batch)[part]), vars(vars(expected)[part])
                assert mine.keys() == theirs.keys()
                assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert sizes == {81, 361}


class _WithoutTorch:
    """Makes batches and tells whether torch was needed for that."""

    def __init__(self, mix: LabelledMix) -> None:
        self.mix = mix

    def __call__(self, *, number: int) -> bool:
        self.mix.random_batch(4, seed=0, number=number)
        return "torch" not in sys.modules


def test_processes_that_make_batches_do_without_torch(mix: LabelledMix) -> None:
    with closing(BatchProcesses(_WithoutTorch(mix), True, 0, 1, 1)) as source:
        assert source.take(number=0)


def test_other_processes_see_the_same_splits(archive: Archive) -> None:
    twin = archive.with_held_out(validation=9, test=11)
    with closing(BatchProcesses(_Splits(twin), None, 0, 1, 2)) as source:
        assert source.take(number=0) == [9, 11] == [len(twin.split(n)) for n in _Splits.names]


class _Splits:
    """Tells how many games the splits of an archive have."""

    names = ("validation", "test")

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def __call__(self, *, number: int) -> list[int]:
        return [len(self.archive.split(name)) for name in self.names]


def test_a_batch_stays_what_it_is_while_its_slot_is_used_again() -> None:
    make = partial(numbered, 100)
    with closing(BatchProcesses(make, make(number=2), 0, 2, 1)) as source:
        batches = [source.take(number=number) for number in range(12)]
    for number, (told, values) in enumerate(batches):
        assert told == number
        assert np.array_equal(values, numbered(100, number=number)[1])


def test_a_batch_larger_than_the_example_arrives() -> None:
    with closing(BatchProcesses(partial(numbered, 9999), (0, np.zeros(1)), 1, 1, 1)) as source:
        assert source.take(number=1)[1].tolist() == [1] * 19998


def test_an_error_in_a_process_is_raised_here() -> None:
    make = partial(numbered, 4)
    with closing(BatchProcesses(make, make(number=2), 12, 2, 2)) as source:
        assert source.take(number=12)[0] == 12
        with pytest.raises(ValueError, match="thirteen is not made"):
            source.take(number=13)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_killed_process_is_replaced_by_the_others(caplog: pytest.LogCaptureFixture) -> None:
    make = partial(numbered, 4)
    with closing(BatchProcesses(make, make(number=2), 14, 3, 4)) as source:
        assert source.take(number=14)[0] == 14
        for pid in running(source)[:2]:
            os.kill(pid, signal.SIGKILL)
        assert [source.take(number=number)[0] for number in range(15, 60)] == list(range(15, 60))
        assert len(running(source)) == 1
    assert caplog.text.count("exit status -9") == 2


def test_the_end_of_all_processes_is_an_error_and_not_a_wait() -> None:
    with closing(BatchProcesses(deadly, 0, 0, 2, 2)) as source:
        with pytest.raises(LoaderError, match=r"exit status 3.*fewer --workers"):
            source.take(number=0)


def test_closing_a_stream_ends_its_processes() -> None:
    make = partial(numbered, 4)
    stream = stream_batches(
        make, example=partial(numbered, 12), prepare=lambda b: b, first=14, workers=2
    )
    assert next(stream)[0] == 14
    assert len(multiprocessing.active_children()) == 2
    stream.close()
    assert not multiprocessing.active_children()


PROGRAM = """
import sys, time
from functools import partial
from tests.selfplay.batches.test_batch_processes import numbered
from selfplay.batches.streaming import stream_batches
if __name__ == "__main__":
    stream = stream_batches(
        partial(numbered, 1000), example=partial(numbered, 3000), prepare=lambda b: b, first=14,
        workers=2,
    )
    next(stream)
    from multiprocessing import active_children
    print(*[child.pid for child in active_children()], flush=True)
    {then}
"""


def _started(tmp_path: Path, then: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Return a program that has loader processes, and their numbers."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(then=then), encoding="utf-8")
    program = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert program.stdout is not None
    return program, [int(word) for word in program.stdout.readline().split()]


def _shared() -> set[Path]:
    """Return the files of memory that Python's processes share."""
    return {path for path in Path("/dev/shm").glob("*") if path.name.startswith(("pym", "psm"))}


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
@pytest.mark.parametrize("then", ["time.sleep(60)", "sys.exit(0)"])
def test_no_process_and_no_memory_outlives_the_program(tmp_path: Path, then: str) -> None:
    before = _shared()
    program, children = _started(tmp_path, then)
    assert len(children) == 2
    if "sleep" in then:
        program.kill()  # it has no time to tidy up
    _, errors = program.communicate(timeout=30)
    deadline = time.monotonic() + 20
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_alive, children))
    assert not errors
    assert _shared() <= before
