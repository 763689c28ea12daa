"""Small pictures in few files: MNIST's idx, CIFAR-10's batches, sheets of tiles."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.data.images.image_arrays import CIFAR10_CLASSES
from cnncore.data.images.image_data import ArrayPictures
from cnncore.data.images.image_samples import find_images, read_images
from cnncore.data.samples import DataError
from tests.helpers.image_files import LABELS, PIXELS, write_idx


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", PIXELS, pack=True)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", LABELS, pack=True)
    write_idx(tmp_path / "t10k-images.idx3-ubyte", PIXELS[:2])
    write_idx(tmp_path / "t10k-labels.idx1-ubyte", LABELS[:2])
    return tmp_path


def test_idx_files_are_read_packed_or_not(mnist: Path) -> None:
    assert list(find_images(mnist)) == ["train", "test"]
    data = read_images(mnist, "train")
    assert isinstance(data.pictures, ArrayPictures)
    assert np.array_equal(data.pictures.array[:, 0].numpy(), PIXELS)
    assert data.labels.tolist() == LABELS.tolist()
    assert data.classes == tuple("0123456789")
    assert len(read_images(mnist, "test")) == 2
    assert data.digest != read_images(mnist, "test").digest
    with pytest.raises(DataError, match="has train, test; to read one split, choose"):
        read_images(mnist)


def move(files: Path, folder: Path, prefix: str = "", test: str = "t10k") -> None:
    folder.mkdir(parents=True)
    for file in [file for file in files.iterdir() if file.is_file()]:
        file.rename(folder / f"{prefix}{file.name.replace('t10k', test)}")


@pytest.mark.parametrize("place", ["", "MNIST", "MNIST/raw"])
def test_idx_files_are_found_where_torchvision_keeps_them(place: str, mnist: Path) -> None:
    move(mnist, mnist / "MNIST" / "raw")
    (mnist / "MNIST" / "raw" / "._train-images-idx3-ubyte").write_bytes(b"\0\5\x16\7")
    data = read_images(mnist / place, "train")
    assert isinstance(data.pictures, ArrayPictures)
    assert np.array_equal(data.pictures.array[:, 0].numpy(), PIXELS)
    assert list(find_images(mnist / place)) == ["train", "test"]


def test_one_of_torchvisions_sets_must_be_named(mnist: Path) -> None:
    move(mnist, mnist / "KMNIST" / "raw")
    shutil.copytree(mnist / "KMNIST", mnist / "MNIST")
    with pytest.raises(DataError, match=r"several data sets \(KMNIST, MNIST\); give one, such as"):
        find_images(mnist)
    assert len(read_images(mnist / "MNIST", "train")) == 6


def test_emnists_names_are_known_and_its_pictures_stand_upright(mnist: Path) -> None:
    move(mnist, mnist / "raw", "emnist-letters-", "test")
    data = read_images(mnist, "train")
    assert isinstance(data.pictures, ArrayPictures)
    assert np.array_equal(data.pictures.array[:, 0].numpy(), PIXELS.transpose(0, 2, 1))
    assert data.labels.tolist() == LABELS.tolist()
    assert len(data.classes) == 27 and data.classes[:3] == ("N/A", "a", "b")
    assert len(read_images(mnist, "test")) == 2
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        source = mnist / "raw" / f"emnist-letters-{name}"
        shutil.copy(source, mnist / "raw" / f"emnist-byclass-{name}")
    message = r"several data sets \(emnist-byclass, emnist-letters\); give the path up to the name"
    with pytest.raises(DataError, match=message):
        find_images(mnist)
    other = read_images(mnist / "raw" / "emnist-byclass")
    assert len(other.classes) == 62 and other.classes[10] == "A" and len(other) == 6


def test_a_folder_named_as_the_file_in_it_is_that_file(mnist: Path) -> None:
    for file in [file for file in mnist.iterdir() if not file.name.endswith(".gz")]:
        file.rename(mnist / "moving")
        file.mkdir()
        (mnist / "moving").rename(file / file.name)
    assert len(read_images(mnist, "test")) == 2


def exchange(folder: Path) -> None:
    write_idx(folder / "train-images-idx3-ubyte.gz", LABELS)


def cut(folder: Path) -> None:
    whole = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    (folder / "train-images-idx3-ubyte.gz").write_bytes(whole[:-5])


def cut_gzip(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-50])


def other_count(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte.gz", LABELS[:4])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (exchange, "is not an idx file of bytes with 3 axes .* exchanged"),
        (cut, "announces 4,704 bytes and has 4,699; get it again"),
        (cut_gzip, "is a damaged gzip file"),
        (other_count, "has 6 pictures and .* 4 labels"),
    ],
)
def test_damaged_idx_files_are_named(
    damage: Callable[[Path], None], message: str, mnist: Path
) -> None:
    damage(mnist)
    with pytest.raises(DataError, match=message):
        read_images(mnist, "train")
    (mnist / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="but not the other of its two files"):
        find_images(mnist)


def cifar_rows() -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (4, 3072), np.uint8)


def test_cifar_batches_are_read_in_both_versions(tmp_path: Path) -> None:
    rows, labels = cifar_rows(), [6, 9, 9, 4]
    python, binary = tmp_path / "py", tmp_path / "bin"
    (python / "cifar-10-batches-py").mkdir(parents=True)
    binary.mkdir()
    for number in (1, 2):
        half = slice(2 * number - 2, 2 * number)
        content = {b"data": rows[half], b"labels": labels[half], b"batch_label": b"one"}
        file = python / "cifar-10-batches-py" / f"data_batch_{number}"
        file.write_bytes(pickle.dumps(content, protocol=2))
    records = np.concatenate([np.array(labels, np.uint8)[:, None], rows], axis=1)
    records.tofile(binary / "data_batch_1.bin")
    records[:1].tofile(binary / "test_batch.bin")
    one, other = read_images(python, "train"), read_images(binary, "train")
    assert one.classes == CIFAR10_CLASSES
    assert one.digest == other.digest
    assert one.labels.tolist() == labels
    red = torch.from_numpy(rows[2, :1024].reshape(32, 32))
    assert torch.equal(one.pictures.picture(2, channels=3)[0], red)
    assert list(find_images(binary)) == ["train", "test"]


def batch(keys: type, labels: list[int]) -> dict[object, object]:
    names = ("data", "labels", "filenames")
    data, label, files = (name.encode() if keys is bytes else name for name in names)
    return {data: cifar_rows(), label: labels, files: ["a.png"] * len(labels)}


@pytest.mark.parametrize("keys", [bytes, str])
@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("kind", [list, np.array, lambda labels: list(np.array(labels))])
def test_cifar_batches_written_anew_are_read(
    keys: type, protocol: int, kind: Callable[[list[int]], list[int]], tmp_path: Path
) -> None:
    content = pickle.dumps(batch(keys, kind([6, 9, 9, 4])), protocol=protocol)
    (tmp_path / "data_batch_1").write_bytes(content)
    data = read_images(tmp_path, "train")
    assert isinstance(data.pictures, ArrayPictures)
    assert np.array_equal(data.pictures.array.flatten(1).numpy(), cifar_rows())
    assert data.labels.tolist() == [6, 9, 9, 4]


@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("whole", [True, False])
def test_cifar_is_read_as_it_is_downloaded(version: str, whole: bool, tmp_path: Path) -> None:
    archive = tmp_path / f"cifar-10-{version}.tar.gz"
    rows = np.concatenate([np.array([[6], [9], [9], [4]], np.uint8), cifar_rows()], axis=1)
    content = pickle.dumps(batch(bytes, [6, 9, 9, 4])) if version == "python" else rows.tobytes()
    with tarfile.open(archive, "w:gz") as file:
        for name in ("data_batch_1", "._data_batch_2", "test_batch", "batches.meta"):
            end = ".bin" if version == "binary" else ""
            member = tarfile.TarInfo(f"cifar-10-batches/{name}{end}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    data = read_images(archive if whole else tmp_path, "train")
    assert isinstance(data.pictures, ArrayPictures)
    assert np.array_equal(data.pictures.array.flatten(1).numpy(), cifar_rows())
    assert data.labels.tolist() == [6, 9, 9, 4]
    assert list(find_images(archive)) == ["train", "test"]
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"\.tar\.gz is damaged or not a tar"):
        find_images(archive)


def test_other_archives_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "photos.tar", "w") as file:
        file.addfile(tarfile.TarInfo("cats/1.jpg"))
    with pytest.raises(DataError, match=r"photos\.tar does not hold CIFAR-10's batches.*unpack it"):
        find_images(tmp_path / "photos.tar")


def test_labels_beyond_the_classes_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(batch(str, [6, 9, 9, 10])))
    with pytest.raises(
        DataError, match=r"labels in .*data_batch_1 reach from 6 to 10 and there are"
    ):
        read_images(tmp_path)


class Evil:
    """An object whose unpickling would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_pickles_run_nothing(tmp_path: Path) -> None:
    file = tmp_path / "data_batch_1"
    file.write_bytes(pickle.dumps({b"data": Evil(tmp_path / "made"), b"labels": []}))
    with pytest.raises(DataError, match=r"holds more than arrays \(it names posix.mkdir\)"):
        read_images(tmp_path)
    assert not (tmp_path / "made").exists()
    for damaged in (b"cut", pickle.dumps(b"\xff", protocol=2).replace(b"latin1", b"latin_")):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match="data_batch_1 is"):
            read_images(tmp_path)
    file.write_bytes(pickle.dumps({b"data": np.zeros((2, 9), np.uint8), b"labels": [1, 2]}))
    with pytest.raises(DataError, match=r"expected uint8 \(2, 3072\)"):
        read_images(tmp_path)
    file.rename(tmp_path / "data_batch_1.bin")
    with pytest.raises(DataError, match="no multiple of 3073"):
        read_images(tmp_path)


def test_tile_sheets_are_cut_row_by_row(tmp_path: Path) -> None:
    sheet = np.zeros((8, 12, 3), np.uint8)
    for number in range(6):
        sheet[number // 3 * 4 :, number % 3 * 4 :][:4, :4] = number
    Image.fromarray(sheet).save(tmp_path / "sheet.png")
    (tmp_path / "sheet.labels.txt").write_text("b\na\nb\nc\na\na\n")
    data = read_images(tmp_path)
    assert (data.classes, data.labels.tolist()) == (("a", "b", "c"), [1, 0, 1, 2, 0, 0])
    values = [data.pictures.picture(i, channels=3).unique().tolist() for i in range(6)]
    assert values == [[i] for i in range(6)]
    assert read_images(tmp_path / "sheet.png").digest == data.digest
    (tmp_path / "sheet.labels.txt").write_text("0\n1\n2\n3\n4\n")
    with pytest.raises(DataError, match=r"sheet.png, 12x8, cannot be cut into 5 square tiles"):
        read_images(tmp_path)
