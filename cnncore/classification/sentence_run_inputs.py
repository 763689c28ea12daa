"""Sentences for the commands: data, model and samples of a training run, or of a measurement."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cnncore.classification.run_inputs import RunInputs, new_model
from cnncore.classification.trained_models import Trained
from cnncore.data.samples import DataError, hold_out
from cnncore.data.text.sentence_files import Sentences, SentenceSet, read_sentence_set
from cnncore.data.text.vocabulary import SentenceSamples, Tokeniser, Vocabulary
from cnncore.data.text.word_vectors import read_vectors
from cnncore.recipes import Recipe

VOCABULARY = "vocabulary"
"""The fact of a trained model that holds its vocabulary."""

log = logging.getLogger(__name__)

# Shares of the words: unknown ones, which an English sentence has few of, and those with letters
# that the tokeniser drops. French, German or Spanish sentences have more of one or the other.
_UNKNOWN, _OTHER = 0.3, 0.2
_LONG = 80


def open_training(
    name: str, path: Path, recipe: Recipe, *, vectors: Path | None = None
) -> RunInputs:
    """Read the sentences at a path and make a model for them, with word vectors if given.

    Validation is the part "dev", or a share of the training sentences as the recipe says; the
    part "test" is not learnt from. As in Kim's program the vocabulary is that of all parts, so
    that words of the test sentences have their vectors.

    Raises:
        DataError: the data cannot be read or do not fit the model.
        ValueError: `create_model` refuses the name, an option or the weights.
    """
    return inputs_of_sentences(name, read_sentence_set(path), recipe, vectors=vectors)


def inputs_of_sentences(
    name: str, sentences: SentenceSet, recipe: Recipe, *, vectors: Path | None = None
) -> RunInputs:
    """Return what `open_training` does, of sentences in memory."""
    if vectors is None and name != "kim-rand":
        raise DataError(f"{name} starts from word vectors; add --vectors FILE, or train kim-rand")
    tokeniser = Tokeniser(split=recipe.split_words, lower=recipe.lower_case)
    vocabulary = Vocabulary.build(sentences.texts(), tokeniser)
    options: dict[str, Any] = {}
    if vectors is not None:
        words = read_vectors(vectors, words=None if recipe.all_words else vocabulary.words)
        if recipe.all_words:
            vocabulary = vocabulary.with_words(words.rows)
        rows = words.table(vocabulary, rng=np.random.default_rng([recipe.seed, 4]))
        options = {"vectors": rows, "dimension": words.dimension}
    train = SentenceSamples.encode(sentences.train, vocabulary)
    classes = len(train.classes)
    model = new_model(name, classes, recipe, vocabulary=len(vocabulary), **options)
    facts = {VOCABULARY: vocabulary.metadata()}
    if sentences.validation is not None:
        return RunInputs(
            train, SentenceSamples.encode(sentences.validation, vocabulary), model, facts
        )
    if not recipe.holdout:
        return RunInputs(train, None, model, facts)
    train, validation = hold_out(train, recipe.holdout, seed=recipe.seed)
    return RunInputs(train, validation, model, facts)


def read_part(path: Path, part: str | None) -> tuple[str, Sentences]:
    """Return a part of a set of sentences and its name: the one asked for, else test, val, all.

    Raises:
        DataError: it is not there.
    """
    data = read_sentence_set(path)
    split = data.test is not None or data.validation is not None
    parts = {"test": data.test, "val": data.validation, "train" if split else "all": data.train}
    there = {name: sentences for name, sentences in parts.items() if sentences is not None}
    name = next(iter(there)) if part is None else part
    if name not in there:
        raise DataError(f"{path} has {', '.join(there)}, not {name}; choose one of these")
    return name, there[name]


def vocabulary_of(trained: Trained) -> Vocabulary:
    """Return the vocabulary of a trained model.

    Raises:
        DataError: its file does not hold one.
    """
    if VOCABULARY not in trained.facts:
        raise DataError(
            f"{trained.path.name} does not tell its vocabulary; use a file that cnncore train wrote"
        )
    return Vocabulary.from_metadata(trained.facts[VOCABULARY])


def check_language(text: str, vocabulary: Vocabulary, where: str) -> None:
    """Warn of a sentence of which the model `where` knows too few words to judge it.

    Raises:
        DataError: it does not have a word that the model can read.
    """
    words, unknown, other = vocabulary.unread(text)
    if not words or not vocabulary.encode(text):
        script = ", as the model reads the letters a to z alone" if other else ""
        raise DataError(f"{text!r} has no words that {where} can read{script}; write a sentence")
    if words and (unknown >= _UNKNOWN * words or other >= _OTHER * words):
        log.warning(
            "%d of %d words of %r are unknown to %s: in another language than its own, or on "
            "something else, the answer means little",
            *(unknown, words, text if len(text) < _LONG else f"{text[:_LONG]}...", where),
        )


def evaluation_samples(sentences: Sentences, trained: Trained) -> SentenceSamples:
    """Return sentences as a trained model is measured on.

    Their classes get the model's names where they are its numbers ("0", "1") or the beginnings of
    its names ("neg", "pos").
    """
    names = trained.names()

    def of_model(label: str) -> str:
        if label in names:
            return label
        if label.isdigit() and int(label) < len(names):
            return names[int(label)]
        longer = [name for name in names if name.startswith(label)]
        return longer[0] if len(longer) == 1 else label

    classes = tuple(of_model(label) for label in sentences.classes)
    return SentenceSamples.encode(replace(sentences, classes=classes), vocabulary_of(trained))
