"""Where the time of a batch goes on a GPU: host's buffers, copies, kernels, a graph of kernels.

Milliseconds a batch, medians, each part waited for by itself; `run` is all of it as the evaluator
asks for it. What is slow by the position, and the same in every precision, is not arithmetic. On a
processor the copies are copies in memory and there is no graph.

    python -m benchmarks.accelerator --network dual-96
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from cnncore.system.devices import default_device
from goengine.commands.benchmark import middle_games
from goengine.encoding.features import encode_batch
from goengine.inference.backends.static_batches import Cuda, Eager
from goengine.inference.backends.torch_backend import TorchBackend, choose_precision
from goengine.networks.files import load_network

ROUNDS = 30
"""Times that a part runs; the first three only warm up."""


def milliseconds(part: Callable[[], object], wait: Callable[[], object]) -> float:
    """Return the median time of a part, what it asked the device for included."""
    spent = []
    for _ in range(ROUNDS):
        wait()
        began = time.perf_counter()
        part()
        wait()
        spent.append(time.perf_counter() - began)
    return 1000 * float(np.median(spent[3:]))


def parts(name: str, count: int, device: torch.device, precision: str) -> dict[str, float]:
    """Return milliseconds of each part of a batch of `count` positions."""
    cuda = device.type == "cuda"
    wait = torch.cuda.synchronize if cuda else (lambda: None)
    records = np.concatenate([board.records for board in middle_games(count, 19)])
    planes = encode_batch(records)
    backend = TorchBackend(load_network(name), device=str(device), precision=precision)
    pinned = torch.zeros(planes.shape, dtype=torch.uint8, pin_memory=cuda)
    there = torch.zeros(planes.shape, dtype=torch.uint8, device=device)
    with torch.inference_mode():
        recorder = Cuda(device) if cuda else Eager()
        again, outputs = recorder.record(backend.compute, there)
        plain = [torch.empty(output.shape) for output in outputs]
        kept = [torch.empty(output.shape, pin_memory=cuda) for output in outputs]
        work: dict[str, Callable[[], object]] = {
            "encode": lambda: encode_batch(records),
            "into the buffer": lambda: np.copyto(pinned.numpy(), planes),
            "to the device": lambda: there.copy_(pinned, non_blocking=True),
            "kernels one by one": lambda: backend.compute(there),
            "recorded kernels": again,
            "to pinned memory": lambda: [
                host.copy_(output, non_blocking=True)
                for host, output in zip(kept, outputs, strict=True)
            ],
            "to plain memory": lambda: [
                host.copy_(output) for host, output in zip(plain, outputs, strict=True)
            ],
            "read pinned memory": lambda: [host.numpy().copy() for host in kept],
            "read plain memory": lambda: [host.numpy().copy() for host in plain],
            "run": lambda: backend.run(planes),
        }
        return {label: milliseconds(part, wait) for label, part in work.items()}


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", default="dual-96", help="a network that judges (dual-96)")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 64, 128])
    parser.add_argument("--device", help="cuda or cpu (the best one here)")
    parser.add_argument("--precision", help="float32, bfloat16 or float16 (the best one)")
    args = parser.parse_args()
    device = default_device(args.device)
    precision = choose_precision(device, args.precision)
    found = [parts(args.network, count, device, precision) for count in args.batch]
    sys.stdout.write(f"{args.network} on {device} in {precision}, milliseconds a batch\n")
    sys.stdout.write(f"{'batch':20}" + "".join(f"{count:10}" for count in args.batch) + "\n")
    for label in found[0]:
        row = "".join(f"{each[label]:10.3f}" for each in found)
        sys.stdout.write(f"{label:20}{row}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
