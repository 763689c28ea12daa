"""Readers of photos: folders by class, with splits or without, lists in labels.csv; zip or not."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence

import torch
from tqdm import tqdm

from cnncore.data.images.image_data import (
    SUFFIXES,
    FilePictures,
    ImageData,
    Store,
    decode,
    plain_name,
)
from cnncore.data.samples import DataError
from cnncore.data.tables import class_index, decoded, table_rows

log = logging.getLogger(__name__)

SPLITS = {
    **{"train": "train", "training": "train", "val": "val", "valid": "val"},
    **{"validation": "val", "dev": "val", "test": "test", "testing": "test"},
}
# Words that stand beside a split's in the name of its folder, as in training_set or seg_train.
_BESIDE_SPLIT = frozenset("set images image imgs img data dataset pictures photos seg".split())
_BETWEEN_WORDS = re.compile(r"[\s_.-]+")
ALL = "all"
LIST = "labels.csv"

_FILE_COLUMNS = ("file", "filename", "file_name", "image", "path", "name", "image_id", "id")
_INDEX_COLUMNS = ("class_index", "index")
_NAME_COLUMNS = ("class_name", "class", "label", "category")
_LONG = 1000

Labelled = Sequence[tuple[str, str]]  # names of files and classes


def split_of(folder: str) -> str | None:
    """Return the split that the name of a folder tells, such as Train or training_set, or None."""
    words = [word for word in _BETWEEN_WORDS.split(folder.lower()) if word]
    told = [SPLITS[word] for word in words if word in SPLITS]
    if len(told) != 1 or not all(word in SPLITS or word in _BESIDE_SPLIT for word in words):
        return None
    return told[0]


def class_folders(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Return (file, class) of every picture by split: SPLIT/CLASS/... or CLASS/... ("all").

    Folders that hold all of it are passed over, as in most zips, and so is a split's folder within
    another of its own name; hidden ones are not looked into. What lies beside the folders of splits
    is left out, and named.

    Raises:
        DataError: a picture lies outside the folders of the classes.
    """
    files = [name for name in store.names() if name.lower().endswith(SUFFIXES)]
    paths = [name.split("/") for name in files]
    depth = 0
    while all(len(path) > depth + 2 for path in paths) and len({p[depth] for p in paths}) == 1:
        if split_of(paths[0][depth]) is not None:
            break
        depth += 1
    tops = sorted({path[depth] for path in paths if len(path) > depth + 1})
    by_split = any(map(split_of, tops))
    beside = [top for top in tops if by_split and split_of(top) is None]
    if beside:
        log.warning("%s: %s left out, beside the folders of splits", store.path, ", ".join(beside))
    found: dict[str, list[tuple[str, str]]] = {}
    for name, path in zip(files, paths, strict=True):
        split, rest = ALL, path[depth:]
        if rest[0] in beside:
            continue
        told = split_of(rest[0]) if len(rest) > 1 else None
        if told is not None:
            split, rest = told, rest[1:] if rest[1] != rest[0] else rest[2:]
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


def find_list(store: Store) -> str | None:
    """Return the name of the labels.csv of a store: at its top, or above all of its pictures."""
    names = store.names()
    lists = [name for name in names if name.rsplit("/", 1)[-1].lower() == LIST]
    if LIST in lists or len(lists) != 1:
        return LIST if LIST in lists else None
    folder = lists[0][: -len(LIST)]
    pictures = (name for name in names if name.lower().endswith(SUFFIXES))
    return lists[0] if all(name.startswith(folder) for name in pictures) else None


def read_list(store: Store, name: str = LIST) -> ImageData:
    """Read the pictures in labels.csv: a column "file", and "class_index" or "class_name".

    Files are named from its folder, with their suffix or without. Indices count from 0; their
    names are in "class_name" or in another CSV beside that ends in classes.csv and has both columns
    for all classes.

    Raises:
        DataError: a line cannot be used; the text names it.
    """
    rows = _rows(store, name)
    if not rows:
        raise DataError(f"{name} in {store.path} has no lines; list a file and its class in each")
    file = _column(rows[0], _FILE_COLUMNS)
    index, label = _column(rows[0], _INDEX_COLUMNS), _column(rows[0], _NAME_COLUMNS)
    if file is None or (index is None and label is None):
        raise DataError(
            f"{name} in {store.path} has the columns {', '.join(rows[0])}; it needs file, and "
            "class_index or class_name"
        )
    folder, there = name[: -len(LIST)], frozenset(store.names())
    files = [_file_named(folder + row[file].strip(), there) for row in rows]
    if index is None:
        assert label is not None
        kinds = [row[label].strip() for row in rows]
        if "" in kinds:
            raise DataError(
                f"row {kinds.index('') + 1} of {name} in {store.path} has no {label}; give one"
            )
        classes = tuple(sorted(set(kinds)))
        return read_class_folders(store, list(zip(files, kinds, strict=True)), classes=classes)
    labelled: list[tuple[str, int]] = []
    for line, (row, picture) in enumerate(zip(rows, files, strict=True), start=2):
        where = f"{index} in line {line} of {name} in {store.path}"
        labelled.append((picture, class_index(row[index], where)))
    named = {int(r[index]): r[label] for r in rows} if label else {}
    named = _all_classes(store, folder) or named
    count = max([*named, *(number for _, number in labelled)]) + 1
    return read_files(store, labelled, tuple(named.get(i, str(i)) for i in range(count)))


def _file_named(name: str, there: frozenset[str]) -> str:
    """Return the name of a picture in a store, with its suffix if a list leaves that out."""
    plain = plain_name(name)
    if plain in there:
        return plain
    return next((plain + suffix for suffix in SUFFIXES if plain + suffix in there), name)


def _all_classes(store: Store, folder: str) -> dict[int, str]:
    """Return the names of all classes from a file such as imagenet_classes.csv, if there is one."""
    for file in store.names():
        beside = file.startswith(folder) and "/" not in file[len(folder) :]
        if file.endswith("classes.csv") and beside:
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
    rows = table_rows(decoded(content, where), where)
    return [{name.strip().lower(): value for name, value in row.items()} for row in rows]


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
