"""Readers of photos: folders by class, with splits or without, lists in labels.csv; zip or not."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence

import torch
from tqdm import tqdm

from cnncore.data.images.image_data import SUFFIXES, FilePictures, ImageData, Store, decode
from cnncore.data.samples import DataError
from cnncore.data.tables import class_index, decoded, table_rows

log = logging.getLogger(__name__)

SPLITS = {
    **{"train": "train", "training": "train", "val": "val", "valid": "val"},
    **{"validation": "val", "test": "test", "testing": "test"},
}
ALL = "all"
LIST = "labels.csv"

_FILE_COLUMNS = ("file", "filename", "image", "path", "name")
_INDEX_COLUMNS = ("class_index", "index")
_NAME_COLUMNS = ("class_name", "class", "label", "category")
_LONG = 1000

Labelled = Sequence[tuple[str, str]]  # names of files and classes


def class_folders(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Return (file, class) of every picture by split: SPLIT/CLASS/... or CLASS/... ("all").

    Folders that hold all of it are passed over, as in most zips; hidden ones are not looked into.

    Raises:
        DataError: a picture lies outside the folders of the classes.
    """
    files = [name for name in store.names() if name.lower().endswith(SUFFIXES)]
    paths = [name.split("/") for name in files]
    depth = 0
    while all(len(path) > depth + 2 for path in paths) and len({p[depth] for p in paths}) == 1:
        if paths[0][depth].lower() in SPLITS:
            break
        depth += 1
    found: dict[str, list[tuple[str, str]]] = {}
    for name, path in zip(files, paths, strict=True):
        split, rest = ALL, path[depth:]
        if rest[0].lower() in SPLITS:
            split, rest = SPLITS[rest[0].lower()], rest[1:]
        if len(rest) < 2:
            raise DataError(
                f"{name} in {store.path} lies in no class's folder; put pictures into "
                f"CLASS/ or SPLIT/CLASS/, or list them in {LIST}"
            )
        found.setdefault(split, []).append((name, rest[0]))
    return found


def read_class_folders(store: Store, files: Labelled, *, classes: tuple[str, ...]) -> ImageData:
    """Read pictures and their classes' names; those that cannot be decoded are left out."""
    number = {name: i for i, name in enumerate(classes)}
    return read_files(store, [(name, number[kind]) for name, kind in files], classes)


def read_list(store: Store) -> ImageData:
    """Read the pictures in labels.csv: a column "file", and "class_index" or "class_name".

    Indices count from 0; their names are in "class_name" or in another CSV beside that ends in
    classes.csv and has both columns for all classes.

    Raises:
        DataError: a line cannot be used; the text names it.
    """
    rows = _rows(store, LIST)
    if not rows:
        raise DataError(f"{LIST} in {store.path} has no lines; list a file and its class in each")
    file = _column(rows[0], _FILE_COLUMNS)
    index, name = _column(rows[0], _INDEX_COLUMNS), _column(rows[0], _NAME_COLUMNS)
    if file is None or (index is None and name is None):
        raise DataError(
            f"{LIST} in {store.path} has the columns {', '.join(rows[0])}; it needs file, and "
            "class_index or class_name"
        )
    if index is None:
        assert name is not None
        classes = tuple(sorted({row[name] for row in rows}))
        return read_class_folders(store, [(r[file], r[name]) for r in rows], classes=classes)
    labelled: list[tuple[str, int]] = []
    for line, row in enumerate(rows, start=2):
        where = f"{index} in line {line} of {LIST} in {store.path}"
        labelled.append((row[file], class_index(row[index], where)))
    named = {int(r[index]): r[name] for r in rows} if name else {}
    named = _all_classes(store) or named
    count = max([*named, *(label for _, label in labelled)]) + 1
    return read_files(store, labelled, tuple(named.get(i, str(i)) for i in range(count)))


def _all_classes(store: Store) -> dict[int, str]:
    """Return the names of all classes from a file such as imagenet_classes.csv, if there is one."""
    for file in store.names():
        if file.endswith("classes.csv") and "/" not in file:
            rows = _rows(store, file)
            if rows and {"class_index", "class_name"} <= rows[0].keys():
                where = f"class_index in {file} in {store.path}"
                return {class_index(row["class_index"], where): row["class_name"] for row in rows}
    return {}


def _rows(store: Store, name: str) -> list[dict[str, str]]:
    where = f"{name} in {store.path}"
    try:
        content = store.read(name)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error}") from error
    return table_rows(decoded(content, where), where)


def _column(row: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in row), None)


def read_files(
    store: Store, labelled: Sequence[tuple[str, int]], classes: tuple[str, ...]
) -> ImageData:
    """Return the pictures that can be decoded, each of which is tried; the log names the others.

    Raises:
        DataError: no picture can be read.
    """
    names: list[str] = []
    labels: list[int] = []
    broken: list[str] = []
    sha = hashlib.sha256()
    bar = tqdm(labelled, desc="reading", unit="file", disable=len(labelled) < _LONG)
    for name, label in bar:
        try:
            content = store.read(name)
            decode(content, channels=1)
        except (OSError, KeyError) as error:
            broken.append(f"{name} ({error})")
            continue
        names.append(name)
        labels.append(label)
        sha.update(f"{name}\0{label}\0".encode() + hashlib.sha256(content).digest())
    if not names:
        first = f", first {broken[0]}" if broken else ""
        raise DataError(
            f"none of {len(labelled)} pictures in {store.path} can be decoded{first}; "
            f"give pictures of a kind that pillow reads ({' '.join(SUFFIXES)})"
        )
    if broken:
        more = ", ..." if len(broken) > 3 else ""
        log.warning(
            "%s: %d of %d pictures cannot be decoded and are left out: %s%s",
            *(store.path, len(broken), len(labelled), ", ".join(broken[:3]), more),
        )
    pictures = FilePictures(store, tuple(names))
    return ImageData(pictures, torch.tensor(labels), classes, sha.hexdigest(), len(broken))
