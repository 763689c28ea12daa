"""One training run in several processes, one a device, started by torchrun.

Every process holds the whole model and takes its part of each batch; gradients are averaged
(DistributedDataParallel), batch normalisation counts the whole batch, sums are added up. What N
processes compute is what one computes with the whole batch, up to the order of additions.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cnncore.system.devices import default_device


class ParallelError(RuntimeError):
    """Processes that cannot work together."""


@dataclass(frozen=True)
class Processes:
    """The processes of a run as one of them sees them: `rank` is its own number of `count`."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and reports."""
        return self.rank == 0

    def add(self, values: Tensor) -> Tensor:
        """Add a tensor up over all processes, in place; every process must ask."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether any process raised it; asks no accelerator."""
        if self.count == 1:
            return flags
        raised = torch.tensor(flags, dtype=torch.int32)
        dist.all_reduce(raised, op=dist.ReduceOp.MAX)
        return tuple(bool(flag) for flag in raised.tolist())

    def most(self, value: float) -> float:
        """Return the greatest of all processes' values; asks no accelerator."""
        if self.count == 1:
            return value
        values = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(values, op=dist.ReduceOp.MAX)
        return float(values)

    def spread(self, compute: nn.Module, example: Tensor) -> nn.Module:
        """Return what to call in place of `compute` so that several processes have one gradient.

        `example` is an input, of which only the shape matters. DistributedDataParallel learns from
        its first pass in which order to add gradients up; that pass is made here, so that a
        resumed run adds them up in the same order as one that was never stopped.
        """
        device = next(compute.parameters()).device
        spread: nn.Module = DistributedDataParallel(
            compute,
            device_ids=[device] if device.type == "cuda" else None,
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )
        spread.train()
        kept = [buffer.clone() for buffer in compute.buffers()]
        outputs = spread(example)
        parts = outputs if isinstance(outputs, tuple) else (outputs,)
        torch.autograd.backward(torch.stack([part.float().sum() for part in parts]).sum())
        for buffer, value in zip(compute.buffers(), kept, strict=True):
            buffer.copy_(value)
        for parameter in compute.parameters():
            parameter.grad = None
        return spread

    def synchronised(self, model: nn.Module) -> nn.Module:
        """Return a twin of `model` with the same parameters whose normalisation sees all parts."""
        if self.count == 1:
            return model
        shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
        twin = copy.deepcopy(model, shared)
        if next(model.parameters()).device.type == "cuda":
            return nn.SyncBatchNorm.convert_sync_batchnorm(twin)  # type: ignore[no-any-return, no-untyped-call]
        return _convert(twin)


ALONE = Processes()


@contextmanager
def joined(device: str | None = None) -> Iterator[tuple[Processes, torch.device]]:
    """Yield the processes that torchrun started and this one's device; alone without torchrun.

    The device is `device`, by default CUDA where there is one; of several GPUs each process takes
    the one of its local rank. Communication is NCCL between GPUs and gloo between CPUs.

    Raises:
        DeviceError: this machine does not have that device.
        ParallelError: more processes on this host than GPUs.
    """
    wanted = default_device(device)
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE, wanted
        return
    rank, local = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    backend = "gloo"
    if wanted.type == "cuda":
        if local >= torch.cuda.device_count():
            raise ParallelError(
                f"process {local} of this host has no GPU: there are {torch.cuda.device_count()}; "
                "give torchrun --nproc-per-node at most as many"
            )
        wanted = torch.device("cuda", local)
        torch.cuda.set_device(wanted)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend)
    yield Processes(rank, count), wanted
    dist.destroy_process_group()  # not after a failure: others may never come, torchrun ends them


class _SumOverProcesses(torch.autograd.Function):
    """Add a tensor up over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class _WholeBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over all processes' equal parts on CPUs, which torch does not have."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, C, H, W) normalised by the statistics of the whole batch."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        count = dist.get_world_size() * x.numel() // x.shape[1]
        mean = _sum(wide.sum((0, 2, 3))) / count
        centred = wide - mean[:, None, None]
        variance = _sum(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.running_mean is not None and self.running_var is not None
            assert self.momentum is not None and self.num_batches_tracked is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalised = centred * scale[:, None, None] + self.bias[:, None, None]
        return normalised.to(x.dtype)


def _sum(values: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(values)  # type: ignore[no-untyped-call]
    return total


def _convert(module: nn.Module) -> nn.Module:
    """Turn every BatchNorm2d inside into one over the whole batch, in place."""
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = _WholeBatchNorm
    return module
