"""A CNN vocabulary in torch, the classic networks made of it, and the one training loop.

Knows nothing about Go; `goengine` and `selfplay` are built on it. Names are loaded at first use, so
that ``import cnncore`` and listing the models cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnncore.registry import UnknownModelError, create_model, list_models

if TYPE_CHECKING:
    from cnncore.blocks import ConvNormAct, PositionBias, fold_batch_norm
    from cnncore.checkpoint import (
        CHECKPOINT_VERSION,
        Checkpoint,
        CheckpointError,
        load_checkpoint,
        read_metadata,
        save_checkpoint,
    )
    from cnncore.classifiers import ClassifierRun
    from cnncore.compiled import Compiled
    from cnncore.deconvnet import Projection, project
    from cnncore.evaluation import Score, ensemble, predict, score
    from cnncore.image_data import ImageData
    from cnncore.images import Augmentation, ImageSamples, find_images, read_images
    from cnncore.inception import AuxiliaryClassifier, Inception, NaiveInception
    from cnncore.init import he_normal_
    from cnncore.model import Classifier, FeatureMaps, Preset
    from cnncore.occlusion import OcclusionMaps, occlude, occlude_words
    from cnncore.optim import Muon, orthogonalise, split_parameters
    from cnncore.parallel import Processes, joined
    from cnncore.residual import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck
    from cnncore.response import LocalResponseNorm
    from cnncore.samples import DataError, Samples
    from cnncore.sentences import Sentences, SentenceSet, read_sentence_set, read_sentences
    from cnncore.shapes import (
        ReceptiveField,
        Summary,
        conv_output_size,
        receptive_fields,
        summary,
    )
    from cnncore.strongest import strongest_images
    from cnncore.text import SentenceSamples, Tokeniser, Vocabulary
    from cnncore.trained import Trained, open_trained
    from cnncore.training import Plan, TrainingError, TrainingState, fit
    from cnncore.transfer import cache_features, freeze
    from cnncore.vectors import WordVectors, read_vectors
    from cnncore.weight_files import WeightsError, read_weights
    from cnncore.weights import LoadReport, load_model, load_weights, save_model

_NAMES = {
    "blocks": ("ConvNormAct", "PositionBias", "fold_batch_norm"),
    "checkpoint": (
        "CHECKPOINT_VERSION",
        "Checkpoint",
        "CheckpointError",
        "load_checkpoint",
        "read_metadata",
        "save_checkpoint",
    ),
    "classifiers": ("ClassifierRun",),
    "deconvnet": ("Projection", "project"),
    "compiled": ("Compiled",),
    "evaluation": ("Score", "ensemble", "predict", "score"),
    "image_data": ("ImageData",),
    "images": ("Augmentation", "ImageSamples", "find_images", "read_images"),
    "inception": ("AuxiliaryClassifier", "Inception", "NaiveInception"),
    "init": ("he_normal_",),
    "model": ("Classifier", "FeatureMaps", "Preset"),
    "occlusion": ("OcclusionMaps", "occlude", "occlude_words"),
    "optim": ("Muon", "orthogonalise", "split_parameters"),
    "parallel": ("Processes", "joined"),
    "residual": ("BasicBlock", "Bottleneck", "PreActBasicBlock", "PreActBottleneck"),
    "response": ("LocalResponseNorm",),
    "samples": ("DataError", "Samples"),
    "sentences": ("SentenceSet", "Sentences", "read_sentence_set", "read_sentences"),
    "shapes": (
        "ReceptiveField",
        "Summary",
        "conv_output_size",
        "receptive_fields",
        "summary",
    ),
    "strongest": ("strongest_images",),
    "text": ("SentenceSamples", "Tokeniser", "Vocabulary"),
    "trained": ("Trained", "open_trained"),
    "training": ("Plan", "TrainingError", "TrainingState", "fit"),
    "transfer": ("cache_features", "freeze"),
    "vectors": ("WordVectors", "read_vectors"),
    "weight_files": ("WeightsError", "read_weights"),
    "weights": ("LoadReport", "load_model", "load_weights", "save_model"),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "CHECKPOINT_VERSION",
    "Augmentation",
    "AuxiliaryClassifier",
    "BasicBlock",
    "Bottleneck",
    "Checkpoint",
    "CheckpointError",
    "Classifier",
    "ClassifierRun",
    "Compiled",
    "ConvNormAct",
    "DataError",
    "FeatureMaps",
    "ImageData",
    "ImageSamples",
    "Inception",
    "LoadReport",
    "LocalResponseNorm",
    "Muon",
    "NaiveInception",
    "OcclusionMaps",
    "Plan",
    "PositionBias",
    "PreActBasicBlock",
    "PreActBottleneck",
    "Preset",
    "Processes",
    "Projection",
    "ReceptiveField",
    "Samples",
    "Score",
    "SentenceSamples",
    "SentenceSet",
    "Sentences",
    "Summary",
    "Tokeniser",
    "Trained",
    "TrainingError",
    "TrainingState",
    "UnknownModelError",
    "Vocabulary",
    "WeightsError",
    "WordVectors",
    "cache_features",
    "conv_output_size",
    "create_model",
    "ensemble",
    "find_images",
    "fit",
    "fold_batch_norm",
    "freeze",
    "he_normal_",
    "joined",
    "list_models",
    "load_checkpoint",
    "load_model",
    "load_weights",
    "occlude",
    "occlude_words",
    "open_trained",
    "orthogonalise",
    "predict",
    "project",
    "read_images",
    "read_metadata",
    "read_sentence_set",
    "read_sentences",
    "read_vectors",
    "read_weights",
    "receptive_fields",
    "save_checkpoint",
    "save_model",
    "score",
    "split_parameters",
    "strongest_images",
    "summary",
]


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cnncore' has no attribute {name!r}")
    return getattr(import_module(f"cnncore.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
