"""Muon: momentum whose update is made orthogonal, for weights that are matrices or kernels.

K. Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"
(kellerjordan.github.io/posts/muon). Biases, normalisation parameters and output layers belong to
another optimiser; `split_parameters` sorts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

# Jordan et al. 2024: a quintic with a steep slope at zero; singular values end in 0.7 ... 1.2.
_QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrix: Tensor, *, steps: int = 5) -> Tensor:
    """Return a matrix with `matrix`'s singular vectors and singular values near 1 (Newton-Schulz).

    `matrix` is (..., rows, columns) of any float dtype, each matrix by itself; the iteration runs
    in that dtype.
    """
    a, b, c = _QUINTIC
    x: Tensor = matrix / (matrix.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class GroupOptimizer(Optimizer):
    """An optimiser that steps by one group of parameters after the other, by its `update`."""

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update all groups; a closure computes the loss, which is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.update(group)
        return loss

    def update(self, group: dict[str, Any]) -> None:
        """Update the parameters of one group that have a gradient."""
        raise NotImplementedError


class Muon(GroupOptimizer):
    """Step along each weight's orthogonalised Nesterov momentum, flattened to (outputs, rest).

    `lr` is the change of a typical singular value per step, multiplied by sqrt(max(1, rows /
    columns)); `weight_decay` is decoupled (w -= lr * weight_decay * w). Weights of one shape are
    iterated together, in float32, on CUDA in bfloat16.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        *,
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def update(self, group: dict[str, Any]) -> None:
        """Update every parameter of a group that has a gradient, those of one shape together."""
        alike: dict[tuple[object, ...], list[Tensor]] = {}
        for parameter in group["params"]:
            if parameter.grad is not None:
                shape = (parameter.shape, parameter.device, parameter.dtype)
                alike.setdefault(shape, []).append(parameter)
        for parameters in alike.values():
            self._update(parameters, group)

    def _update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Step along all of some parameters of one shape."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        velocities = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            velocities.append(state["momentum_buffer"])
        torch._foreach_lerp_(velocities, gradients, 1.0 - group["momentum"])
        updates = torch._foreach_lerp(gradients, velocities, group["momentum"])
        matrices = torch.stack([update.flatten(1) for update in updates])
        if matrices.is_cuda:
            matrices = matrices.bfloat16()
        scale = max(1.0, matrices.shape[1] / matrices.shape[2]) ** 0.5
        directions = orthogonalise(matrices).to(parameters[0].dtype)
        steps = [d.reshape(p.shape) for d, p in zip(directions, parameters, strict=True)]
        torch._foreach_mul_(parameters, 1.0 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, steps, alpha=-group["lr"] * scale)


def split_parameters(
    model: nn.Module, *, output_layers: Iterable[nn.Module] = ()
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return (weights for Muon, all others): matrices and kernels outside `output_layers`."""
    output = {id(p) for layer in output_layers for p in layer.parameters()}
    weights = [p for p in model.parameters() if p.ndim >= 2 and id(p) not in output]
    chosen = {id(p) for p in weights}
    return weights, [p for p in model.parameters() if id(p) not in chosen]
