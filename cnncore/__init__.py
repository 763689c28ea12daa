"""A CNN vocabulary in torch: blocks, initialisation, checkpoints and the one training loop.

Knows nothing about Go; `goengine` and `selfplay` are built on it.
"""

from __future__ import annotations

from cnncore.blocks import ConvNormAct, PositionBias, fold_batch_norm
from cnncore.checkpoint import (
    CHECKPOINT_VERSION,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    read_metadata,
    save_checkpoint,
)
from cnncore.init import he_normal_
from cnncore.optim import Muon, orthogonalise, split_parameters
from cnncore.training import Plan, TrainingError, TrainingState, fit

__all__ = [
    "CHECKPOINT_VERSION",
    "Checkpoint",
    "CheckpointError",
    "ConvNormAct",
    "Muon",
    "Plan",
    "PositionBias",
    "TrainingError",
    "TrainingState",
    "fit",
    "fold_batch_norm",
    "he_normal_",
    "load_checkpoint",
    "orthogonalise",
    "read_metadata",
    "save_checkpoint",
    "split_parameters",
]
