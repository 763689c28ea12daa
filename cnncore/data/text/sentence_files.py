"""Files of labelled sentences in the forms that the usual sets are published in.

Files may mix encodings: a line that is not UTF-8 is read as Latin-1, which Pang & Lee's and Li &
Roth's files need. Blank lines are skipped and counted.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnncore.data.samples import DataError
from cnncore.data.tables import MARKS_OF_UTF16, csv_rows, delimiter_of

log = logging.getLogger(__name__)

_COARSE_AND_FINE = re.compile(r"([A-Z]+):(\S+)\s+(.*)")
_NUMBER = re.compile(r"(\d+)\s+(.*)")
_SEPARATORS = re.compile(r"[._-]")
_TABLES = {".csv": ",", ".tsv": "\t"}
_LABEL_COLUMNS = (
    *("label", "class", "category", "target", "sentiment", "polarity", "intent", "emotion"),
)
_TEXT_COLUMNS = (
    *("sentence", "text", "review", "phrase", "tweet", "message", "comment_text"),
    *("question", "utterance"),
)
_INDEX_COLUMNS = ("", "unnamed: 0", "index", "id", "idx")
_PARTS = {
    "train": "train",
    "dev": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Sentences:
    """Sentences with labels."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]
    """The class of every sentence, as an index into `classes`."""
    classes: tuple[str, ...]
    blank: int = 0
    """How many blank lines were skipped."""

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.texts)

    def subset(self, index: Iterable[int]) -> Sentences:
        """Return the sentences `index`, in that order, with the same classes."""
        chosen = list(index)
        texts = tuple(self.texts[i] for i in chosen)
        return Sentences(texts, tuple(self.labels[i] for i in chosen), self.classes)


@dataclass(frozen=True)
class SentenceSet:
    """The parts in which a set of sentences is published; all have the same classes."""

    train: Sentences
    validation: Sentences | None = None
    test: Sentences | None = None

    def texts(self) -> list[str]:
        """Return the sentences of all parts, from which Kim's program makes its vocabulary."""
        parts = (self.train, self.validation, self.test)
        return [text for part in parts if part is not None for text in part.texts]


def read_sentence_set(path: Path | str, *, fine: bool = False) -> SentenceSet:
    """Read a set of sentences: a folder, one file, or the beginning that several files share.

    Files with train, dev (valid, validation) or test in their names (`TREC.train`, `dev.tsv`) are
    the parts of that set; other files that share their name but for the suffix hold one class
    each (`rt-polarity.pos`, `rt-polarity.neg`). `fine` as in `read_sentences`.

    Raises:
        DataError: files are missing, empty, or belong to several sets.
    """
    path = Path(path)
    if path.is_file():
        return SentenceSet(read_sentences(path, fine=fine))
    files = _files_at(path)
    if not files:
        raise DataError(f"no sentences at {path}; give a folder, a file, or how the files begin")
    parts = {file: _part(file) for file in files}
    stems = {_stem(file) for file in files}
    if len(stems) > 1:
        raise DataError(
            f"{path} holds several sets ({', '.join(sorted(stems))}); give the path up to one of "
            f"these names, such as {files[0].parent / min(stem for stem in stems if stem)}"
        )
    if not any(parts.values()):
        return SentenceSet(read_classes(files))
    by_part = {part: file for file, part in parts.items() if part}
    if "train" not in by_part or len(by_part) != len(files):
        names = ", ".join(file.name for file in files)
        raise DataError(f"{names} are not one file each of train, dev and test; name them so")
    train = read_sentences(by_part["train"], fine=fine)

    def other(part: str) -> Sentences | None:
        if part not in by_part:
            return None
        return read_sentences(by_part[part], fine=fine, classes=train.classes)

    return SentenceSet(train, other("validation"), other("test"))


def _files_at(path: Path) -> list[Path]:
    """Return the files in a folder, or those whose names begin so, up to a dot, "_" or "-"."""
    folder = path if path.is_dir() else path.parent
    there = folder.iterdir() if folder.is_dir() else ()
    files = sorted(file for file in there if file.is_file() and not _is_note(file))
    if path.is_dir():
        return files
    begun = ([f for f in files if f.name.startswith(path.name + mark)] for mark in "._-")
    return next((found for found in begun if found), [])


def read_classes(files: Sequence[Path]) -> Sentences:
    """Read files of one class each, a sentence a line; the suffixes name the classes, sorted."""
    texts: list[str] = []
    labels: list[int] = []
    blanks = 0
    files = sorted(files, key=lambda file: file.suffix)
    for label, file in enumerate(files):
        lines, blank = read_lines(file)
        texts += lines
        labels += [label] * len(lines)
        blanks += blank
    classes = tuple(file.suffix.removeprefix(".") for file in files)
    if len(set(classes)) < 2:
        raise DataError(
            f"{', '.join(file.name for file in files)} make no two classes; give one file a class "
            "with the class as suffix, such as reviews.pos and reviews.neg"
        )
    return Sentences(tuple(texts), tuple(labels), classes, blanks)


def read_sentences(
    path: Path | str, *, fine: bool = False, classes: Sequence[str] | None = None
) -> Sentences:
    """Read a file of labelled sentences.

    Lines are `LABEL:fine text` (TREC; the label is LABEL, or with `fine` both), or `N text` (SST;
    the class is the number). `.csv` and `.tsv` have a label and a text column: those named so in
    a first line, else the first and the second, behind a column that numbers the rows. Classes are
    sorted; give those of the training set for a test set.

    Raises:
        DataError: a line has another form or a class that is not in `classes`; the text names it.
    """
    path = Path(path)
    if path.suffix.lower() in _TABLES:
        text = read_text(path)
        pairs, blank = _from_table(path, text, _TABLES[path.suffix.lower()])
    else:
        lines, blank = read_lines(path)
        pairs = _from_lines(path, lines, fine=fine)
    names = tuple(classes) if classes is not None else _sorted({name for name, _ in pairs})
    numbers = {name: number for number, name in enumerate(names)}
    unknown = next((name for name, _ in pairs if name not in numbers), None)
    if unknown is not None:
        raise DataError(
            f"{path} has the class {unknown!r}, which is not one of {', '.join(names)}; use the "
            "classes of the training set"
        )
    labels = tuple(numbers[name] for name, _ in pairs)
    return Sentences(tuple(text for _, text in pairs), labels, names, blank)


def read_lines(path: Path) -> tuple[list[str], int]:
    """Return the lines that are not blank, stripped, and how many were blank.

    Raises:
        DataError: the file is missing, does not have lines, or is not text.
    """
    lines = [line.strip() for line in read_text(path).removesuffix("\n").split("\n")]
    kept = [line for line in lines if line]
    if len(kept) < len(lines):
        log.info("%s: %d blank lines skipped", path.name, len(lines) - len(kept))
    return kept, len(lines) - len(kept)


def read_text(path: Path) -> str:
    """Return the text of a file, each line of which may have its own encoding.

    A line that is not UTF-8 is Latin-1; a file that begins as UTF-16 does, as Windows writes it, is
    that.

    Raises:
        DataError: the file is missing or blank, or is not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); check the path") from error
    if content.startswith(MARKS_OF_UTF16):
        content = content.decode("utf-16", errors="replace").encode()
    if b"\0" in content:
        raise DataError(f"{path} is not text; give a file with one sentence a line")
    lines = content.removeprefix(codecs.BOM_UTF8).split(b"\n")
    text = "\n".join(_decode(line) for line in lines)
    if not text.strip():
        raise DataError(f"{path} holds no sentence; give a file with one a line")
    return text


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _from_lines(path: Path, lines: list[str], *, fine: bool) -> list[tuple[str, str]]:
    """Return (class, text) of lines in TREC's or SST's form, whichever the first one has."""
    form = _COARSE_AND_FINE if _COARSE_AND_FINE.fullmatch(lines[0]) else _NUMBER
    pairs = []
    for number, line in enumerate(lines, 1):
        match = form.fullmatch(line)
        if match is None:
            raise DataError(
                f"sentence {number} of {path} has no label as the others do: {line[:40]!r}; write "
                "'LABEL:fine text', 'N text', a .csv or .tsv of label and text, or a file a class"
            )
        *label, text = match.groups()
        pairs.append((":".join(label) if fine else label[0], text))
    return pairs


def _from_table(path: Path, text: str, usual: str) -> tuple[list[tuple[str, str]], int]:
    """Return (class, text) of the rows of a table, and how many rows are blank or lack the text.

    A line break in a text becomes a blank.
    """
    rows = csv_rows(text, str(path), delimiter_of(text, usual))
    label, sentence, head = _columns(path, [row for _, row in rows])
    pairs = []
    blank = sum(not line.strip() for line in text.splitlines())
    for number, (line, row) in enumerate(rows[head:], 1):
        where = f"row {number} of {path} (line {line})"
        if len(row) <= max(label, sentence):
            raise DataError(f"{where} has {len(row)} columns; give a label and a text in each")
        if any(value.strip() for value in row[len(rows[0][1]) :]):
            raise DataError(
                f"{where} has {len(row)} columns and the first {len(rows[0][1])}; put texts that "
                "hold the mark between columns in quotes"
            )
        if not row[label].strip():
            raise DataError(f"{where} has no class; give one, or leave the row out")
        words = " ".join(row[sentence].split())
        blank += not words
        if words:
            pairs.append((row[label].strip(), words))
    if not pairs:
        raise DataError(f"{path} holds no sentence, only the names of its columns; add rows")
    if len(pairs) < len(rows) - head:
        log.warning("%s: %d rows without a text left out", path, len(rows) - head - len(pairs))
    return pairs, blank


def _columns(path: Path, rows: Sequence[Sequence[str]]) -> tuple[int, int, int]:
    """Return the columns of class and text, and 1 if the first row names the columns, else 0.

    Without known names they are the first and the second, behind a column that numbers the rows.
    The first row has names if it begins as an index does, if all classes but it are numbers, or if
    it alone has a class of its own and one word where all others have a text.

    Raises:
        DataError: only one of them is named, or other columns look more like a text.
    """
    head = [name.strip().lower() for name in rows[0]]
    label = next((head.index(name) for name in _LABEL_COLUMNS if name in head), None)
    text = next((head.index(name) for name in _TEXT_COLUMNS if name in head), None)
    if label is not None and text is not None:
        return label, text, 1
    if label is not None or text is not None:
        raise DataError(
            f"{path} has the columns {', '.join(head)}; name one of them "
            f"{' or '.join(_LABEL_COLUMNS)} and one {' or '.join(_TEXT_COLUMNS)}"
        )
    first = int(
        len(head) > 2
        and (
            head[0] in _INDEX_COLUMNS
            or _counts([row[0].strip() for row in rows])
            or (_is_index([row[0].strip() for row in rows]) and _is_text(rows, 2, not_in=1))
        )
    )
    if any(_is_text(rows, column, not_in=first + 1) for column in range(first + 2, len(head))):
        raise DataError(
            f"{path} does not name its columns, and its texts are not in column {first + 2}; add a "
            "first line with label and text above theirs"
        )
    classes = [row[first].strip() for row in rows if len(row) > first]
    figures = [name.isdecimal() for name in classes]
    named = (
        head[0] in _INDEX_COLUMNS
        or (len(figures) > 2 and figures == [False] + [True] * (len(figures) - 1))
        or (len(rows) > 2 and classes.count(classes[0]) == 1 and _names_texts(rows, first + 1))
    )
    return first, first + 1, int(named)


def _is_text(rows: Sequence[Sequence[str]], column: int, *, not_in: int) -> bool:
    """Tell whether most cells of a column have several words, and none of another column."""
    if len(rows) < 3:
        return False
    several = [
        [" " in row[place].strip() if len(row) > place else False for row in rows]
        for place in (column, not_in)
    ]
    return 2 * sum(several[0]) > len(rows) and not any(several[1])


def _names_texts(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Tell whether the first row has one word in a column and all others more."""
    cells = [row[column].strip() for row in rows if len(row) > column]
    return len(cells) == len(rows) and " " not in cells[0] and all(" " in c for c in cells[1:])


def _is_index(cells: Sequence[str]) -> bool:
    """Tell whether cells are numbers of which none comes twice."""
    return len(cells) > 1 and all(map(str.isdecimal, cells)) and len(set(cells)) == len(cells)


def _counts(cells: Sequence[str]) -> bool:
    """Tell whether cells number the rows, from 0 or 1."""
    if len(cells) < 2 or not all(cell.isdecimal() for cell in cells):
        return False
    start = int(cells[0])
    return start in (0, 1) and [int(cell) for cell in cells] == [*range(start, start + len(cells))]


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    """Sort classes, numbers by their value."""
    return tuple(sorted(names, key=lambda name: (int(name) if name.isdigit() else -1, name)))


def _part(file: Path) -> str | None:
    """Return the part of its set that a word of a file's name tells, or None."""
    words = _SEPARATORS.split(file.name.lower())
    return next((_PARTS[word] for word in words if word in _PARTS), None)


def _stem(file: Path) -> str:
    """Return what the names of the files of one set share: all before the part, or the suffix."""
    place = 0
    for word in _SEPARATORS.split(file.name):
        if word.lower() in _PARTS:
            return file.name[:place].rstrip("._-")
        place += len(word) + 1
    return file.stem


def _is_note(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix.lower() in (".md", ".npz", ".json")
