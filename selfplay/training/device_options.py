"""What commands ask about the machine: its device, the network's threads, the loader's threads."""

from __future__ import annotations

import argparse

import torch

from goengine.options import count, threads


def add_arguments(parser: argparse.ArgumentParser, *, workers: int | None = None) -> None:
    """Add `--device` and `--threads`, and with a default `--workers`."""
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: cuda if there is one")
    parser.add_argument(
        "--threads", type=threads, help="CPU threads of the network; default: all cores"
    )
    if workers is not None:
        parser.add_argument(
            "--workers",
            type=count,
            default=workers,
            help="processes that replay games and encode planes beside the training; 1: a thread "
            f"of the training itself; default: {workers}",
        )


def take_threads(args: argparse.Namespace) -> None:
    """Let torch compute in the threads asked for."""
    if args.threads is not None:
        torch.set_num_threads(args.threads)
