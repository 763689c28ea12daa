"""The optimisers of a recipe: kernels in the first one, everything else in the last."""

from __future__ import annotations

from torch.optim import SGD, Adam, Optimizer

from cnncore.training.muon import Muon, split_parameters
from selfplay.learners.learner import JudgingLearner, Learner
from selfplay.recipes import Recipe


def make_optimizers(model: Learner, recipe: Recipe) -> list[Optimizer]:
    """Return the optimisers of what learns: kernels in the first one, all else in the last."""
    outputs = [model.policy.head, model.heads]
    if isinstance(model, JudgingLearner):
        net = model.policy
        outputs += [net.owner, net.hidden, net.outcome]
    split = split_parameters(model, output_layers=outputs)
    kernels, rest = ([p for p in group if p.requires_grad] for group in split)
    fused = True if rest[0].is_cuda else None
    if recipe.optimizer == "muon":
        muon = Muon(
            kernels, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        return [muon, Adam(rest, lr=recipe.lr_rest, betas=(0.9, 0.99), fused=fused)]
    groups = [
        {"params": kernels, "lr": recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": recipe.lr_rest, "weight_decay": 0.0},
    ]
    nesterov = recipe.momentum > 0
    return [SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov, fused=fused)]
