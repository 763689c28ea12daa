"""The command `selfplay evaluate`: how often a network guesses the move in held-out games.

Top-1 and top-5 are shares of positions whose move is the network's first, or among its first five,
of all 361 points: no legality mask helps. Intervals are Wilson's at 95 %; positions of one game
are not quite independent, so few positions are taken from each. Every source is measured alone,
and by move number.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.blocks import channels_last
from cnncore.checkpoint import CheckpointError
from cnncore.training import autocast, best_precision
from goengine.networks import PolicyNet, load_network
from goengine.statistics import wilson_interval
from goengine.symmetry import SYMMETRIES, move_table
from goengine.types import GoError
from selfplay.archive import Archive
from selfplay.positions import SIZE, DataError, Positions
from selfplay.runs import CHECKPOINT, averaged_network

BIN = 30
"""Moves a bin of the table by move number."""


@dataclass(frozen=True)
class Share:
    """A share `value` of `count` positions with its 95 % interval `low` ... `high`."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class SourceReport:
    """What was measured on one source; `by_move` maps "1-30", "31-60", ... to top-1."""

    source: str
    top1: Share
    top5: Share
    loss: float
    loss_error: float
    by_move: dict[str, Share]
    seconds_per_position: float


def share_of(hits: int, count: int) -> Share:
    """Return hits / count with its 95 % interval; count > 0."""
    return Share(hits / count, *wilson_interval(hits, count), count)


def log_probabilities(
    net: PolicyNet, planes: Tensor, *, symmetry: Literal["none", "all"] = "none"
) -> Tensor:
    """Return float32 (B, 361) log-probabilities; "all" averages over the 8 symmetries."""
    if symmetry == "none":
        plain: Tensor = net(planes).log_softmax(1)
        return plain
    table = torch.from_numpy(move_table(SIZE)[:, : SIZE * SIZE].astype(np.int64))
    flat = planes.flatten(2)
    total = torch.zeros(len(planes), SIZE * SIZE, device=planes.device)
    for s in range(SYMMETRIES):
        goes_to = table[s].to(planes.device)
        turned = torch.empty_like(flat)
        turned[:, :, goes_to] = flat
        total += net(turned.view_as(planes)).softmax(1)[:, goes_to]
    return (total / SYMMETRIES).clamp_min(1e-30).log()


def evaluate_source(
    net: PolicyNet,
    archive: Archive,
    source: str,
    *,
    split: str = "test",
    limit: int = 20_000,
    symmetry: Literal["none", "all"] = "none",
    batch: int = 256,
    precision: str = "float32",
) -> SourceReport:
    """Measure a network on `limit` fixed random positions of one source."""
    device = next(net.parameters()).device
    positions = Positions(archive, split, weights={source: 1.0})
    games, plies = positions.draw(limit, np.random.default_rng(20160128))
    order = np.lexsort((plies, games))
    games, plies = games[order], plies[order]
    ranks = np.empty(limit, dtype=np.int64)
    losses = np.empty(limit)
    seconds = 0.0
    for start in range(0, limit, batch):
        part = slice(start, start + batch)
        data = positions.batch(games[part], plies[part])
        began = time.perf_counter()
        with torch.inference_mode(), autocast(device, precision):
            planes = torch.from_numpy(data.planes).to(device)
            scores = log_probabilities(net, planes, symmetry=symmetry).cpu()
        seconds += time.perf_counter() - began
        moves = torch.from_numpy(data.moves[:, :1])
        mine = scores.gather(1, moves)
        ranks[part] = (scores > mine).sum(1).numpy()
        losses[part] = -mine[:, 0].numpy()
    return _report(source, ranks, losses, plies, seconds / limit)


def _report(
    source: str,
    ranks: npt.NDArray[np.int64],
    losses: npt.NDArray[np.float64],
    plies: npt.NDArray[np.int64],
    seconds: float,
) -> SourceReport:
    by_move = {}
    for number in np.unique(plies // BIN):
        mine = ranks[plies // BIN == number]
        name = f"{number * BIN + 1}-{(number + 1) * BIN}"
        by_move[name] = share_of(int((mine == 0).sum()), len(mine))
    return SourceReport(
        source=source,
        top1=share_of(int((ranks == 0).sum()), len(ranks)),
        top5=share_of(int((ranks < 5).sum()), len(ranks)),
        loss=float(losses.mean()),
        loss_error=float(1.96 * losses.std() / math.sqrt(len(losses))),
        by_move=by_move,
        seconds_per_position=seconds,
    )


def configure_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay evaluate`."""
    parser.add_argument("net", help="shipped network, .safetensors file, or folder of a run")
    parser.add_argument(
        "--data", required=True, type=Path, help="archive made by 'selfplay ingest'"
    )
    parser.add_argument("--sources", help="comma-separated; default: every source of the archive")
    parser.add_argument("--split", default="test", choices=["validation", "test", "train"])
    parser.add_argument("--symmetry", default="none", choices=["none", "all"])
    parser.add_argument("--limit", type=int, default=20_000, help="positions of each source")
    parser.add_argument("--device", help="cpu, cuda, ...; default: cuda if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; default: all cores")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a source instead of a table"
    )


def run_evaluate(args: argparse.Namespace) -> int:
    """Run `selfplay evaluate`: a table, or JSON lines, on stdout; 1 on failure."""
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        if args.limit < 1:
            raise DataError(f"--limit {args.limit} is no number of positions; give at least 1")
        archive = Archive.open(args.data)
        run = Path(args.net)
        net = averaged_network(run) if (run / CHECKPOINT).is_file() else load_network(args.net)
        net = channels_last(net.folded(), device)
        names = args.sources.split(",") if args.sources else [n for n in archive.sources if n]
        for name in names:
            report = evaluate_source(
                net,
                archive,
                name,
                split=args.split,
                limit=args.limit,
                symmetry=args.symmetry,
                precision=best_precision(device),
            )
            sys.stdout.write(json.dumps(asdict(report)) + "\n" if args.json else table([report]))
            sys.stdout.flush()
    except (GoError, CheckpointError, DataError, OSError) as error:
        sys.stderr.write(f"selfplay evaluate: {error}\n")
        return 1
    return 0


def table(reports: Sequence[SourceReport]) -> str:
    """Return reports as text a person reads: one block a source."""
    lines = []
    for report in reports:
        lines.append(
            f"{report.source}: top-1 {_percent(report.top1)}  top-5 {_percent(report.top5)}  "
            f"loss {report.loss:.4f} ± {report.loss_error:.4f}  "
            f"{1000 * report.seconds_per_position:.2f} ms/position"
        )
        lines += [
            f"  moves {name:>9}: top-1 {_percent(share)}" for name, share in report.by_move.items()
        ]
    return "\n".join(lines) + "\n"


def _percent(share: Share) -> str:
    return (
        f"{100 * share.value:.2f} % [{100 * share.low:.2f}, {100 * share.high:.2f}] "
        f"of {share.count:,}"
    )
