"""Optimisers that touch only those word vectors that a batch has: sparse Adadelta and Adam.

A table of 20,000 words is too large to be updated whole for the few hundred words of a batch.
Adadelta (Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1) moves no row that
has no gradient; only its two averages decay, which is made up for when the row comes again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from cnncore.training.muon import GroupOptimizer


class Adadelta(GroupOptimizer):
    """Step by the gradient times RMS of past steps over RMS of past gradients.

    Equals torch.optim.Adadelta, and takes sparse gradients too (`nn.Embedding(sparse=True)`). An
    average is `rho` of its old value and 1 - rho of the new square; `eps` keeps the first steps
    from being zero; `lr` multiplies the steps (1 in the paper).
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        *,
        lr: float = 1.0,
        rho: float = 0.95,
        eps: float = 1e-6,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, group: dict[str, Any]) -> None:
        """Update every parameter of a group that has a gradient."""
        for parameter in group["params"]:
            if parameter.grad is not None:
                self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["square_avg"] = torch.zeros_like(parameter)
            state["acc_delta"] = torch.zeros_like(parameter)
            if gradient.is_sparse:  # the step at which each row's averages were brought up to date
                state["seen"] = parameter.new_zeros(len(parameter))
        state["step"] += 1
        rho, eps = group["rho"], group["eps"]
        squares, steps = state["square_avg"], state["acc_delta"]
        if not gradient.is_sparse:
            parameter.sub_(_step(squares, steps, gradient, rho, eps), alpha=group["lr"])
            return
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        missed = state["step"].to(parameter.device) - 1 - state["seen"][rows]
        decay = (rho**missed).reshape(-1, *[1] * (values.ndim - 1))
        row_squares, row_steps = squares[rows] * decay, steps[rows] * decay
        delta = _step(row_squares, row_steps, values, rho, eps)
        squares[rows], steps[rows] = row_squares, row_steps
        state["seen"][rows] = state["step"].to(parameter.device)
        parameter.index_add_(0, rows, delta, alpha=-group["lr"])


class SparseAdam(torch.optim.SparseAdam):
    """Torch's SparseAdam, whose moments decay only with a gradient, in a form that can be saved."""

    def step(self, closure: Any = None) -> Any:
        """Update the rows that have a gradient; the counter becomes a tensor, as Adam's is."""
        loss = super().step(closure)  # type: ignore[no-untyped-call]
        for state in self.state.values():
            state["step"] = torch.as_tensor(state["step"])
        return loss


def _step(squares: Tensor, steps: Tensor, gradient: Tensor, rho: float, eps: float) -> Tensor:
    """Bring both averages up to date in place and return the step for `lr` 1."""
    squares.mul_(rho).addcmul_(gradient, gradient, value=1.0 - rho)
    delta = (steps + eps).sqrt_().mul_(gradient).div_((squares + eps).sqrt_())
    steps.mul_(rho).addcmul_(delta, delta, value=1.0 - rho)
    return delta
