"""cnncore.data.images: readers of photos in folders, zips and lists, and their samples."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.data.images.image_data import ArrayPictures
from cnncore.data.images.image_samples import Augmentation, ImageSamples, find_images, read_images
from cnncore.data.samples import DataError, epoch_batches, hold_out
from cnncore.models.classifier import Preset
from tests.helpers.image_files import LABELS, PIXELS, write_idx

SMALL = Preset((3, 8, 8), 8, (0.0,) * 3, (1.0,) * 3)


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


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("Training", "VAL"),
        ("training_set", "dev_set"),
        ("seg_train", "seg_val"),
        ("train img", "valid"),
    ],
)
def test_folders_of_splits_have_the_names_that_people_give(
    train: str, val: str, photos: Path
) -> None:
    (photos / "train").rename(photos / train)
    (photos / "val").rename(photos / val)
    assert sorted(find_images(photos)) == ["train", "val"]
    assert read_images(photos, "val").classes == ("blue", "red")
    again = photos / "again"
    again.mkdir()
    (photos / train).rename(again / train)
    (photos / val).rename(again / val)
    (again / train / train).mkdir()
    for kind in ("red", "blue"):
        (again / train / kind).rename(again / train / train / kind)
    assert read_images(again, "train").classes == ("blue", "red")


def test_folders_beside_those_of_splits_are_left_out_and_named(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_photo(photos / "figures" / "one" / "plan.png", (0, 0, 0))
    assert read_images(photos, "train").classes == ("blue", "red")
    assert "figures left out, beside the folders of splits" in caplog.text


@pytest.mark.parametrize("suffix", [".JPG", ".jfif", ".jpe", ".pbm"])
def test_pictures_of_rare_suffixes_are_read(suffix: str, tmp_path: Path) -> None:
    for kind in ("a", "b"):
        write_photo(tmp_path / kind / "1.png", (255, 255, 255))
        image = Image.new("1" if suffix == ".pbm" else "RGB", (8, 8), 1)
        image.save(tmp_path / kind / f"2{suffix}", None if suffix == ".pbm" else "JPEG")
    assert len(read_images(tmp_path)) == 4


class _Unmarked(zipfile.ZipInfo):
    """A member whose name is UTF-8 without the mark that says so, as macOS writes it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.filename.encode(), self.flag_bits & ~0x800


def test_names_in_zips_are_utf8_with_its_mark_or_without(tmp_path: Path) -> None:
    write_photo(tmp_path / "1.png", (9, 9, 9))
    content = (tmp_path / "1.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(_Unmarked("동물/고양이/1.png"), content)
        packed.writestr("../동물/개/1.png", content)
    assert read_images(tmp_path / "a.zip").classes == ("개", "고양이")


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
