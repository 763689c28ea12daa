"""A module that torch.compile has translated, used only after one step of it has proved right.

A translated backward pass can be wrong without a word: one gave NaN gradients at its first step
where the module itself did not. So a step is taken three ways before training: as the module is,
compiled, and in float32. The compiled step may be as far from float32 as rounding puts the plain
one, with some room; otherwise the module runs as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnncore.system.devices import TrainingPrecision, autocast

log = logging.getLogger(__name__)

Compiler = Callable[[nn.Module], Callable[..., Any]]
Loss = Callable[[nn.Module, Any], tuple[Tensor, dict[str, Tensor]]]

ROOM = 4.0
"""How many times farther from float32 than the plain step a compiled one may be."""
FEW = 16.0
"""Numbers of a gradient up to which it may be more times farther: `1 + FEW / numbers` times more.

The rounding of a single number is nearly zero now and then, by luck.
"""
RELATIVE = 2e-3
"""Difference allowed besides, as a share of the norm of a gradient, or of the loss."""
FLOOR = 1e-3
"""Difference allowed besides, as a share of a typical element of all gradients.

Some gradients are zero but for rounding: that of a bias before normalisation.
"""


@dataclass(frozen=True)
class Verdict:
    """What became of a compiled step."""

    compiled: bool
    """Whether the compiled module is used."""
    reason: str
    """Why it is not; empty if it is."""


class Compiled(nn.Module):
    """Call `module` compiled, once `prove` has found that right; before, and otherwise, as it is.

    Inputs of other shapes than those of the proof, smaller boards for instance, take the module as
    it is. torch.compile needs a C++ compiler on CPUs and Triton on GPUs, and the first call takes a
    minute or more. The parameters are `module`'s own.
    """

    def __init__(self, module: nn.Module, *, compiler: Compiler | None = None) -> None:
        super().__init__()
        self.module = module
        self._compiler: Any = compiler or torch.compile
        self._call: Any = module.__call__
        self._proven: list[Any] = []

    def forward(self, *inputs: Any) -> Any:
        """Return what the module returns."""
        if self._proven and [x.shape for x in inputs] != self._proven:
            return self.module(*inputs)
        return self._call(*inputs)

    def prove(self, loss: Loss, batch: Any, precision: TrainingPrecision) -> Verdict:
        """Compile, compare one step with the plain one, and use what is right from then on.

        `loss` and `batch` are those of the training loop. Parameters, buffers and the random
        numbers that follow stay as they were. A warning says why the plain module is used.
        """
        self._call, self._proven = self.module.__call__, []
        with _as_it_was(self):
            exact = _step(self, loss, batch, "float32")
            plain = exact if precision == "float32" else _step(self, loss, batch, precision)
            try:
                self._call = self._shaped(self._compiler(self.module))
                reason = _difference(_step(self, loss, batch, precision), plain, exact)
            except Exception as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                log.warning("torch.compile does not work here, going on without: %s", reason)
            else:
                if reason:
                    log.warning("torch.compile computes wrongly here, going on without: %s", reason)
        if reason:
            self._call, self._proven = self.module.__call__, []
        return Verdict(not reason, reason)

    def _shaped(self, compiled: Callable[..., Any]) -> Callable[..., Any]:
        """Return a compiled module that notes the shapes of the proof's inputs."""

        def call(*inputs: Any) -> Any:
            self._proven = [x.shape for x in inputs]
            return compiled(*inputs)

        return call


@contextmanager
def _as_it_was(module: nn.Module) -> Iterator[None]:
    """Put back in the end what steps change: buffers, gradients, mode and random numbers."""
    device = next(module.parameters()).device
    training = module.training
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in module.parameters()]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            module.train()
            yield
        finally:
            module.train(training)
            for parameter, gradient in gradients:
                parameter.grad = gradient
            with torch.no_grad():
                for buffer, value in buffers:
                    buffer.copy_(value)


def _step(
    module: nn.Module, loss: Loss, batch: Any, precision: TrainingPrecision
) -> dict[str, Tensor]:
    """Return the loss, under "the loss", and the gradients by name; no parameter moves."""
    for parameter in module.parameters():
        parameter.grad = None
    torch.manual_seed(0)
    with autocast(next(module.parameters()).device, precision):
        value, _ = loss(module, batch)
    torch.autograd.backward(value)
    found = {"the loss": value.detach().float()}
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            title = f"the gradient of {name.removeprefix('module.')}"
            found[title] = parameter.grad.detach().float()
    return found


def _difference(
    compiled: dict[str, Tensor], plain: dict[str, Tensor], exact: dict[str, Tensor]
) -> str:
    """Return where a compiled step differs from the plain one more than it may; or nothing."""
    if compiled.keys() != plain.keys():
        odd = sorted(compiled.keys() ^ plain.keys())[0]
        return f"{odd} is there with or without it, not both"
    gradients = [value for name, value in exact.items() if name != "the loss"]
    elements = sum(value.numel() for value in gradients)
    typical = (sum(float(value.square().sum()) for value in gradients) / max(elements, 1)) ** 0.5
    for name, value in compiled.items():
        if not bool(value.isfinite().all()) and bool(plain[name].isfinite().all()):
            return f"{name} is not finite"
        rounding = float((plain[name] - exact[name]).norm())
        allowed = ROOM * rounding + RELATIVE * float(exact[name].norm())
        if name != "the loss":
            allowed += ROOM * rounding * FEW / value.numel()
            allowed += FLOOR * typical * value.numel() ** 0.5
        off = float((value - exact[name]).norm())
        if not off <= allowed:
            return f"{name} is off by {off:.2g}, which is more than rounding ({allowed:.2g})"
    return ""
