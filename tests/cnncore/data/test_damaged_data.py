"""Damaged and oddly written files: read, left out, or told in a sentence."""

from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore import (
    DataError,
    WeightsError,
    read_images,
    read_sentence_set,
    read_sentences,
    read_vectors,
    read_weights,
)
from cnncore.classification.trained_models import read_class_names
from cnncore.data.images.image_data import Archive, decode
from cnncore.training.curves import MetricsLog


def jpeg() -> bytes:
    """Return a picture of 6x4 points that a camera says is to be turned by 90 degrees."""
    notes = Image.Exif()
    notes[0x010F], notes[0x0112], notes[0x0132] = "Canon", 6, "2020:01:01 00:00:00"
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), (200, 10, 10)).save(buffer, "JPEG", exif=notes)
    return buffer.getvalue()


def changed(content: bytes, place: int, value: int) -> bytes:
    return content[:place] + bytes([value]) + content[place + 1 :]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("place", "value"), [(11, 0), (11, 26), (13, 11)])
def test_a_photo_whose_cameras_notes_are_damaged_is_not_turned(place: int, value: int) -> None:
    whole = jpeg()
    assert decode(whole, channels=3).shape == (3, 6, 4)
    content = changed(whole, whole.index(b"MM\0*") + place, value)
    assert decode(content, channels=3).shape == (3, 4, 6)


def zip_of_photos(path: Path, method: int) -> bytes:
    """Write a zip of two photos of two classes, and return it."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("day/a.bmp", "night/b.bmp"):
            buffer = io.BytesIO()
            Image.new("RGB", (40, 40), (9, 9, 9)).save(buffer, "BMP")
            archive.writestr(name, buffer.getvalue())
    return path.read_bytes()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_member_that_cannot_be_unpacked_is_left_out_and_named(
    method: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "photos.zip"
    whole = zip_of_photos(path, method)
    begin = whole.index(b"day/a.bmp") + len("day/a.bmp")
    packed = begin if method == zipfile.ZIP_DEFLATED else begin + 4  # LZMA's begins with sizes
    path.write_bytes(changed(whole, packed, 0xFF))
    with caplog.at_level(logging.WARNING):
        data = read_images(path)
    assert (len(data), data.skipped) == (1, 1)
    assert "1 of 2 pictures cannot be decoded and are left out: day/a.bmp (" in caplog.text


def test_a_member_packed_in_an_unknown_way_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    whole = zip_of_photos(path, zipfile.ZIP_DEFLATED)
    central = whole.index(b"PK\x01\x02")
    path.write_bytes(changed(whole, central + 10, 97))
    assert (len(read_images(path)), read_images(path).skipped) == (1, 1)
    with pytest.raises(OSError, match="not supported"):
        Archive(path).read("day/a.bmp")


def test_a_list_that_cannot_be_unpacked_is_named(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.csv", "file,class_name\n" + "a.png,cat\n" * 9)
    whole = path.read_bytes()
    path.write_bytes(changed(whole, whole.index(b"labels.csv") + len("labels.csv"), 0xFF))
    with pytest.raises(DataError, match=r"labels\.csv in .*photos\.zip cannot be read: "):
        read_images(path)


def sheet(folder: Path, labels: bytes) -> Path:
    Image.new("RGB", (64, 32)).save(folder / "sheet.png")
    (folder / "sheet.labels.txt").write_bytes(labels)
    return folder / "sheet.png"


def test_labels_of_a_sheet_are_lines(tmp_path: Path) -> None:
    data = read_images(sheet(tmp_path, "polar bear\r\ncat\r\n".encode("utf-8-sig")))
    assert data.classes == ("cat", "polar bear") and data.labels.tolist() == [1, 0]
    data = read_images(sheet(tmp_path, "3\n0\n".encode("utf-8-sig")))
    assert data.labels.tolist() == [3, 0]
    data = read_images(sheet(tmp_path, "cat\ndog\n".encode("utf-16")))
    assert data.classes == ("cat", "dog")
    with pytest.raises(DataError, match=r"sheet\.labels\.txt is not in UTF-8 .*save it in UTF-8"):
        read_images(sheet(tmp_path, "chien\nlézard\n".encode("latin-1")))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            b"file,class_index\na.png,x\n",
            "class_index in line 2 of labels.csv in .* is 'x', no ind",
        ),
        (
            b"file,class_name\na.png\n",
            "line 2 of labels.csv in .* has fewer columns .* file, class_n",
        ),
        (
            b"file,class_name\na.png," + b"a" * 140_000,
            "line 2 of labels.csv in .* is not a line of a CSV",
        ),
        ("file,class_name\na.png,lézard\n".encode("latin-1"), "labels.csv in .* is not in UTF-8"),
    ],
)
def test_lists_that_cannot_be_read_are_told_by_line(
    table: bytes, message: str, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_bytes(table)
    with pytest.raises(DataError, match=message):
        read_images(tmp_path)


def test_names_of_classes_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("class_index,class_name\n1,b\nx,a\n")
    with pytest.raises(DataError, match=r"class_index in .*names\.csv is 'x', no index of a class"):
        read_class_names(path)
    path.write_text("class_index,class_name\n1,b\n0\n")
    with pytest.raises(DataError, match=r"line 3 of .*names\.csv has fewer columns"):
        read_class_names(path)
    path = tmp_path / "names.txt"
    path.write_bytes("lézard\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"names\.txt is not in UTF-8"):
        read_class_names(path)
    path.write_bytes("lézard\n".encode("utf-16"))
    assert read_class_names(path) == ("lézard",)


@pytest.mark.parametrize("head", ["sentiment,text", "text,sentiment", "review,sentiment"])
def test_columns_of_sentences_are_found_by_name(head: str, tmp_path: Path) -> None:
    row = {"sentiment": "pos", "text": "a fine film", "review": "a fine film"}
    path = tmp_path / "films.csv"
    path.write_text(f"{head}\n{','.join(row[name] for name in head.split(','))}\n")
    data = read_sentences(path)
    assert (data.texts, data.classes) == (("a fine film",), ("pos",))


def test_a_table_with_one_known_column_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_text("stars,text\n5,a fine film\n")
    with pytest.raises(DataError, match="has the columns stars, text; name one of them label or"):
        read_sentences(path)
    path.write_text(f"label,text\n1,{'a' * 140_000}\n")
    with pytest.raises(DataError, match=r"line 2 of .*films\.csv is not a line of a CSV"):
        read_sentences(path)


@pytest.mark.parametrize(
    "names",
    [
        ("trec_train.txt", "trec_test.txt"),
        ("trec-Train.v2.txt", "trec-Test.v2.txt"),
        ("trec.train", "trec.test"),
    ],
)
def test_parts_of_a_set_are_words_of_the_files_names(
    names: tuple[str, str], tmp_path: Path
) -> None:
    for number, name in enumerate(names):
        (tmp_path / name).write_text(f"0 a film\n1 the film {number}\n")
    for place in (tmp_path, tmp_path / "trec"):
        data = read_sentence_set(place)
        assert data.train.texts == ("a film", "the film 0")
        assert data.test is not None and data.test.texts[1] == "the film 1"


def test_packed_arrays_with_damaged_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    source = np.random.default_rng(3).integers(0, 3, 4000)
    np.savez_compressed(path, words=source, vectors=source)
    whole = path.read_bytes()
    seen: set[str] = set()
    for place in range(60, len(whole), 37):
        path.write_bytes(changed(whole, place, whole[place] ^ 0xFF))
        for read, error in ((read_weights, WeightsError), (read_vectors, DataError)):
            try:
                read(path)
            except error as refused:
                seen.add(str(refused).removeprefix(str(path))[:15])
    assert seen >= {" is damaged or ", " is not an npz "}


def test_old_torch_files_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    tensors = {"a": torch.arange(6.0), "b": torch.zeros(2, 3)}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        with pytest.raises(
            WeightsError, match=r"is damaged or not a torch file|holds Python objects"
        ):
            read_weights(path)


def test_what_is_no_pickle_gets_no_advice_to_trust_it(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_text("<html>404</html>")
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert str(caught.value) == f"{path} is damaged or not a torch file; get it again"


def test_other_lines_in_the_metrics_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    line = '{"event": "train", "step": 3}'
    path.write_text(f'[]\n{line}\n7\n{{"event": "train"}}\nnull\n{line[:-4]}')
    metrics = MetricsLog(path)
    assert metrics.read() == [{"event": "train", "step": 3}]
    metrics.forget_after(5)
    assert path.read_text() == f"{line}\n"
