"""What networks answer when they are asked for the move in held-out positions.

All networks are asked about the same positions, so that they can be compared pair by pair. Those of
a source come in random order: what is there after an interruption is a fair, smaller sample.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.system.devices import autocast
from goengine.encoding.eight_views import eight_views, turn_back
from goengine.inference.priors import mean_of_views
from goengine.networks.policy_network import PolicyNet
from selfplay.archive.reader import Archive
from selfplay.batches.positions import PositionBatch, Positions

SEED = 20160128
"""Which positions are drawn: the same for every network and every day."""

DILUTED = 4
"""Moves a position at the most, passes and moves that are not to be learnt among them: an archive
with more moves than this many times the positions wanted is drawn from and never listed."""

BATCH = 256
TOP = 5

Symmetry = Literal["none", "all"]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contestant:
    """A network on its device, and how it is asked: one view, or the mean of all 8."""

    name: str
    net: PolicyNet
    symmetry: Symmetry = "none"
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.symmetry not in get_args(Symmetry):
            raise ValueError(f"symmetry {self.symmetry!r} is unknown; give none or all")


@dataclass(frozen=True)
class Answers:
    """One network's answers, a row a position.

    games, plies: int64 (N,), where the position comes from. moves: int64 (N,), as played. better:
    int64 (N,), how many points the network likes more than that move. losses: float64 (N,), minus
    the logarithm of its probability. top, chances: int64 and float32 (N, 5), the five likeliest
    points and their probabilities. seconds: float64 (batches,), a position.
    """

    games: Index
    plies: Index
    moves: Index
    better: Index
    losses: npt.NDArray[np.float64]
    top: Index
    chances: npt.NDArray[np.float32]
    seconds: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.games)


@dataclass(frozen=True)
class Evaluation:
    """Who was asked about what, and the answers of each contestant, source after source."""

    archive: Archive
    contestants: Sequence[Contestant]
    answers: Sequence[Answers]
    split: str
    limit: int
    finished: bool


@dataclass(frozen=True)
class Sample:
    """Fixed positions to ask about; games, plies: int64 (N,), where they come from."""

    positions: Positions
    games: Index
    plies: Index

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.games)


def fixed_sample(positions: Positions, limit: int) -> Sample:
    """Return `limit` positions, the same ones every day, in random order.

    Where there are no more than `limit`, each is there once; of several sources with weights they
    are always drawn, so that the mixture stays.
    """
    rng = np.random.default_rng(SEED)
    if len(positions.sources) == 1 and len(positions) <= DILUTED * limit:
        games, plies = positions.listed()
        if len(games) <= limit:
            order = rng.permutation(len(games))
            return Sample(positions, games[order], plies[order])
    return Sample(positions, *positions.draw(limit, rng))


def source_sample(
    archive: Archive, source: str, *, split: str = "test", limit: int = 20_000
) -> Sample:
    """Return up to `limit` fixed random positions of one source.

    Raises:
        DataError: no such source, or it has no moves of 19x19 games in that split.
    """
    return fixed_sample(Positions(archive, split, weights={source: 1.0}), limit)


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers of several batches as one; at least one batch is needed."""
    names = ("games", "plies", "moves", "better", "losses", "top", "chances", "seconds")
    return Answers(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def log_probabilities(
    net: PolicyNet, planes: npt.NDArray[np.uint8], *, symmetry: Symmetry = "none"
) -> Tensor:
    """Return float32 (B, 361) log-probabilities; "all" averages 8 views as the engine does."""
    device = next(net.parameters()).device
    if symmetry == "none":
        plain: Tensor = net(torch.from_numpy(planes).to(device)).log_softmax(1)
        return plain.cpu()
    forgetful = net.config.forgetful
    views = eight_views(planes, forgetful=forgetful)
    answers = [net(torch.from_numpy(view).to(device)).softmax(1).cpu() for view in views]
    turned = turn_back(torch.stack(answers).float().numpy())
    return torch.from_numpy(mean_of_views(turned, forgetful=forgetful)).clamp_min(1e-30).log()


def ask(
    contestants: Sequence[Contestant], sample: Sample, *, batch: int = BATCH
) -> Iterator[list[Answers]]:
    """Yield what each contestant answers, batch by batch."""
    for start in range(0, len(sample), batch):
        part = slice(start, start + batch)
        games, plies = sample.games[part], sample.plies[part]
        order = np.lexsort((plies, games))
        data = sample.positions.batch(games[order], plies[order])
        yield [_answer(contestant, data) for contestant in contestants]


def answered(contestant: Contestant, sample: Sample) -> Answers:
    """Return one contestant's answers to a whole sample."""
    return joined([answers for (answers,) in ask([contestant], sample)])


def _answer(contestant: Contestant, data: PositionBatch) -> Answers:
    """Return one contestant's answers to one batch."""
    device = next(contestant.net.parameters()).device
    began = time.perf_counter()
    with torch.inference_mode(), autocast(device, contestant.precision):
        scores = log_probabilities(contestant.net, data.planes, symmetry=contestant.symmetry)
    seconds = (time.perf_counter() - began) / len(data)
    moves = torch.from_numpy(data.moves[:, :1])
    mine = scores.gather(1, moves)
    best = scores.topk(TOP, dim=1)
    return Answers(
        games=data.games,
        plies=data.plies,
        moves=data.moves[:, 0],
        better=(scores > mine).sum(1).numpy(),
        losses=-mine[:, 0].double().numpy(),
        top=best.indices.numpy(),
        chances=best.values.exp().float().numpy(),
        seconds=np.array([seconds]),
    )
