"""The processes of a lease, one a network: started, listened to, stopped.

Each sends what it has to say as a `Message`; this process imports neither torch nor a network.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from cnncore.system.command_line import FAILED
from cnncore.system.interruption import interruptible
from selfplay.commands.travel.kernel_warmup import warm_kernels
from selfplay.commands.travel.lease_plan import NetworkLease

log = logging.getLogger(__name__)

_ASK_AGAIN = 0.5
"""Seconds between two looks at what no process says by itself."""
_GRACE = 10.0
"""Seconds after which a process that has not stopped is asked itself."""


@dataclass(frozen=True)
class Message:
    """What the process of a network says."""

    kind: Literal["trained", "measured", "failed"]
    """Training is over and saved; the report is there; or nothing more will come."""
    report: dict[str, Any] = field(default_factory=dict)
    """What "trained" and "measured" tell."""
    sentence: str = ""
    """Why it failed."""
    status: int = FAILED
    """The exit status of a failure."""


@dataclass
class Trainer:
    """One network's process and what it has said."""

    lease: NetworkLease
    process: BaseProcess
    pipe: Connection
    trained: bool = False
    measured: bool = False
    report: dict[str, Any] = field(default_factory=dict)
    failure: Message | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be heard of it."""
        return self.measured or self.failure is not None


class Kernels:
    """The process that compiles kernels, from the start of a lease on."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self.ready = self._context.Event()
        """Set once other processes find the kernels compiled."""
        self._process = self._context.Process(target=_compile, args=(self.ready,), daemon=True)
        self._process.start()

    def settle(self) -> None:
        """Let nobody wait for a process that has died."""
        if self._process.exitcode is not None:
            self.ready.set()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def train_all(
    leases: Sequence[NetworkLease],
    kernels: Kernels,
    *,
    side_by_side: bool,
    trained: Callable[[], object],
) -> tuple[list[Trainer], bool]:
    """Train the networks of some leases, all at once or one after the other.

    Each gets an equal part of the time that is left when its turn comes. `trained` is called
    whenever one has been trained and saved. Returns what became of each network whose turn came,
    and whether Ctrl-C ended it.
    """
    context = multiprocessing.get_context("spawn")
    alone = context.Lock()
    trainers: list[Trainer] = []
    with interruptible() as interrupted:
        stopped = 0.0
        while True:
            waiting = leases[len(trainers) :]
            busy = any(not (t.trained or t.ended) for t in trainers)
            if waiting and (side_by_side or not busy) and not interrupted():
                lease = waiting[0]
                if not side_by_side:
                    share = (lease.deadline - time.time()) / len(waiting)
                    lease = _until(lease, time.time() + share)
                trainers.append(_start(context, lease, kernels, alone))
                continue
            running = [t for t in trainers if not t.ended]
            if not running:
                break
            for pipe in wait([t.pipe for t in running], timeout=_ASK_AGAIN):
                trainer = next(t for t in running if t.pipe is pipe)
                if _hear(trainer):
                    trained()
            kernels.settle()
            if interrupted():
                stopped = stopped or time.monotonic()
                if time.monotonic() - stopped > _GRACE:
                    _ask_to_stop(trainers)
                    stopped = float("inf")
    return trainers, interrupted()


def _until(lease: NetworkLease, deadline: float) -> NetworkLease:
    return NetworkLease(**{**vars(lease), "deadline": deadline})


def _start(context: Any, lease: NetworkLease, kernels: Kernels, alone: Any) -> Trainer:
    here, there = context.Pipe()
    process = context.Process(
        target=_train, args=(lease, there, kernels.ready, alone), name=lease.name
    )
    process.start()
    there.close()
    return Trainer(lease, process, here)


def _hear(trainer: Trainer) -> bool:
    """Take down what a process says; return whether it is that its network has been trained."""
    try:
        message = trainer.pipe.recv()
    except (EOFError, OSError):
        trainer.process.join()
        sentence = f"its process ended with status {trainer.process.exitcode}"
        trainer.failure = Message("failed", sentence=sentence)
        return False
    assert isinstance(message, Message)
    trainer.report |= message.report
    if message.kind == "failed":
        trainer.failure = message
    trainer.trained |= message.kind == "trained"
    trainer.measured |= message.kind == "measured"
    return message.kind == "trained"


def _ask_to_stop(trainers: Sequence[Trainer]) -> None:
    """Stop those that Ctrl-C has not reached, when only this process got the signal."""
    for trainer in trainers:
        if not (trainer.trained or trainer.ended):
            trainer.process.terminate()


def _compile(ready: Any) -> None:
    try:
        warm_kernels()
    finally:
        ready.set()


def _train(lease: NetworkLease, pipe: Connection, ready: Any, alone: Any) -> None:
    """Do the work of one network's process; whatever happens, the pipe says it."""
    from selfplay.commands.travel.network_lease import failure_of, train_network

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"%(levelname)s {lease.name}: %(message)s"
    )
    try:
        train_network(
            lease,
            ready=ready.wait,
            alone=alone,
            trained=lambda report: pipe.send(Message("trained", report)),
            measured=lambda report: pipe.send(Message("measured", report)),
        )
    except BrokenPipeError:
        return
    except KeyboardInterrupt:
        pipe.send(Message("failed", sentence="interrupted before it had begun"))
    except Exception as error:
        sentence, status = failure_of(error)
        if sentence is None:
            log.exception("it failed")
            sentence = f"it failed ({type(error).__name__})"
        pipe.send(Message("failed", sentence=sentence, status=status))
