"""What a run begins with: a network of another run, a file or a shipped one, perhaps widened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cnncore.system.parallel import ALONE, Processes
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import default_network, policy_network
from goengine.networks.policy_network import PolicyNet
from goengine.networks.widening import widen
from selfplay.archive.reader import Archive
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import named_network


def network_to_start_from(name: str, filters: int | None, recipe: Recipe) -> PolicyNet:
    """Return the network of a run, a file or a shipped one, widened to `filters` if given.

    An empty name is the shipped network that plays by default.
    """
    name = name or default_network()
    net = policy_network(named_network(name), name)
    if filters:
        net = widen(net, filters, np.random.default_rng(recipe.seed), noise=recipe.grow_noise)
    return net


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
) -> Run:
    """Return the run in a folder, or a new one that begins with the network `start`.

    A new run widens that network to `filters`; without `start` it begins with a fresh network.

    Raises:
        RecipeError: the network has another shape than the recipe, or only `filters` is given.
    """
    begins_with = None
    if not RunFolder(folder).begun:
        if start is None and filters:
            raise RecipeError("--widen needs a network to start from; add --from NET")
        if start is not None:
            begins_with = _fitting_network(start, filters, recipe)
    return Run(
        folder,
        recipe,
        archive,
        device=device,
        start_from=begins_with,
        workers=workers,
        processes=processes,
        other_data=other_data,
    )


def _fitting_network(name: str, filters: int | None, recipe: Recipe) -> PolicyNet:
    """Return the network to start from, if it has the shape that the recipe trains.

    Raises:
        RecipeError: it has another one.
    """
    net = network_to_start_from(name, filters, recipe)
    if net.config.norm != recipe.norm:
        raise RecipeError(
            f"the network to start from has norm = {str(net.config.norm).lower()}; add --set "
            f"norm={str(net.config.norm).lower()}, or start from the folder of its run"
        )
    if (net.config.kind, net.config.layers) != (recipe.network, recipe.layers):
        raise RecipeError(
            f"the network to start from is {net.config.kind} with {net.config.layers} layers and "
            f"the recipe's {recipe.network} with {recipe.layers}; take a recipe of that shape, or "
            f"--set network={net.config.kind} --set layers={net.config.layers}"
        )
    if net.config.filters != recipe.filters:
        raise RecipeError(
            f"the network to start from has {net.config.filters} filters and the recipe "
            f"{recipe.filters}; add --widen {recipe.filters} or --set filters={net.config.filters}"
        )
    return net
