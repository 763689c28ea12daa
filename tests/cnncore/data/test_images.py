"""cnncore.data.images: readers of every kind of image data, and what they say of damaged ones."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.data.images.image_arrays import CIFAR10_CLASSES
from cnncore.data.images.image_data import ArrayPictures
from cnncore.data.images.image_samples import Augmentation, ImageSamples, find_images, read_images
from cnncore.data.samples import DataError, epoch_batches, hold_out
from cnncore.models.classifier import Preset

PIXELS = np.random.default_rng(7).integers(0, 256, (6, 28, 28), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)
SMALL = Preset((3, 8, 8), 8, (0.0,) * 3, (1.0,) * 3)


def write_idx(path: Path, array: np.ndarray, *, pack: bool = False) -> None:
    head = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    content = head + array.tobytes()
    path.write_bytes(gzip.compress(content) if pack else content)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", PIXELS, pack=True)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", LABELS, pack=True)
    write_idx(tmp_path / "t10k-images.idx3-ubyte", PIXELS[:2])
    write_idx(tmp_path / "t10k-labels.idx1-ubyte", LABELS[:2])
    return tmp_path


def write_photo(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for split, count in (("train", 3), ("val", 2)):
        for number in range(count):
            write_photo(tmp_path / split / "red" / f"{number}.png", (200 + number, 0, 0))
            write_photo(tmp_path / split / "blue" / f"{number}.png", (0, 0, 200 + number))
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


def test_folders_of_classes_have_splits_or_none(photos: Path) -> None:
    assert sorted(find_images(photos)) == ["train", "val"]
    data = read_images(photos, "val")
    assert (data.classes, data.labels.tolist()) == (("blue", "red"), [0, 0, 1, 1])
    assert data.pictures.picture(3, channels=3)[:, 0, 0].tolist() == [201, 0, 0]
    assert list(find_images(photos / "train")) == ["all"]
    (photos / "train" / "blue" / "notes.txt").write_text("no picture")
    assert len(read_images(photos / "train")) == 6
    write_photo(photos / "stray.png", (0, 0, 0))
    with pytest.raises(DataError, match=r"stray.png in .* lies in no class's folder"):
        find_images(photos)


def test_linked_folders_are_read_and_circles_are_not(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    for name in ("red", "blue"):
        (tmp_path / "links" / name).symlink_to(photos / "train" / name)
    (tmp_path / "links" / "red" / "again").symlink_to(tmp_path / "links")
    data = read_images(tmp_path / "links")
    assert (len(data), data.classes) == (6, ("blue", "red"))


def test_a_zip_reads_as_the_folder_in_it(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for photo in sorted((photos / "train").rglob("*.png")):
            file.write(photo, f"set/{photo.relative_to(photos / 'train')}")
    packed, plain = read_images(archive), read_images(photos / "train")
    assert packed.classes == plain.classes
    samples = [ImageSamples(data, SMALL).batch(torch.arange(6)) for data in (packed, plain)]
    assert torch.equal(*samples)
    archive.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"photos.zip is damaged or not a zip"):
        read_images(archive)


HIDDEN = (
    ".ipynb_checkpoints/0.png",
    ".stray.png",
    "._0.png",
    "__MACOSX/red/._0.png",
    "train/.cache/0.png",
    "train/red/._0.png",
    "train/red/.thumbnails/0.png",
    "val/@eaDir/0.png",
)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_folders_and_files_are_not_looked_at(
    name: str, packed: bool, photos: Path, tmp_path: Path
) -> None:
    write_photo(photos / name, (1, 2, 3))
    path = photos
    if packed:
        path = tmp_path / "photos.zip"
        with zipfile.ZipFile(path, "w") as file:
            for photo in photos.rglob("*.png"):
                file.write(photo, photo.relative_to(photos))
    counts = {split: len(read_images(path, split)) for split in find_images(path)}
    assert counts == {"train": 6, "val": 4}
    assert read_images(path, "val").classes == ("blue", "red")


def test_data_below_a_hidden_folder_are_read(photos: Path, tmp_path: Path) -> None:
    photos = photos.rename(tmp_path.parent / f".{tmp_path.name}")
    assert len(read_images(photos, "train")) == 6


@pytest.mark.parametrize("form", ["{}", ".\\{}", "photos\\{}"])
def test_zips_with_windows_separators_read_as_others(
    form: str, photos: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(form.format("train\\"), b"")
        for photo in photos.rglob("*.png"):
            name = str(photo.relative_to(photos)).replace("/", "\\")
            file.writestr(form.format(name), photo.read_bytes())
    unpacked, packed = read_images(photos, "train"), read_images(archive, "train")
    assert (packed.classes, len(packed)) == (unpacked.classes, 6)
    first = [data.pictures.picture(0, channels=3) for data in (unpacked, packed)]
    assert torch.equal(first[0], first[1])


def test_a_list_may_have_windows_separators(photos: Path) -> None:
    (photos / "labels.csv").write_text("file,class_name\ntrain\\red\\0.png,warm\n")
    assert read_images(photos).classes == ("warm",)


def test_broken_photos_are_skipped_counted_and_named(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(photos / "train" / "red" / "cut.jpg")
    whole = (photos / "train" / "red" / "cut.jpg").read_bytes()
    (photos / "train" / "red" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "train" / "red" / "page.jpg").write_text("<html>not found</html>")
    data = read_images(photos, "train")
    assert (len(data), data.skipped) == (6, 2)
    assert "2 of 8 pictures cannot be decoded and are left out: train/red/cut.jpg" in caplog.text
    assert "no image format that pillow knows" in caplog.text
    for photo in (photos / "train").rglob("*.*"):
        photo.write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 8 pictures in .* can be decoded"):
        read_images(photos, "train")


def test_lists_have_indices_or_names(tmp_path: Path) -> None:
    for name in ("x.png", "y.png", "z.png"):
        write_photo(tmp_path / name, (0, 0, 0))
    (tmp_path / "labels.csv").write_text(
        "file,class_index,class_name\nx.png,4,cat\ny.png,0,ant\nz.png,4,cat\n"
    )
    data = read_images(tmp_path)
    assert data.labels.tolist() == [4, 0, 4]
    assert data.classes == ("ant", "1", "2", "3", "cat")
    (tmp_path / "all_classes.csv").write_text(
        "class_index,class_name\n" + "".join(f"{i},kind {i}\n" for i in range(7))
    )
    assert read_images(tmp_path).classes == tuple(f"kind {i}" for i in range(7))
    (tmp_path / "labels.csv").write_text("filename,label\nx.png,dog\ny.png,ant\n")
    data = read_images(tmp_path)
    assert (data.labels.tolist(), data.classes) == ([1, 0], ("ant", "dog"))
    (tmp_path / "labels.csv").write_text("file,class_index\nx.png,four\n")
    with pytest.raises(DataError, match=r"class_index in line 2 of labels.csv .* is 'four'"):
        read_images(tmp_path)
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="has the columns a, b; it needs file, and"):
        read_images(tmp_path)


def test_what_is_no_data_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone does not exist; give a folder of images"):
        find_images(tmp_path / "gone")
    with pytest.raises(DataError, match="holds no images; expected idx or CIFAR-10 files"):
        find_images(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match="cannot be read as data"):
        find_images(tmp_path / "notes.txt")


def test_photos_are_turned_as_the_camera_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2), "black")
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a" / "x.png", exif=exif)
    picture = read_images(tmp_path).pictures.picture(0, channels=1)
    assert picture.shape == (1, 4, 2) and int(picture[0, 0, 1]) == 255


def test_grey_and_colour_stand_in_for_each_other() -> None:
    grey = ArrayPictures(torch.full((1, 1, 2, 2), 9, dtype=torch.uint8))
    assert grey.picture(0, channels=3).unique().tolist() == [9]
    colour = torch.zeros(1, 3, 1, 3, dtype=torch.uint8)
    colour[0, 0, 0, 0] = colour[0, 1, 0, 1] = colour[0, 2, 0, 2] = 255
    assert ArrayPictures(colour).picture(0, channels=1).flatten().tolist() == [76, 150, 29]


def test_augmentation_is_for_training_only_and_depends_on_the_generator(photos: Path) -> None:
    for photo in photos.rglob("*.png"):
        noise = np.random.default_rng(len(photo.name)).integers(0, 256, (20, 26, 3), np.uint8)
        Image.fromarray(noise).save(photo)
    data = read_images(photos, "train")
    preset = Preset((3, 8, 8), 10)
    index = torch.tensor([0, 5, 2])
    plain = ImageSamples(data, preset).batch(index)
    for crop in ("none", "random", "jitter", "resized"):
        augmentation = Augmentation(crop=crop, flip=True, shift=1, colour=0.1, scales=(9, 14))
        samples = ImageSamples(data, preset, augmentation)
        assert torch.equal(samples.batch(index), plain)
        seen = [samples.batch(index, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)]
        assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
        assert seen[0].shape == (3, 3, 8, 8)
    assert ImageSamples(data, preset).ten_crops(index).shape == (3, 10, 3, 8, 8)


def test_augmentation_out_of_range_is_refused(mnist: Path) -> None:
    data = read_images(mnist, "train")
    grey = Preset((1, 32, 32), 32, (0.0,), (1.0,))
    with pytest.raises(DataError, match="colour needs RGB and the model reads 1 channel"):
        ImageSamples(data, grey, Augmentation(colour=0.1))
    with pytest.raises(DataError, match="begin below the model's 32x32 input"):
        ImageSamples(data, grey, Augmentation(crop="jitter", scales=(30, 40)))
    with pytest.raises(DataError, match="crop 'all' is unknown"):
        Augmentation(crop="all")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="shift -1"):
        Augmentation(shift=-1)
    with pytest.raises(DataError, match="are not a range"):
        Augmentation(scales=(40, 30))


def test_a_subset_keeps_order_and_has_a_digest_of_its_own(mnist: Path) -> None:
    samples = ImageSamples(read_images(mnist, "train"), Preset((1, 28, 28), 28, (0.0,), (1.0,)))
    part = samples.subset(torch.tensor([5, 0]))
    assert part.labels.tolist() == [9, 3]
    assert torch.equal(part.batch(torch.arange(2)), samples.batch(torch.tensor([5, 0])))
    assert len({samples.digest, part.digest, samples.subset(torch.tensor([0, 5])).digest}) == 3


def test_batches_are_a_function_of_seed_and_step(mnist: Path) -> None:
    samples = ImageSamples(
        read_images(mnist, "train"), Preset((1, 28, 28), 28, (0.0,), (1.0,)), Augmentation(shift=2)
    )
    stream = epoch_batches(samples, 4, seed=3)
    whole = [next(stream) for _ in range(6)]
    late = epoch_batches(samples, 4, seed=3, first=4)
    for batch in whole[4:]:
        again = next(late)
        assert torch.equal(again.inputs, batch.inputs)
        assert torch.equal(again.labels, batch.labels)
    assert not torch.equal(next(epoch_batches(samples, 4, seed=4)).inputs, whole[0].inputs)
    everything = [next(epoch_batches(samples, 99, seed=s)).labels for s in range(2)]
    assert [sorted(labels.tolist()) for labels in everything] == [sorted(LABELS.tolist())] * 2


def test_every_class_gives_its_share_to_the_held_out(mnist: Path) -> None:
    write_idx(mnist / "train-images-idx3-ubyte.gz", np.zeros((40, 2, 2), np.uint8))
    write_idx(mnist / "train-labels-idx1-ubyte.gz", np.repeat([0, 1], [30, 10]).astype(np.uint8))
    samples = ImageSamples(read_images(mnist, "train"), SMALL)
    train, held = hold_out(samples, 0.2, seed=1)
    assert torch.bincount(held.labels).tolist() == [6, 2]
    assert torch.bincount(train.labels).tolist() == [24, 8]
    assert hold_out(samples, 0.2, seed=1)[1].digest == held.digest
    assert hold_out(samples, 0.2, seed=2)[1].digest != held.digest
    with pytest.raises(DataError, match=r"a share of 0.001 of 40 samples leaves nothing"):
        hold_out(samples, 0.001, seed=1)


@pytest.mark.data
def test_the_real_sets_are_read_whole() -> None:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "images"
    if not folder.is_dir():
        pytest.skip("no image data beside the checkout")
    digits = read_images(folder / "mnist", "test")
    assert torch.bincount(digits.labels).tolist()[:3] == [980, 1135, 1032]
    tiles = read_images(folder / "cifar10")
    assert tiles.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    photos = read_images(folder / "ants_bees", "val")
    assert torch.bincount(photos.labels).tolist() == [35, 42]
