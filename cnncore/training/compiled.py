"""A module that torch.compile has translated, or itself where it cannot."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import nn

log = logging.getLogger(__name__)


class Compiled(nn.Module):
    """Call `module` compiled; if the first call cannot be compiled, say so and go on without.

    torch.compile needs a C++ compiler on CPUs and Triton on GPUs, and the first call takes a
    minute or more. The parameters are `module`'s own.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self._call: Any = torch.compile(module)
        self._proven = False

    def forward(self, *inputs: Any) -> Any:
        """Return what the module returns."""
        if self._proven:
            return self._call(*inputs)
        try:
            outputs = self._call(*inputs)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            log.warning("torch.compile does not work here, going on without: %s", reason)
            self._call = self.module
            outputs = self.module(*inputs)
        self._proven = True
        return outputs
