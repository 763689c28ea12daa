"""Images a second of the classic networks, beside torchvision's and timm's on the same machine.

Ours and theirs have the same architecture and tensors; forward runs in eval mode without gradients,
training is forward, cross-entropy, backward and one step of SGD. The nets are measured in turns,
round after round, so that other load on the machine hits all alike: the median of the rounds is
given, and the slowest and fastest beside it. Models that neither has (or where neither is
installed) are measured alone.

    python benchmarks/cnn.py                       # a few nets, about two minutes
    python benchmarks/cnn.py "vgg*" resnet50 --batch 16 --rounds 7 --threads 2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnncore import create_model, list_models
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.models.registry import find_model

QUICK = ("alexnet-owt", "vgg-a", "googlenet-torchvision", "resnet18", "resnet50", "resnet20-cifar")
TORCHVISION = {
    "alexnet-owt": "alexnet",
    "googlenet-torchvision": "googlenet",
    **{f"resnet{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101, 152)},
    **{f"vgg-{a}": f"vgg{n}" for a, n in (("a", 11), ("b", 13), ("d", 16), ("e", 19))},
    **{f"vgg-{a}-bn": f"vgg{n}_bn" for a, n in (("a", 11), ("b", 13), ("d", 16), ("e", 19))},
}
TIMM = {name: theirs for name, theirs in TORCHVISION.items() if name.startswith(("resnet", "vgg"))}


def theirs(name: str) -> dict[str, nn.Module]:
    """Return the same net of torchvision and of timm, where they are installed and have it."""
    found: dict[str, nn.Module] = {}
    if name in TORCHVISION:
        options = {"init_weights": False} if name.startswith("googlenet") else {}
        if (module := _installed("torchvision.models")) is not None:
            found["torchvision"] = module.get_model(TORCHVISION[name], weights=None, **options)
    if name in TIMM and (module := _installed("timm")) is not None:
        found["timm"] = module.create_model(TIMM[name], pretrained=False)
    return found


def _installed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


def forward(model: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return a function that runs a batch through a model."""

    def once() -> None:
        with torch.inference_mode():
            model(x)

    return once


def training(model: nn.Module, x: Tensor, classes: int) -> Callable[[], None]:
    """Return a function that makes one step of training."""
    labels = torch.arange(len(x), device=x.device) % classes
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9)

    def criterion(logits: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, labels)

    def once() -> None:
        output = model(x)
        if isinstance(output, GoogLeNetOutput):
            loss = output.loss(criterion)
        elif isinstance(output, tuple):  # torchvision's GoogLeNet
            loss = criterion(output[0]) + 0.3 * (criterion(output[1]) + criterion(output[2]))
        else:
            loss = criterion(output)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return once


def rates(
    steps: dict[str, Callable[[], None]], *, batch: int, rounds: int, seconds: float
) -> dict[str, np.ndarray]:
    """Return images/s of every step, one number a round; the steps take turns."""
    measured: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            count, began = 0, time.perf_counter()
            while count == 0 or time.perf_counter() - began < seconds:
                step()
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                count += 1
            if number:  # the first round warms up
                measured[name].append(count * batch / (time.perf_counter() - began))
    return {name: np.array(values) for name, values in measured.items()}


def measure(name: str, args: argparse.Namespace) -> None:
    """Measure one architecture and print a line for each of its implementations."""
    device = torch.device(args.device)
    ours = create_model(name)
    x = ours.example_input(args.batch)
    if x.is_floating_point():
        x = torch.randn(x.shape)
    layout = torch.channels_last if args.channels_last and x.ndim == 4 else torch.contiguous_format
    x = x.to(device).contiguous(memory_format=layout)
    models = {"cnncore": ours, **theirs(name)}
    for model in models.values():
        model.to(device=device, memory_format=layout)
    for kind in ("forward", "training"):
        steps = {
            source: training(model.train(), x, ours.num_classes)
            if kind == "training"
            else forward(model.eval(), x)
            for source, model in models.items()
        }
        found = rates(steps, batch=args.batch, rounds=args.rounds, seconds=args.seconds)
        reference = float(np.median(found["cnncore"]))
        for source, values in found.items():
            middle = float(np.median(values))
            beside = f"; cnncore {reference / middle:.2f} times as fast"
            sys.stdout.write(
                f"{name:24} {kind:9} {source:12} {middle:9.2f} images/s "
                f"({values.min():.2f} to {values.max():.2f})"
                f"{'' if source == 'cnncore' else beside}\n"
            )
            sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the chosen architectures one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", help=f"names or patterns; default: {' '.join(QUICK)}")
    parser.add_argument("--batch", type=int, default=8, help="images a step, 2 or more; default: 8")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds; default: 5")
    parser.add_argument("--seconds", type=float, default=0.3, help="least time of one measurement")
    parser.add_argument(
        "--threads",
        type=int,
        default=torch.get_num_threads(),
        help="CPU threads; default: all cores",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...; default: cpu")
    parser.add_argument("--channels-last", action="store_true", help="for all implementations")
    args = parser.parse_args(argv)
    if args.batch < 2 or args.rounds < 1 or args.threads < 1:
        parser.error("give a batch of at least 2, and at least one round and thread")
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    chosen = [n for word in args.models for n in list_models(word) or [find_model(word).name]]
    layout = "channels_last" if args.channels_last else "contiguous"
    sys.stdout.write(
        f"batches of {args.batch}, {layout}, float32, {args.device}, {args.threads} threads, torch "
        f"{torch.__version__}, medians of {args.rounds} rounds\n"
    )
    for name in chosen or QUICK:
        measure(name, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
