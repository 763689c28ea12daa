"""A network on an accelerator in batches of a few sizes, in memory that stays where it is.

A batch is padded to the next of 1, 2, 4, 8 ... positions, so that a device prepares itself for few
sizes only. Each has its own buffers: pinned memory of the host, from which copies run beside
everything else, and memory of the device. On CUDA all kernels of a batch are recorded once and
replayed at once (CUDA graphs), for starting a hundred kernels one by one takes longer than a small
network computes. Two threads may ask at the same time: while one's batch is computed, the other's
is copied into place.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from goengine.inference.backends.backend import Floats, Planes

SLOTS = 2
"""Batches that may be on their way at the same time."""
_WARM_UPS = 3
"""Runs before a graph is recorded, in which libraries choose their kernels."""

Compute = Callable[[Tensor], Sequence[Tensor]]
"""Float32 outputs of uint8 planes, both on the device."""

log = logging.getLogger(__name__)


class Accelerator(Protocol):
    """What static batches ask of a device."""

    pins: bool
    """Whether the host's buffers are pinned, which copies need to run beside other work."""

    def record(self, compute: Compute, planes: Tensor) -> tuple[Callable[[], None], list[Tensor]]:
        """Return what computes these very planes again, and where its outputs then are.

        Raises:
            RuntimeError: the device cannot record that.
        """
        ...

    def mark(self) -> Callable[[], None]:
        """Return what waits until all that was asked for by now is done."""
        ...


class Eager:
    """A device that is asked for every step anew: mps, a processor, CUDA without graphs."""

    pins = False

    def record(self, compute: Compute, planes: Tensor) -> tuple[Callable[[], None], list[Tensor]]:
        """Return what computes these planes again, and where its outputs then are."""
        outputs = [torch.empty_like(output) for output in compute(planes)]

        def again() -> None:
            for kept, output in zip(outputs, compute(planes), strict=True):
                kept.copy_(output)

        return again, outputs

    def mark(self) -> Callable[[], None]:
        """Return what waits: nothing, for copies to the host wait themselves."""
        return lambda: None


class Cuda:
    """A CUDA device: graphs, pinned memory, and events to wait for, all in one stream."""

    pins = True

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def record(self, compute: Compute, planes: Tensor) -> tuple[Callable[[], None], list[Tensor]]:
        """Return what replays the graph of a batch, and where its outputs then are."""
        beside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        current = torch.cuda.current_stream(self._device)
        beside.wait_stream(current)
        with torch.cuda.stream(beside), torch.backends.cudnn.flags(benchmark=True):
            for _ in range(_WARM_UPS):
                compute(planes)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=beside, capture_error_mode="thread_local"):
                outputs = list(compute(planes))
        current.wait_stream(beside)
        return graph.replay, outputs

    def mark(self) -> Callable[[], None]:
        """Return what waits for all that was asked for by now."""
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        return event.synchronize


@dataclass
class _Slot:
    """The host's side of one batch."""

    planes: Tensor
    """(B, P, N, N) uint8."""
    outputs: list[Tensor]
    """float32, one for each output of the network."""
    free: threading.Lock
    """Held while the batch is on its way."""


@dataclass
class _Bucket:
    """All that belongs to batches of one size."""

    planes: Tensor
    """(B, P, N, N) uint8 on the device."""
    again: Callable[[], None]
    """Computes the planes."""
    outputs: list[Tensor]
    """float32 on the device."""
    slots: list[_Slot]
    """The host's buffers."""


class StaticBatches:
    """Computes batches of up to `largest` positions on a device, padded to a few sizes.

    Where the device cannot record a network, it is asked for every step anew.
    """

    def __init__(
        self,
        compute: Compute,
        device: torch.device,
        *,
        largest: int,
        accelerator: Accelerator | None = None,
    ) -> None:
        self._compute = compute
        self._device = device
        self._largest = largest
        self._accelerator: Accelerator = accelerator or Eager()
        self._buckets: dict[tuple[int, ...], _Bucket] = {}
        self._turn = 0
        self._lock = threading.Lock()

    @property
    def records(self) -> bool:
        """Whether batches are recorded and replayed."""
        return not isinstance(self._accelerator, Eager)

    def run(self, planes: Planes) -> list[Floats]:
        """Return the outputs for uint8 planes (B, P, N, N), each float32 (B, ...)."""
        with torch.inference_mode():
            return self._run(planes)

    def _run(self, planes: Planes) -> list[Floats]:
        count = len(planes)
        shape = (padded(count, self._largest), *planes.shape[1:])
        with self._lock:
            bucket = self._buckets.get(shape)
            if bucket is None:
                bucket = self._buckets[shape] = self._prepared(shape)
            self._turn += 1
            slot = bucket.slots[self._turn % SLOTS]
        with slot.free:
            slot.planes.numpy()[:count] = planes
            with self._lock:  # the device does one after the other; its buffers are used in turn
                bucket.planes.copy_(slot.planes, non_blocking=True)
                bucket.again()
                for host, output in zip(slot.outputs, bucket.outputs, strict=True):
                    host.copy_(output, non_blocking=self._accelerator.pins)
                wait = self._accelerator.mark()
            wait()
            return [host[:count].numpy().copy() for host in slot.outputs]

    def _prepared(self, shape: tuple[int, ...]) -> _Bucket:
        """Return the buffers of a batch of uint8 planes, recorded where that is possible."""
        planes = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        try:
            again, outputs = self._accelerator.record(self._compute, planes)
        except RuntimeError as error:
            if not self.records:
                raise
            log.info("this device cannot record the network and gets every step anew: %s", error)
            self._accelerator = Eager()
            again, outputs = self._accelerator.record(self._compute, planes)
        pins = self._accelerator.pins
        slots = [
            _Slot(
                torch.zeros(shape, dtype=torch.uint8, pin_memory=pins),
                [torch.empty(o.shape, dtype=torch.float32, pin_memory=pins) for o in outputs],
                threading.Lock(),
            )
            for _ in range(SLOTS)
        ]
        return _Bucket(planes, again, outputs, slots)


def padded(count: int, largest: int) -> int:
    """Return the batch that `count` positions are padded to.

    >>> [padded(count, 96) for count in (1, 2, 3, 8, 9, 65, 96)]
    [1, 2, 4, 8, 16, 96, 96]
    """
    return min(largest, 1 << (count - 1).bit_length()) if count > 1 else count
