"""What pillow leaves to its caller: keys of transparency by their depth, and where white lies.

PNG (third edition, section 11.3.1.1) names one grey or colour that is transparent, in the depth of
the file; pillow gives the points with 8 or 16 bits and the key as it stands. TIFF (revision 6.0)
has whole numbers of 12, 16 or 32 bits, signed or not, and may count from white; pillow tells none
of this by the mode.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

_WHITE_16 = 65535
_TIFF_BITS, _TIFF_COUNTS_FROM_WHITE = 258, 262


def open_image(content: bytes) -> Image.Image:
    """Return the picture in a file's content, with what is transparent and what is white settled.

    Raises:
        ValueError: it has whole numbers whose white is not known.
        OSError: pillow cannot decode it; other readers of pillow raise other errors.
    """
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        if image.mode == "I" and image.format not in ("PNG", "PPM"):
            raise ValueError(
                "its points are whole numbers of 32 bits or with a sign, and nothing tells which "
                "of them is white; save it with 8 or 16 bits without a sign"
            )
        if isinstance(image, TiffImageFile):
            return _from_tiff(image)
        key = image.info.get("transparency")
        if image.format != "PNG" or key is None:
            return image.copy()
        return _with_key(image, content, key)


def _from_tiff(image: TiffImageFile) -> Image.Image:
    """Return a TIFF whose points of 12 and 16 bits reach from black, 0, to white, 65535."""
    tags = image.tag_v2
    if image.mode not in ("I;16", "I;16B", "F"):
        return image.copy()
    points = np.asarray(image, dtype=np.float64)
    white = 1.0 if image.mode == "F" else float(_WHITE_16)
    if image.mode != "F" and 12 in tags.get(_TIFF_BITS, ()):
        points = points * (_WHITE_16 / 4095)
    if tags.get(_TIFF_COUNTS_FROM_WHITE) == 0:
        points = white - points
    kind = np.float32 if image.mode == "F" else np.uint16
    return Image.fromarray((np.rint(points) if kind is np.uint16 else points).astype(kind))


def _with_key(
    image: Image.Image, content: bytes, key: int | bytes | tuple[int, ...]
) -> Image.Image:
    """Return a PNG whose transparent points are white, or marked as pillow itself marks them."""
    depth = content[24]  # behind the signature, and length, name, width and height of IHDR
    found = image.copy()
    if image.mode == "L" and isinstance(key, int) and depth < 8:
        found.info["transparency"] = key * 255 // (2**depth - 1)
    elif image.mode == "I;16":
        points = np.array(image)
        return _white_where(image, points, points == key)
    elif image.mode == "RGB" and depth == 16:
        points = np.array(image)
        wide = points.astype(np.uint16) * 256 + _low_bytes(content)
        return _white_where(image, points, (wide == np.array(key)).all(axis=2))
    return found


def _low_bytes(content: bytes) -> np.ndarray:
    """Return the lower bytes (H, W, 3) of colours of 16 bits, which pillow drops.

    Read as if the lower byte came first, they are those that it keeps.
    """
    with Image.open(io.BytesIO(content)) as image:
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        image.load()
        return np.array(image)


def _white_where(image: Image.Image, points: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Return the points with white in place of those in a mask (H, W), and no key any more."""
    points[mask] = np.iinfo(points.dtype).max
    made = Image.fromarray(points)
    made.info = {name: value for name, value in image.info.items() if name != "transparency"}
    return made
