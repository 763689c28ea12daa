"""What networks answer when they are asked for the move in held-out positions.

All networks are asked about the same positions, so that they can be compared pair by pair. The
positions of a source come in random order, so that an interrupted evaluation has a fair sample.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import Network
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import BATCH, Sample
from selfplay.batches.labels import Labels, PositionLabels
from selfplay.batches.positions import Index, PositionBatch
from selfplay.evaluation.judgements import Judgements, joined_judgements

Symmetry = Literal["none", "all"]
"""One view of the board, or the mean of all eight."""
TOP = 5
"""Likeliest points that are kept of each answer."""


@dataclass(frozen=True)
class Contestant:
    """A network on its device, and how it is asked."""

    name: str
    """What it is called in tables and figures."""
    net: Network
    """The network."""
    symmetry: Symmetry = "none"
    """One view of the board, or the mean of all eight."""
    precision: str = "float32"
    """What it computes in: "float32" or "bfloat16"."""

    @cached_property
    def evaluator(self) -> Evaluator:
        """What runs the network, as the engine does; made at the first question."""
        device = str(next(self.net.parameters()).device)
        backend = TorchBackend(self.net, device=device, precision=self.precision)
        return Evaluator(backend, symmetry=self.symmetry)

    def __post_init__(self) -> None:
        if self.symmetry not in get_args(Symmetry):
            raise ValueError(f"symmetry {self.symmetry!r} is unknown; give none or all")


@dataclass(frozen=True)
class Answers:
    """One network's answers, a row a position."""

    games: Index
    """int64 (N,): the game of each position."""
    plies: Index
    """int64 (N,): the ply of each position in its game."""
    moves: Index
    """int64 (N,): the moves as played."""
    better: Index
    """int64 (N,): how many points the network likes more than the move played."""
    losses: npt.NDArray[np.float64]
    """float64 (N,): minus the logarithm of the move's probability, in nats."""
    top: Index
    """int64 (N, TOP): the likeliest points."""
    chances: npt.NDArray[np.float32]
    """float32 (N, TOP): their probabilities."""
    seconds: npt.NDArray[np.float64]
    """float64 (batches,): seconds a position, batch by batch."""
    judged: Judgements | None = None
    """What a network that judges said of the winner, the lead and the owners, if it was asked."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.games)


@dataclass(frozen=True)
class Evaluation:
    """Who was asked about what, and what they answered."""

    archive: Archive
    """Where the positions come from."""
    contestants: Sequence[Contestant]
    """The networks."""
    answers: Sequence[Answers]
    """The answers of each network, source after source."""
    split: str
    """Which games were asked about."""
    limit: int
    """Most positions of each source."""
    finished: bool
    """Whether all was asked, False after Ctrl-C."""


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers of several batches as one; at least one batch is needed."""
    columns = {
        name: np.concatenate([vars(part)[name] for part in parts])
        for name in vars(parts[0])
        if name != "judged"
    }
    return Answers(**columns, judged=joined_judgements([part.judged for part in parts]))


def ask(
    contestants: Sequence[Contestant],
    sample: Sample,
    *,
    batch: int = BATCH,
    labels: Labels | None = None,
) -> Iterator[list[Answers]]:
    """Yield what each contestant answers, batch by batch.

    With the `labels` of the sample's archive, networks that judge are asked for that as well.
    """
    for start in range(0, len(sample), batch):
        part = slice(start, start + batch)
        games, plies = sample.games[part], sample.plies[part]
        order = np.lexsort((plies, games))
        data = sample.positions.batch(games[order], plies[order])
        known = None if labels is None else labels.of(data.games, data.plies)
        yield [_answer(contestant, data, known) for contestant in contestants]


def answered(
    contestant: Contestant,
    sample: Sample,
    *,
    label: str | None = None,
    labels: Labels | None = None,
) -> Answers:
    """Return one contestant's answers to a whole sample; with a label, stderr shows progress."""
    batches = []
    silent = label is None
    with tqdm(
        total=len(sample), desc=label, unit="pos", disable=silent, file=sys.stderr, leave=False
    ) as bar:
        for (answers,) in ask([contestant], sample, labels=labels):
            batches.append(answers)
            bar.update(len(answers))
    return joined(batches)


def _answer(
    contestant: Contestant, data: PositionBatch, labels: PositionLabels | None = None
) -> Answers:
    """Return one contestant's answers to one batch."""
    began = time.perf_counter()
    komi = None if labels is None else labels.komi
    said = contestant.evaluator.evaluate_planes(data.planes, komi=komi)
    seconds = (time.perf_counter() - began) / len(data)
    judged = None
    if said.value is not None and said.lead is not None and said.ownership is not None and labels:
        judged = Judgements.of(said.value, said.lead, said.ownership, labels)
    scores = torch.from_numpy(said.priors[:, :-1]).clamp_min(1e-30).log()
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
        judged=judged,
    )
