"""Sentences into word numbers: the tokeniser of Kim 2014, the vocabulary, and the samples.

A `Vocabulary` knows its tokeniser and fits into the metadata of a checkpoint, so that a trained
file reads plain text without the data that it was trained on.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnncore.data.samples import DataError
from cnncore.data.text.sentence_files import Sentences
from cnncore.models.classics.kim_cnn import PADDING

UNKNOWN = 1
_FIRST = 2  # the number of the first word

_FOREIGN = re.compile(r"[^A-Za-z0-9(),!?'`]")
_CLITIC = re.compile(r"(?='(?:s|ve|re|d|ll)|n't)")
_MARK = re.compile(r"[(),!?]")


@dataclass(frozen=True)
class Tokeniser:
    """Cut a sentence into words as Kim's program does.

    Everything but letters without accents, figures and ( ) , ! ? ' ` becomes a blank. Kim reads
    TREC with its case, and SST, which comes cut into words, without `split`.

    >>> Tokeniser()("It isn't bad: go, see!")
    ['it', 'is', "n't", 'bad', 'go', ',', 'see', '!']
    """

    split: bool = True
    """Make ( ) , ! ? words of their own and cut before 's 've 're 'd 'll n't."""
    lower: bool = True
    """Ignore case."""

    def __call__(self, sentence: str) -> list[str]:
        """Return the words of a sentence; a blank one does not have any."""
        text = _FOREIGN.sub(" ", sentence)
        if self.split:
            text = _MARK.sub(r" \g<0> ", _CLITIC.sub(" ", text))
        return (text.lower() if self.lower else text).split()


class Vocabulary:
    """Words and their numbers: 0 is padding, 1 an unknown word, the words follow in their order.

    `len` counts these two as well, so it is the number of rows of a table of word vectors. Raises
    DataError for a word that comes twice.
    """

    def __init__(self, words: Sequence[str], tokeniser: Tokeniser | None = None) -> None:
        self.words = tuple(words)
        self.tokeniser = Tokeniser() if tokeniser is None else tokeniser
        self._numbers = {word: number for number, word in enumerate(self.words, _FIRST)}
        if len(self._numbers) != len(self.words):
            twice = next(word for word, count in Counter(self.words).items() if count > 1)
            raise DataError(f"the vocabulary has {twice!r} twice; give each word once")

    @classmethod
    def build(
        cls, sentences: Iterable[str], tokeniser: Tokeniser | None = None, *, minimum: int = 1
    ) -> Vocabulary:
        """Return the words that occur at least `minimum` times, the most frequent first."""
        tokeniser = Tokeniser() if tokeniser is None else tokeniser
        counts = Counter(word for sentence in sentences for word in tokeniser(sentence))
        words = [word for word, count in counts.items() if count >= minimum]
        return cls(sorted(words, key=lambda word: (-counts[word], word)), tokeniser)

    def with_words(self, words: Iterable[str]) -> Vocabulary:
        """Return a vocabulary that has `words` behind its own."""
        return Vocabulary([*self.words, *(w for w in words if w not in self)], self.tokeniser)

    def __len__(self) -> int:
        """Return the number of rows that a table of vectors for this vocabulary has."""
        return _FIRST + len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._numbers

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Vocabulary)
            and self.words == other.words
            and self.tokeniser == other.tokeniser
        )

    __hash__ = None  # type: ignore[assignment]

    def number(self, word: str) -> int:
        """Return the number of a word, `UNKNOWN` for one that is not in it."""
        return self._numbers.get(word, UNKNOWN)

    def encode(self, sentence: str) -> list[int]:
        """Return the word numbers of a sentence; a blank one does not have any."""
        return [self._numbers.get(word, UNKNOWN) for word in self.tokeniser(sentence)]

    def unread(self, sentence: str) -> tuple[int, int, int]:
        """Return how many words a sentence has, how many are unknown, and how many not in a to z.

        Words are what blanks part here; one whose letters the tokeniser drops is unknown as well.
        """
        words = [word for word in sentence.split() if any(map(str.isalpha, word))]
        other = [word for word in words if any(c.isalpha() and not c.isascii() for c in word)]
        plain = [word for word in words if word not in other]
        unknown = [word for word in plain if any(n == UNKNOWN for n in self.encode(word))]
        return len(words), len(unknown) + len(other), len(other)

    def batch(self, sentences: Sequence[str]) -> Tensor:
        """Return the word numbers int64 (B, L) of sentences, padded behind to the longest."""
        return padded([self.encode(sentence) for sentence in sentences])

    def metadata(self) -> dict[str, Any]:
        """Return what `from_metadata` needs, as JSON has it."""
        return {"words": list(self.words), "tokeniser": asdict(self.tokeniser)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Vocabulary:
        """Return the vocabulary that `metadata` describes.

        Raises:
            DataError: it does not describe a vocabulary.
        """
        try:
            return cls(metadata["words"], Tokeniser(**metadata["tokeniser"]))
        except (KeyError, TypeError) as error:
            raise DataError(
                f"the file holds no vocabulary that this program can read ({error}); train again"
            ) from error


class SentenceSamples:
    """Sentences as word numbers of a vocabulary: what `KimCNN` learns from and is measured on.

    `batch` gives int64 (B, L), padded behind to the longest of the batch. `lengths`, int64 (N,),
    lets a training run put sentences of like length into a batch.
    """

    def __init__(
        self,
        numbers: Sequence[Sequence[int]],
        labels: Tensor,
        classes: tuple[str, ...],
        vocabulary: Vocabulary,
    ) -> None:
        self._numbers = list(numbers)
        self.labels = labels
        self.classes = classes
        self.vocabulary = vocabulary
        self.lengths = torch.tensor([len(row) for row in self._numbers], dtype=torch.int64)

    @classmethod
    def encode(cls, sentences: Sentences, vocabulary: Vocabulary) -> SentenceSamples:
        """Return labelled sentences as samples."""
        numbers = [vocabulary.encode(text) for text in sentences.texts]
        labels = torch.tensor(sentences.labels, dtype=torch.int64)
        return cls(numbers, labels, sentences.classes, vocabulary)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of classes, vocabulary, sentences and labels, in hexadecimal."""
        content = hashlib.sha256("\n".join((*self.classes, "", *self.vocabulary.words)).encode())
        content.update(self.lengths.numpy().tobytes())
        content.update(padded(self._numbers).numpy().tobytes())
        content.update(self.labels.numpy().tobytes())
        return content.hexdigest()

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self._numbers)

    def batch(self, index: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the word numbers int64 (B, L) of sentences; nothing about them is random."""
        return padded([self._numbers[i] for i in index.tolist()])

    def subset(self, index: Tensor) -> SentenceSamples:
        """Return the sentences `index`, int64 (n,), in that order."""
        numbers = [self._numbers[i] for i in index.tolist()]
        return SentenceSamples(numbers, self.labels[index], self.classes, self.vocabulary)


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Return rows of word numbers as int64 (B, L), padded behind to the longest."""
    longest = max((len(row) for row in rows), default=0)
    table = np.full((len(rows), longest), PADDING, np.int64)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return torch.from_numpy(table)
