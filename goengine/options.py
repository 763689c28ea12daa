"""Types of command-line options: each reads a word or says in one sentence what to write instead.

They serve as `type=` of argparse, which puts the option's name before the sentence. A number that
is not finite makes every comparison false, so these functions refuse it. Options that several
commands have in the same words are declared here too.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys

from goengine.rules import get_rules
from goengine.types import MAX_SIZE, MIN_SIZE, GoError

MAX_THREADS = 1024
"""More would only be a slip of the finger; PyTorch refuses far more."""


def finite(text: str) -> float:
    """Return the number in a word, neither infinite nor `nan`."""
    return _number(text, "a finite number")


def not_negative(text: str) -> float:
    """Return the finite number of at least 0 in a word."""
    wanted = "a finite number of at least 0"
    value = _number(text, wanted)
    if value < 0:
        raise _refusal(text, wanted)
    return value


def positive(text: str) -> float:
    """Return the finite number above 0 in a word."""
    wanted = "a finite number above 0"
    value = _number(text, wanted)
    if value <= 0:
        raise _refusal(text, wanted)
    return value


def megabytes(text: str) -> float:
    """Return the finite number of at least 1 in a word, which can hold a tree."""
    wanted = "a finite number of at least 1"
    value = _number(text, wanted)
    if value < 1:
        raise _refusal(text, wanted)
    return value


def count(text: str) -> int:
    """Return the whole number of at least 1 in a word."""
    return _whole(text, 1, None, "a whole number of at least 1")


def number_from_0(text: str) -> int:
    """Return the whole number of at least 0 in a word."""
    return _whole(text, 0, None, "a whole number of at least 0")


def percent(text: str) -> float:
    """Return the per cent in a word, from 0 to below 100."""
    wanted = "a number from 0 to below 100"
    value = _number(text, wanted)
    if not 0 <= value < 100:
        raise _refusal(text, wanted)
    return value


def threads(text: str) -> int:
    """Return the number of threads in a word."""
    return _whole(text, 1, MAX_THREADS, f"a whole number from 1 to {MAX_THREADS}")


def port(text: str) -> int:
    """Return the number of a port in a word."""
    return _whole(text, 1, 65535, "a whole number from 1 to 65535")


def seed(text: str) -> int:
    """Return the seed in a word: a whole number of at least 0."""
    return _whole(text, 0, None, "a whole number of at least 0")


def board_size(text: str) -> int:
    """Return the size of a board in a word."""
    return _whole(text, MIN_SIZE, MAX_SIZE, f"a whole number from {MIN_SIZE} to {MAX_SIZE}")


def rule_set(text: str) -> str:
    """Return the name of the preset of rules that a word names."""
    try:
        return get_rules(text).name
    except GoError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Declare `--verbose` of the commands that serve programs."""
    parser.add_argument("--verbose", action="store_true", help="more about loading on stderr")


def log_to_stderr(*, verbose: bool) -> None:
    """Write what is logged to standard error, as `--verbose` asks; numba's own only if it warns."""
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level, format="goengine: %(message)s")
    logging.getLogger("numba").setLevel(logging.WARNING)


def add_network(parser: argparse._ActionsContainer, *, judging: bool = False) -> None:
    """Declare `--network`; where it has to judge positions, say so."""
    parser.add_argument(
        "--network",
        metavar="NAME|PATH",
        help="a shipped network that judges positions, or a file (default: the best one)"
        if judging
        else "a shipped network or a file (default: the one that plays best)",
    )


def add_backend(parser: argparse._ActionsContainer) -> None:
    """Declare `--backend` and `--device`, which compute the network."""
    parser.add_argument(
        "--backend",
        choices=["onnx", "torch"],
        help="what computes the network: ONNX Runtime or PyTorch (default: the fastest here)",
    )
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")


def add_precision(parser: argparse._ActionsContainer) -> None:
    """Declare `--precision`."""
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16", "float16", "int8"],
        help="default: the fastest here; int8 is ONNX Runtime's",
    )


def add_threads(parser: argparse._ActionsContainer) -> None:
    """Declare `--threads`."""
    parser.add_argument(
        "--threads",
        type=threads,
        help="processor threads of the network (default: all cores but one)",
    )


def _number(text: str, wanted: str) -> float:
    """Return the finite number in a word."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _refusal(text, wanted)
    return value


def _whole(text: str, least: int, most: int | None, wanted: str) -> int:
    """Return the whole number in a word, within bounds."""
    try:
        value = int(text)
    except ValueError:
        raise _refusal(text, wanted) from None
    if value < least or (most is not None and value > most):
        raise _refusal(text, wanted)
    return value


def _refusal(text: str, wanted: str) -> argparse.ArgumentTypeError:
    """Return the error that names the word and what it should have been."""
    return argparse.ArgumentTypeError(f"{text!r} is not possible: use {wanted}")
