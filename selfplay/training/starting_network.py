"""What a run begins with: a network of another run, a file or a shipped one, perhaps widened."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cnncore.system.parallel import ALONE, Processes
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import Network
from goengine.networks.network_config import PolicyConfig, PolicyValueConfig
from goengine.networks.policy_value import PolicyValueNet
from goengine.networks.unfolding import unfolded
from selfplay.archive.reader import Archive
from selfplay.batches.packing import stage, unpack
from selfplay.batches.positions import Positions
from selfplay.learners.learner import wider
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import named_network, run_config

log = logging.getLogger(__name__)

TUNED = "policy-residual-64"
"""The network that fine-tuning starts from where none is named: quick to train on a processor."""
SETTLING = 512
"""Positions whose statistics the normalisation of an exported network takes anew."""


def network_to_start_from(name: str, filters: int | None, recipe: Recipe) -> Network:
    """Return the network of a run, a file or a shipped one, widened to `filters` if given.

    An empty name is `TUNED`.
    """
    net = named_network(name or TUNED)
    if not filters:
        return net
    rng, noise = np.random.default_rng(recipe.seed), recipe.grow_noise
    return wider(net, filters, rng, noise=noise)


def open_run(
    folder: Path,
    recipe: Recipe,
    archive: Archive,
    *,
    device: torch.device,
    start: str | None = None,
    filters: int | None = None,
    workers: int = 1,
    processes: Processes = ALONE,
    other_data: bool = False,
    more_archives: Sequence[Archive] = (),
) -> Run:
    """Return the run in a folder, or a new one that begins with the network `start`.

    A new run widens that network to `filters`; without `start` it begins with a fresh network.

    Raises:
        RecipeError: the network has another kind or shape than the recipe, or is missing.
    """
    begins_with = None
    files = RunFolder(folder, processes)
    if files.begun:
        files.prepare()  # puts the checkpoint before in the place of a damaged one
        recipe = _shaped(recipe, run_config(folder))
    elif start is None:
        if filters:
            raise RecipeError("--widen needs a network to start from; add --from NET")
        if recipe.freeze != "none":
            raise RecipeError("a frozen trunk needs a network to start from; add --from NET")
    else:
        begins_with = network_to_start_from(start, filters, recipe)
        recipe = _shaped(recipe, begins_with.config)
        if isinstance(begins_with, PolicyValueNet) and recipe.judges and recipe.norm:
            begins_with = _normalised(begins_with, archive, recipe)
        _check_fit(start or TUNED, begins_with.config, recipe)
    return Run(
        folder,
        recipe,
        archive,
        device=device,
        start_from=begins_with,
        workers=workers,
        processes=processes,
        other_data=other_data,
        more_archives=more_archives,
    )


def _shaped(recipe: Recipe, config: PolicyConfig) -> Recipe:
    """Return a recipe with what it takes over from the network that its run begins with.

    On a frozen trunk that is all of the shape, otherwise nothing.
    """
    if recipe.freeze == "none" or not isinstance(config, PolicyValueConfig):
        return recipe
    return replace(
        recipe,
        network=config.kind,
        filters=config.filters,
        layers=config.layers,
        norm=config.norm,
        pools=config.pools,
        neck=config.neck,
        hidden=config.hidden,
    )


def _normalised(net: PolicyValueNet, archive: Archive, recipe: Recipe) -> PolicyValueNet:
    """Return a network with batch normalisation; that of an exported file is made anew."""
    if net.config.norm:
        return net
    size = int(archive.games["size"].max())
    positions = Positions(archive, "train", size=size)
    planes, _ = unpack(stage(positions.random_batch(SETTLING, seed=recipe.seed, number=0)))
    log.info("batch normalisation made anew from %d positions", SETTLING)
    return unfolded(net, planes)


def _check_fit(name: str, config: PolicyConfig, recipe: Recipe) -> None:
    """Refuse a network of another kind or shape than the recipe trains.

    Raises:
        RecipeError: as it says.
    """
    if isinstance(config, PolicyValueConfig) != recipe.judges:
        kinds = ("a policy network", "a policy-value network")
        mine, wanted = kinds if recipe.judges else reversed(kinds)
        other = "dual-96" if recipe.judges else "policy-residual-64"
        raise RecipeError(
            f"{name} is {mine} and the recipe trains {wanted}; start from one, {other} for "
            f"instance, or take a recipe for {mine}"
        )
    if config.norm != recipe.norm:
        raise RecipeError(
            f"the network to start from has norm = {str(config.norm).lower()}; add --set "
            f"norm={str(config.norm).lower()}, or start from the folder of its run"
        )
    if (config.kind, config.layers) != (recipe.network, recipe.layers):
        raise RecipeError(
            f"the network to start from is {config.kind} with {config.layers} layers and "
            f"the recipe's {recipe.network} with {recipe.layers}; take a recipe of that shape, or "
            f"--set network={config.kind} --set layers={config.layers}"
        )
    if config.filters != recipe.filters:
        raise RecipeError(
            f"the network to start from has {config.filters} filters and the recipe "
            f"{recipe.filters}; add --widen {recipe.filters} or --set filters={config.filters}"
        )
    if isinstance(config, PolicyValueConfig):
        mine_heads = (config.pools, config.neck, config.hidden)
        if mine_heads != (recipe.pools, recipe.neck, recipe.hidden):
            raise RecipeError(
                f"the network to start from has pools, neck and hidden {mine_heads} and the recipe "
                f"{(recipe.pools, recipe.neck, recipe.hidden)}; --set those of the network"
            )
