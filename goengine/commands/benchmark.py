"""`goengine benchmark`: how fast this machine encodes, evaluates, plays and counts.

The positions are those of games that a player who picks any sensible move has played for a
while: as full of chains as real middle games, and the same on every machine.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch

from goengine import options
from goengine._kernels.state import Records
from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.games.game import Game
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import load_network, shipped_networks
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.players.policy_player import PolicyPlayer
from goengine.players.random_player import RandomPlayer
from goengine.players.settings import PolicySettings
from goengine.scoring.status import PLAYOUTS, status

FILTERS = (64, 192)
"""Networks measured with random weights where none is named and none is shipped."""


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
    parser.add_argument("--device", help="cuda, mps or cpu (the best one here)")
    parser.add_argument("--precision", help="float32, bfloat16 or float16 (the device's best)")
    parser.add_argument("--threads", type=options.threads, help="CPU threads (all)")
    parser.add_argument(
        "--seconds", type=options.positive, default=2.0, help="seconds of a measurement (2)"
    )


def networks(names: list[str] | None) -> list[tuple[str, PolicyNet]]:
    """Return the networks to measure: those named, all shipped ones, or random weights."""
    names = names or shipped_networks()
    if names:
        return [(name, load_network(name)) for name in names]
    return [
        (f"random weights, {filters} filters", PolicyNet(PolicyConfig(filters=filters)).eval())
        for filters in FILTERS
    ]


def run(args: argparse.Namespace) -> int:
    """Measure and print one line a result."""
    choice = {"device": args.device, "precision": args.precision, "threads": args.threads}
    measured = [
        (name, Evaluator(TorchBackend(network, **choice)))
        for name, network in networks(args.network)
    ]
    boards = middle_games(args.batch, args.size)
    records = np.concatenate([board.records for board in boards])
    cores = args.threads or torch.get_num_threads()
    print(f"{platform.machine()}, {cores} threads, torch {torch.__version__}")
    print(f"{args.size}x{args.size}, batches of {args.batch} middle-game positions")
    encodings = rate(lambda: encode_batch(records, threads=cores), args.seconds)
    print(f"encoder, {cores} threads: {encodings * args.batch:,.0f} positions/s")
    rng = np.random.default_rng(1)
    judgements = rate(lambda: status(boards[0], rng=rng), args.seconds)
    print(f"playouts from a middle game, one thread: {judgements * PLAYOUTS:,.0f}/s")
    for name, evaluator in measured:
        _measure(name, evaluator, records, boards[0], args.seconds)
    return 0


def _measure(
    name: str, evaluator: Evaluator, records: Records, board: Board, seconds: float
) -> None:
    """Print the speed of one network, with one view and with all, in batches and a move."""
    rng = np.random.default_rng(1)
    game = Game.at(board)
    one, every = (
        PolicyPlayer(evaluator, PolicySettings(symmetry=views)) for views in ("none", "all")
    )
    batches = rate(lambda: evaluator.evaluate_records(records), seconds)
    single = rate(lambda: one.choose(game, rng=rng), seconds)
    eight = rate(lambda: every.choose(game, rng=rng), seconds)
    backend = evaluator.backend
    print(
        f"{name} on {backend.device} in {backend.precision}: "
        f"{batches * len(records):,.0f} positions/s; "
        f"{1000 / single:.1f} ms a move, {1000 / eight:.1f} ms with all symmetries"
    )
