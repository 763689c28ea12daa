"""Word vectors from files: GloVe's text, word2vec's text and binary form, npz.

`WordVectors` holds those of the words that were asked for; `table` makes of them the rows that
`KimCNN` starts from, and invents vectors for the words without one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnncore.data.samples import DataError
from cnncore.data.text.vocabulary import Vocabulary
from cnncore.models.classics.kim_cnn import PADDING, UNKNOWN_RANGE
from cnncore.weights.npz import NpzError, read_npz

log = logging.getLogger(__name__)

_LONGEST_WORD = 10_000  # bytes: beyond it a file is not word2vec's


@dataclass(frozen=True)
class WordVectors:
    """Vectors float32 (words, dimension) and the number of each word's row."""

    rows: dict[str, int]
    vectors: NDArray[np.float32]

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.vectors.shape[1])

    def find(self, word: str) -> NDArray[np.float32] | None:
        """Return the vector of a word, else that of its lower case, else None."""
        row = self.rows.get(word)
        if row is None:
            row = self.rows.get(word.lower())
        return None if row is None else self.vectors[row]

    def table(
        self,
        vocabulary: Vocabulary,
        *,
        rng: np.random.Generator,
        spread: float | None = UNKNOWN_RANGE,
    ) -> Tensor:
        """Return the rows of a vocabulary, float32 (len(vocabulary), dimension); padding is zero.

        A word without a vector is uniform in -spread..spread. Kim chose 0.25, which gives these
        words the variance of his word2vec vectors; None computes that range from the words that
        have vectors.

        Raises:
            DataError: no word of the vocabulary has a vector.
        """
        found = {
            number: vector
            for number, word in enumerate(vocabulary.words, len(vocabulary) - len(vocabulary.words))
            if (vector := self.find(word)) is not None
        }
        if not found:
            raise DataError(
                "none of the vocabulary's words has a vector in the file; give vectors of the "
                "same language, in lower case if the sentences are"
            )
        known = np.stack(list(found.values()))
        if spread is None:
            spread = float(np.sqrt(3.0 * known.var()))
        rows = rng.uniform(-spread, spread, (len(vocabulary), self.dimension)).astype(np.float32)
        rows[list(found)] = known
        rows[PADDING] = 0.0
        log.info("%d of %d words have vectors", len(found), len(vocabulary.words))
        return torch.from_numpy(rows)


def read_vectors(path: Path | str, *, words: Collection[str] | None = None) -> WordVectors:
    """Read word vectors, of all words or of `words` and their lower case.

    `.npz` holds `words` (text) and `vectors` (float); `.bin` is word2vec's binary form; anything
    else is text, a word and its numbers a line, with or without word2vec's first line (count and
    dimension). Of a word that comes twice the first vector counts.

    Raises:
        DataError: the file is missing, damaged or of another form.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no word vectors at {path}; check the path")
    wanted = None if words is None else {*words, *(word.lower() for word in words)}
    if path.suffix == ".npz":
        pairs = _npz(path)
    elif path.suffix == ".bin":
        pairs = _binary(path)
    else:
        pairs = _text(path)
    rows: dict[str, int] = {}
    kept: list[NDArray[np.float32]] = []
    for word, vector in pairs:
        if word not in rows and (wanted is None or word in wanted):
            rows[word] = len(kept)
            kept.append(np.array(vector, dtype=np.float32))
    if not kept:
        raise DataError(f"{path} has no vector of the words that are needed; give another file")
    return WordVectors(rows, np.stack(kept))


_Pairs = Iterator[tuple[str, NDArray[np.floating]]]


def _npz(path: Path) -> _Pairs:
    try:
        words, vectors = read_npz(path, ("words", "vectors")).values()
    except NpzError as error:
        raise DataError(
            f"{path} is not an npz of the arrays 'words' and 'vectors' ({error}); write it with "
            "numpy.savez"
        ) from error
    if words.ndim != 1 or vectors.ndim != 2 or len(words) != len(vectors):
        raise DataError(
            f"{path} has words of shape {words.shape} for vectors of shape {vectors.shape}; give "
            "one row a word"
        )
    yield from zip(words.tolist(), vectors, strict=True)


def _binary(path: Path) -> _Pairs:
    with path.open("rb") as file:
        try:
            count, dimension = (int(number) for number in file.readline(100).split())
        except ValueError as error:
            raise DataError(
                f"{path} does not begin with the number of words and their dimension; it is not "
                "a word2vec binary file"
            ) from error
        for number in range(count):
            word = _word(file)
            data = file.read(4 * dimension)
            if word is None or len(data) < 4 * dimension:
                raise DataError(
                    f"{path} ends within word {number + 1} of {count}; fetch the file again"
                )
            yield word, np.frombuffer(data, dtype="<f4")


def _word(file: IO[bytes]) -> str | None:
    """Read up to the blank behind a word; a line end before it belongs to the last vector."""
    letters = bytearray()
    while (letter := file.read(1)) != b" ":
        if not letter or len(letters) > _LONGEST_WORD:
            return None
        if letter != b"\n":
            letters += letter
    return letters.decode("utf-8", errors="replace")


def _text(path: Path) -> _Pairs:
    dimension = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            fields = line.rstrip().split(" ")
            if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                continue
            dimension = dimension or len(fields) - 1
            word = " ".join(fields[:-dimension]) if dimension > 0 else ""
            try:
                vector = np.array(fields[-dimension:], dtype=np.float32)
            except ValueError:
                vector = np.zeros(0, np.float32)
            if not word or len(vector) != dimension:
                raise DataError(
                    f"line {number} of {path} is not a word and {max(dimension, 1)} numbers; give "
                    "GloVe or word2vec vectors as text, .bin or .npz"
                )
            yield word, vector
