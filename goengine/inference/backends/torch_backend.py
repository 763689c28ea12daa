"""Networks computed by PyTorch, on CUDA, on Apple's mps or on the processor."""

from __future__ import annotations

import copy
from typing import get_args

import torch
from torch import Tensor, nn

from cnncore.system.devices import DeviceError, Precision, best_precision, default_device
from goengine.inference.backends.backend import BackendError, Planes, RawOutputs
from goengine.inference.backends.static_batches import Cuda, Eager, StaticBatches
from goengine.networks.files import Network
from goengine.networks.policy_value import PolicyValue

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_CHUNK = {"cpu": 64, "mps": 128, "cuda": 1024}


def choose_device(name: str | None = None) -> torch.device:
    """Return the device of that name, or the best one here: cuda, then mps, then cpu.

    Raises:
        BackendError: the name is not a device, or that device is not available.
    """
    try:
        return default_device(None if name == "auto" else name, among=("cuda", "mps", "cpu"))
    except DeviceError as error:
        raise BackendError(str(error)) from None


def choose_precision(device: torch.device, name: str | None = None) -> Precision:
    """Return the precision of that name, or the one that this device computes fastest in.

    Raises:
        BackendError: no precision has that name.
    """
    if name is None or name == "auto":
        return best_precision(device)
    for precision in get_args(Precision):
        if name == precision:
            found: Precision = precision
            return found
    names = ", ".join(DTYPES)
    raise BackendError(
        f"{name!r} is not a precision: use {names}, or the onnx backend, which has int8 too"
    )


class TorchBackend:
    """A `PolicyNet` or `PolicyValueNet` in PyTorch.

    The network is copied, folded if it has batch normalisation, and moved; device (cuda, mps, cpu)
    and precision choose themselves where they are not given.

    Raises:
        BackendError: the device is not here, or a setting is unknown.
    """

    name = "torch"

    def __init__(
        self,
        network: Network,
        *,
        device: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            if threads < 1:
                raise BackendError(f"{threads} threads make no sense: use 1 or more")
            torch.set_num_threads(threads)
        self._device = choose_device(device)
        self.device = str(self._device)
        self.precision: str = choose_precision(self._device, precision)
        self.planes = network.config.planes
        self.forgetful = network.config.forgetful
        self.threads = threads or torch.get_num_threads()
        self.chunk = _CHUNK[self._device.type]
        if network.config.norm:
            network = network.folded()
        self._network = copy.deepcopy(network).eval()
        for module in self._network.modules():
            if isinstance(module, nn.Conv2d):
                module.to(DTYPES[self.precision])
                weight = module.weight.data
                module.weight.data = weight.contiguous(memory_format=torch.channels_last)
        self._network.to(self._device)

        self._batches: StaticBatches | None = None
        if self._device.type != "cpu":
            on_cuda = self._device.type == "cuda"
            self._batches = StaticBatches(
                self.compute,
                self._device,
                largest=self.chunk,
                accelerator=Cuda(self._device) if on_cuda else Eager(),
            )

    def run(self, planes: Planes) -> RawOutputs:
        """Return the raw outputs of uint8 planes (B, P, N, N)."""
        if self._batches is not None:
            return RawOutputs(*self._batches.run(planes))
        with torch.inference_mode():
            outputs = self.compute(torch.from_numpy(planes))
            return RawOutputs(*(output.numpy() for output in outputs))

    def compute(self, planes: Tensor) -> list[Tensor]:
        """Return the float32 outputs of planes on the device, in the order of `RawOutputs`."""
        said = self._network(planes)
        if isinstance(said, PolicyValue):
            return [t.float() for t in (said.logits, said.margin, said.spread, said.ownership)]
        return [said.float()]
