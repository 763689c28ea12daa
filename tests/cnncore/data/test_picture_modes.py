"""Pictures of every mode and depth: transparent points are white, greys keep their place."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncore import DataError, read_images
from cnncore.data.images.image_data import decode
from cnncore.data.images.transforms import from_pillow


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(points: list[int], depth: int, colour: int, key: bytes, palette: bytes = b"") -> bytes:
    """Write a PNG of one row; `points` are its samples."""
    bits = "".join(f"{point:0{depth}b}" for point in points)
    bits += "0" * (-len(bits) % 8)
    row = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    width = len(points) // (3 if colour == 2 else 1)
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0))]
    parts += [chunk(b"PLTE", palette)] if palette else []
    parts += [chunk(b"tRNS", key), chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_every_depth_is_white(depth: int) -> None:
    greys = sorted({0, 1, 2**depth // 2, 2**depth - 1})
    plain = [[round(grey * 255 / (2**depth - 1)) for grey in greys]]
    for key, grey in enumerate(greys):
        content = png(greys, depth, 0, struct.pack(">H", grey))
        expected = [[*plain[0][:key], 255, *plain[0][key + 1 :]]]
        for channels in (1, 3):
            assert decode(content, channels=channels).tolist() == [expected] * channels


@pytest.mark.parametrize(("depth", "step"), [(8, 1), (16, 257)])
def test_the_transparent_colour_is_white_and_its_neighbours_are_not(depth: int, step: int) -> None:
    colours = [10 * step, 20 * step, 30 * step] * 2
    colours[3] += 1  # with 16 bits a difference that 8 bits do not show
    content = png(colours, depth, 2, struct.pack(">HHH", *colours[:3]))
    last = 11 if depth == 8 else 10
    assert decode(content, channels=3)[:, 0].T.tolist() == [[255] * 3, [last, 20, 30]]
    content = png(colours, depth, 2, struct.pack(">HHH", 1, 2, 3))
    assert decode(content, channels=3)[:, 0].T.tolist() == [[10, 20, 30], [last, 20, 30]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparent_entries_of_a_palette_are_mixed_with_white(depth: int) -> None:
    content = png([0, 1], depth, 3, bytes([0, 255]), bytes([9, 9, 9, 40, 50, 60]))
    assert decode(content, channels=3)[:, 0].T.tolist() == [[255] * 3, [40, 50, 60]]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [*((m, k) for m in ("LA", "RGBA") for k in ("PNG", "WEBP", "TIFF")), ("RGBA", "GIF")],
)
def test_layers_of_transparency_lie_on_white(mode: str, kind: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (60, 60, 60, 255))
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert decode(file.getvalue(), channels=1).tolist() == [[[255, 60]]]


@pytest.mark.parametrize(("mode", "plain"), [("RGBa", "RGBA"), ("La", "LA")])
def test_greys_that_were_multiplied_by_their_opacity_lie_on_white(mode: str, plain: str) -> None:
    image = Image.new("LA", (2, 1), (0, 0))
    image.putpixel((1, 0), (60, 255))
    assert from_pillow(image.convert(plain).convert(mode), channels=1).tolist() == [[[255, 60]]]


def tiff(array: np.ndarray, **tags: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "TIFF", tiffinfo={int(k[1:]): v for k, v in tags.items()})
    return file.getvalue()


@pytest.mark.parametrize("points", [[0, 255], [0, 70_000], [-5, 9]])
def test_tiffs_of_32_bits_are_refused_and_named(points: list[int], tmp_path: Path) -> None:
    content = tiff(np.array([points], np.int32))
    with pytest.raises(OSError, match="save it with 8 or 16 bits"):
        decode(content, channels=1)
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "a.tif").write_bytes(content)
    with pytest.raises(DataError, match=r"first scan/a\.tif \(its points are whole numbers of 32"):
        read_images(tmp_path)


def test_tiffs_of_16_bits_and_of_fractions_keep_their_greys() -> None:
    grey = np.array([[0, 300, 65535]], np.uint16)
    assert decode(tiff(grey), channels=1).tolist() == [[[0, 1, 255]]]
    assert decode(tiff(grey, t262=0), channels=1).tolist() == [[[255, 254, 0]]]
    shares = np.array([[0.0, 0.2, 1.0]], np.float32)
    assert decode(tiff(shares), channels=1).tolist() == [[[0, 51, 255]]]


def test_tiffs_of_12_bits_reach_to_white() -> None:
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x00])  # 0, 4095, 2048 and a rest
    content = bytearray(tiff(np.array([[0, 0, 0]], np.uint16)))
    for place in range(8, len(content) - 11):  # the entry BitsPerSample, a short
        if content[place : place + 4] == struct.pack("<HH", 258, 3):
            content[place + 8 : place + 10] = struct.pack("<H", 12)
    content[-6:] = packed
    assert decode(bytes(content), channels=1).tolist() == [[[0, 255, 128]]]


def test_grey_maps_of_many_depths_reach_to_white() -> None:
    for white in (1, 15, 255):
        content = b"P5 2 1 %d\n" % white + bytes([0, white])
        assert decode(content, channels=1).tolist() == [[[0, 255]]]
    content = b"P5 2 1 4095\n" + struct.pack(">HH", 0, 4095)
    assert decode(content, channels=1).tolist() == [[[0, 255]]]
