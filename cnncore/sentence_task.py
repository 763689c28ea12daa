"""Sentences for the commands: data, model and samples of a training run, or of a measurement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnncore.recipes import Recipe
from cnncore.samples import DataError, hold_out
from cnncore.sentences import Sentences, read_sentence_set
from cnncore.task import Task, new_model
from cnncore.text import SentenceSamples, Vocabulary
from cnncore.trained import Trained
from cnncore.vectors import read_vectors

VOCABULARY = "vocabulary"


def open_training(name: str, path: Path, recipe: Recipe, *, vectors: Path | None = None) -> Task:
    """Read the sentences at a path and make a model for their words, with word vectors if given.

    As in Kim's program the vocabulary is that of all parts of the set. Validation is the part
    "dev", or a share of the training sentences as the recipe says; the test part is left alone.

    Raises DataError, and ValueError for options that the model does not have.
    """
    data = read_sentence_set(path)
    vocabulary = Vocabulary.build(data.texts())
    options: dict[str, Any] = {"vocabulary": len(vocabulary)}
    if vectors is not None:
        rng = np.random.default_rng([recipe.seed, 4])
        table = read_vectors(vectors).table(vocabulary, rng=rng)
        options |= {"vectors": table, "dimension": table.shape[1]}
    model = new_model(name, len(data.train.classes), recipe, **options)
    facts = {VOCABULARY: vocabulary.metadata()}
    train = SentenceSamples.encode(data.train, vocabulary)
    if data.validation is not None:
        validation = SentenceSamples.encode(data.validation, vocabulary)
        return Task(train, validation, model, facts)
    if not recipe.holdout:
        return Task(train, None, model, facts)
    train, validation = hold_out(train, recipe.holdout, seed=recipe.seed)
    return Task(train, validation, model, facts)


def read_part(path: Path, split: str | None) -> tuple[str, Sentences]:
    """Return a part of a set and its name: the one asked for, else "test", "val" or "train".

    Raises DataError for one that is not there.
    """
    data = read_sentence_set(path)
    parts = {"test": data.test, "val": data.validation, "train": data.train}
    there = {name: part for name, part in parts.items() if part is not None}
    name = next(iter(there)) if split is None else split
    if name not in there:
        raise DataError(f"{path} has {', '.join(there)}, not {name}; choose one of these")
    return name, there[name]


def vocabulary_of(trained: Trained) -> Vocabulary:
    """Return the vocabulary that a trained model was made for.

    Raises DataError for a file that has none.
    """
    if VOCABULARY not in trained.facts:
        raise DataError(
            f"{trained.path.name} has no vocabulary, so it cannot read words; give a file that "
            "cnncore train wrote"
        )
    return Vocabulary.from_metadata(trained.facts[VOCABULARY])


def evaluation_samples(data: Sentences, trained: Trained) -> SentenceSamples:
    """Return sentences as a trained model is measured on."""
    return SentenceSamples.encode(data, vocabulary_of(trained))
