"""A CNN vocabulary in torch, the classic networks made of it, and the one training loop.

Knows nothing about Go; `goengine` and `selfplay` are built on it. Names are loaded at first use, so
that `import cnncore` and listing the models cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncore.classification.classifier_run import ClassifierRun
    from cnncore.classification.scores import Score, ensemble, predict, score
    from cnncore.classification.trained_models import Trained, open_trained
    from cnncore.classification.transfer import cache_features, freeze
    from cnncore.data.images.image_data import ImageData
    from cnncore.data.images.image_samples import (
        Augmentation,
        ImageSamples,
        find_images,
        read_images,
    )
    from cnncore.data.samples import DataError, Samples
    from cnncore.data.text.sentence_files import (
        Sentences,
        SentenceSet,
        read_sentence_set,
        read_sentences,
    )
    from cnncore.data.text.vocabulary import SentenceSamples, Tokeniser, Vocabulary
    from cnncore.data.text.word_vectors import WordVectors, read_vectors
    from cnncore.explain.deconvnet import Projection, project
    from cnncore.explain.occlusion import OcclusionMaps, occlude, occlude_words
    from cnncore.explain.top_images import strongest_images
    from cnncore.layers.alexnet_layers import LocalResponseNorm
    from cnncore.layers.blocks import ConvNormAct, PositionBias, fold_batch_norm
    from cnncore.layers.inception import AuxiliaryClassifier, Inception, NaiveInception
    from cnncore.layers.initialisation import he_normal_
    from cnncore.layers.residual import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck
    from cnncore.models.classifier import Classifier, FeatureMaps, Preset
    from cnncore.models.registry import UnknownModelError, list_models
    from cnncore.models.shapes import (
        ReceptiveField,
        Summary,
        conv_output_size,
        receptive_fields,
        summary,
    )
    from cnncore.system.parallel import Processes, joined
    from cnncore.training.compiled import Compiled
    from cnncore.training.loop import Course, fit
    from cnncore.training.muon import Muon, orthogonalise, split_parameters
    from cnncore.training.schedule import Plan
    from cnncore.training.training_state import TrainingError, TrainingState
    from cnncore.weights.checkpoint import (
        CHECKPOINT_VERSION,
        Checkpoint,
        CheckpointError,
        load_checkpoint,
        read_metadata,
        save_checkpoint,
    )
    from cnncore.weights.matching import LoadReport, load_weights
    from cnncore.weights.model_files import create_model, load_model, save_model
    from cnncore.weights.weight_files import WeightsError, read_weights

_NAMES = {
    "layers.blocks": ("ConvNormAct", "PositionBias", "fold_batch_norm"),
    "weights.checkpoint": (
        "CHECKPOINT_VERSION",
        "Checkpoint",
        "CheckpointError",
        "load_checkpoint",
        "read_metadata",
        "save_checkpoint",
    ),
    "classification.classifier_run": ("ClassifierRun",),
    "explain.deconvnet": ("Projection", "project"),
    "training.compiled": ("Compiled",),
    "classification.scores": ("Score", "ensemble", "predict", "score"),
    "data.images.image_data": ("ImageData",),
    "data.images.image_samples": ("Augmentation", "ImageSamples", "find_images", "read_images"),
    "layers.inception": ("AuxiliaryClassifier", "Inception", "NaiveInception"),
    "layers.initialisation": ("he_normal_",),
    "models.classifier": ("Classifier", "FeatureMaps", "Preset"),
    "explain.occlusion": ("OcclusionMaps", "occlude", "occlude_words"),
    "training.muon": ("Muon", "orthogonalise", "split_parameters"),
    "system.parallel": ("Processes", "joined"),
    "layers.residual": ("BasicBlock", "Bottleneck", "PreActBasicBlock", "PreActBottleneck"),
    "layers.alexnet_layers": ("LocalResponseNorm",),
    "data.samples": ("DataError", "Samples"),
    "data.text.sentence_files": ("SentenceSet", "Sentences", "read_sentence_set", "read_sentences"),
    "models.shapes": (
        "ReceptiveField",
        "Summary",
        "conv_output_size",
        "receptive_fields",
        "summary",
    ),
    "explain.top_images": ("strongest_images",),
    "data.text.vocabulary": ("SentenceSamples", "Tokeniser", "Vocabulary"),
    "classification.trained_models": ("Trained", "open_trained"),
    "training.loop": ("Course", "fit"),
    "training.schedule": ("Plan",),
    "training.training_state": ("TrainingError", "TrainingState"),
    "classification.transfer": ("cache_features", "freeze"),
    "data.text.word_vectors": ("WordVectors", "read_vectors"),
    "weights.weight_files": ("WeightsError", "read_weights"),
    "weights.matching": ("LoadReport", "load_weights"),
    "weights.model_files": ("create_model", "load_model", "save_model"),
    "models.registry": ("UnknownModelError", "list_models"),
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
    "Course",
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
