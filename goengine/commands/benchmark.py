"""`goengine benchmark`: how fast this machine encodes, evaluates, plays and counts.

The positions are those of games that a player who picks any sensible move has played for a
while: as full of chains as real middle games, and the same on every machine.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from goengine import options
from goengine._kernels.state import Records
from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.games.game import Game
from goengine.inference.backends.backend import Backend
from goengine.inference.backends.torch_backend import DTYPES, choose_device, choose_precision
from goengine.inference.choosing import BACKENDS, make_backend
from goengine.inference.evaluator import Evaluator
from goengine.inference.processor import import_failure
from goengine.match.random_player import RandomPlayer
from goengine.networks.files import NetworkFile, open_network, save_network, shipped_networks
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.players.policy_player import PolicyPlayer
from goengine.players.settings import PolicySettings
from goengine.scoring.status import PLAYOUTS, status

FILTERS = (64, 192)
"""Networks measured with random weights where none is named and none is shipped."""
BATCHES = (1, 4, 8, 16)
"""Batches that a search on a processor asks for."""
PAIRED = 8
"""Positions of the batch that the backend computes without the evaluator around it."""
PRECISIONS = {"onnx": ("float32", "int8"), "torch": tuple(DTYPES)}
"""What each backend computes in."""


def middle_games(count: int, size: int, *, seed: int = 1) -> list[Board]:
    """Return boards after random moves on a third of their points."""
    rng = np.random.default_rng(seed)
    games = [Game(size) for _ in range(count)]
    player = RandomPlayer()
    for _ in range(size * size // 3):
        for game, choice in zip(games, player.choose_each(games, rng=rng), strict=True):
            game.play(choice.move)
    return [game.board for game in games]


def rate(action: Callable[[], object], seconds: float) -> float:
    """Return how often a second an action runs, measured for about `seconds` after one run."""
    action()
    runs = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or runs == 0:
        action()
        runs += 1
    return runs / elapsed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine benchmark`."""
    parser.add_argument("--network", action="append", help="shipped name or file (all shipped)")
    parser.add_argument("--size", type=options.board_size, default=19, help="board size (19)")
    parser.add_argument("--batch", type=options.count, default=64, help="positions of a batch (64)")
    parser.add_argument(
        "--backend", action="append", choices=BACKENDS, help="what computes (all that can here)"
    )
    parser.add_argument("--device", help="cuda, mps or cpu (the best one here)")
    parser.add_argument(
        "--precision", help="float32, bfloat16, float16 or int8 (float32 and the best of each)"
    )
    parser.add_argument(
        "--threads", type=options.threads, help="CPU threads (each backend's default)"
    )
    parser.add_argument(
        "--seconds", type=options.positive, default=2.0, help="seconds of a measurement (2)"
    )


def networks(names: list[str] | None) -> list[tuple[str, NetworkFile]]:
    """Return the networks to measure: those named, all shipped ones, or random weights."""
    names = names or shipped_networks()
    if names:
        return [(name, open_network(name)) for name in names]
    return [(f"random weights, {filters} filters", _random(filters)) for filters in FILTERS]


def _random(filters: int) -> NetworkFile:
    """Return a policy network that has learnt nothing, the same every time."""
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"random-{filters}.safetensors"
        save_network(PolicyNet(PolicyConfig(filters=filters)), file, metadata={})
        return open_network(file)


def ways(args: argparse.Namespace) -> list[tuple[str, str | None]]:
    """Return the backends and precisions to measure: those named, or all that can be had here."""
    plain = args.device in (None, "cpu")
    names = args.backend or [name for name in BACKENDS if name == "torch" or plain]
    found: list[tuple[str, str | None]] = []
    for name in names:
        if name == "onnx" and not args.backend and import_failure("onnxruntime") is not None:
            continue
        if args.precision:
            if args.backend or args.precision in PRECISIONS[name]:
                found.append((name, args.precision))
        elif name == "onnx":
            found += [(name, "float32"), (name, "int8")]
        else:
            best = choose_precision(choose_device(args.device))
            found += [(name, precision) for precision in dict.fromkeys(("float32", best))]
    return found or [("torch", args.precision)]


def run(args: argparse.Namespace) -> int:
    """Measure and print one line a result."""
    choice = {"device": args.device, "threads": args.threads}
    measured = [
        (name, file, Evaluator(make_backend(file, backend=way, precision=precision, **choice)))
        for name, file in networks(args.network)
        for way, precision in ways(args)
    ]
    boards = middle_games(max(args.batch, *BATCHES), args.size)
    records = np.concatenate([board.records for board in boards])
    cores = args.threads or torch.get_num_threads()
    print(f"{platform.machine()}, {cores} threads, torch {torch.__version__}")
    print(f"{args.size}x{args.size}, batches of {args.batch} middle-game positions")
    batch = records[: args.batch]
    encodings = rate(lambda: encode_batch(batch, threads=cores), args.seconds)
    print(f"encoder, {cores} threads: {encodings * args.batch:,.0f} positions/s")
    rng = np.random.default_rng(1)
    judgements = rate(lambda: status(boards[0], rng=rng), args.seconds)
    print(f"playouts from a middle game, one thread: {judgements * PLAYOUTS:,.0f}/s")
    products = {
        (backend.device, _multiplied(backend), backend.threads): 0.0
        for backend in (evaluator.backend for _, _, evaluator in measured)
    }
    for device, precision, threads in products:
        product = matrix_rate(device, precision, threads, args.seconds)
        products[device, precision, threads] = product
        print(
            f"matrix product on {device} in {precision}, {threads} threads: {product:.0f} GFLOP/s"
        )
    for name, file, evaluator in measured:
        backend = evaluator.backend
        product = products[backend.device, _multiplied(backend), backend.threads]
        _measure(name, file, evaluator, records, boards[0], product, args)
    return 0


def _multiplied(backend: Backend) -> str:
    """Return the precision whose matrix product stands beside a backend: float32 for int8."""
    return backend.precision if backend.precision in DTYPES else "float32"


def matrix_rate(device: str, precision: str, threads: int, seconds: float) -> float:
    """Return how many GFLOP a second torch makes of a product of two square matrices."""
    lines = 1024 if device == "cpu" else 4096
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        one = torch.rand(lines, lines, device=device).to(DTYPES[precision])

        def multiply() -> None:
            (one @ one)[0, 0].item()

        return 2e-9 * lines**3 * rate(multiply, seconds)
    finally:
        torch.set_num_threads(before)


def _measure(
    name: str,
    file: NetworkFile,
    evaluator: Evaluator,
    records: Records,
    board: Board,
    product: float,
    args: argparse.Namespace,
) -> None:
    """Print the speed of one network on one backend: a batch, a move, and batches of search."""
    rng = np.random.default_rng(1)
    game = Game.at(board)
    one, every = (
        PolicyPlayer(evaluator, PolicySettings(symmetry=views)) for views in ("none", "all")
    )

    def positions(batch: int) -> float:
        part = records[:batch]
        return batch * rate(lambda: evaluator.evaluate_records(part), args.seconds)

    whole = positions(args.batch)
    single = rate(lambda: one.choose(game, rng=rng), args.seconds)
    eight = rate(lambda: every.choose(game, rng=rng), args.seconds)
    backend = evaluator.backend
    print(
        f"{backend.name}, {backend.threads} threads: {name} on {backend.device} in "
        f"{backend.precision}: {whole:,.0f} positions/s; "
        f"{1000 / single:.1f} ms a move, {1000 / eight:.1f} ms with all symmetries"
    )
    rates = [positions(batch) for batch in BATCHES]
    planes = encode_batch(records[:PAIRED], planes=backend.planes)
    bare = len(planes) * rate(lambda: backend.run(planes), args.seconds)
    each = 2e-9 * args.size**2 * sum(w.size for w in file.weights.values() if w.ndim == 4)
    print(
        f"  batches of {', '.join(map(str, BATCHES))}: "
        f"{', '.join(f'{value:,.0f}' for value in rates)} evaluations/s, "
        f"{each * max(rates):.0f} GFLOP/s or {100 * each * max(rates) / product:.0f} % of the "
        f"matrix product in {_multiplied(backend)}; bare in batches of {len(planes)}: {bare:,.0f}/s"
    )
