"""Positions to move probabilities: the one place where a network is run and a softmax is taken.

An Evaluator owns a network on a device in a precision. It encodes a batch of position records,
runs the network under no, one random or all eight symmetries, and turns logits into
probabilities over the sensible moves (legal, and no own eye filled). It knows nothing about
superko, passes or players: those need a game's history and live in board.py and players.py.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cnncore.system.devices import DeviceError, device_named
from goengine._kernels import chains
from goengine._kernels.state import Records
from goengine.encoding.eight_views import eight_views, turn_back
from goengine.encoding.features import encode_batch
from goengine.encoding.symmetry import SYMMETRIES, move_table, transform_planes
from goengine.types import GoError

Symmetry = Literal["none", "random", "all"]
Precision = Literal["float32", "bfloat16", "float16"]
Planes = npt.NDArray[np.uint8]
Priors = npt.NDArray[np.float32]

_DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
MIXED_TEMPERATURE = 0.85
"""Views with and without last moves disagree, and their mean says too little: this sharpens it.

Held-out moves of professionals, Tygem and KGS are guessed best at 0.9 to 0.85 (docs/lab.md).
"""
_CHUNK = {"cpu": 64, "mps": 128, "cuda": 1024}


class EvaluatorError(GoError):
    """A device, precision or symmetry that cannot be had here."""


class PriorSource(Protocol):
    """Anything that gives probabilities for a batch of positions; Evaluator is the usual one."""

    def evaluate(self, records: Records, *, rng: np.random.Generator | None = None) -> Priors:
        """Return float32 (B, N*N) probabilities over the sensible moves of each position."""
        ...


def choose_device(name: str | None = None) -> torch.device:
    """Return the device of that name, or the best one here: cuda, then mps, then cpu.

    Raises:
        EvaluatorError: the name is no device, or that device is not available.
    """
    if name is None or name == "auto":
        name = "mps" if torch.backends.mps.is_available() else "cpu"
        name = "cuda" if torch.cuda.is_available() else name
    try:
        return device_named(name)
    except DeviceError as error:
        raise EvaluatorError(str(error)) from None


def _cpu_has(feature: str) -> bool:
    """Ask PyTorch whether the processor has a feature; releases without the question say no."""
    question: Callable[[], bool] | None = getattr(torch.cpu, f"_is_{feature}_supported", None)
    return question is not None and bool(question())


def choose_precision(device: torch.device, name: str | None = None) -> Precision:
    """Return the precision of that name, or the one that this device computes fastest in.

    bfloat16 where matrix units for it exist (Ampere and later, AMX or AVX512-BF16 processors: 1.7
    to 2.3 times float32 measured on the latter), float16 on older CUDA devices and on mps.

    Raises:
        EvaluatorError: no precision has that name.
    """
    if name is not None and name != "auto":
        for precision in get_args(Precision):
            if name == precision:
                found: Precision = precision
                return found
        raise EvaluatorError(f"{name!r} is not a precision: use {', '.join(_DTYPES)}")
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return "bfloat16" if major >= 8 else "float16" if major == 7 else "float32"
    if device.type == "mps":
        return "float16"
    fast = _cpu_has("amx_tile") or _cpu_has("avx512_bf16")
    return "bfloat16" if fast else "float32"


def softmax(
    logits: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_], *, temperature: float = 1.0
) -> Priors:
    """Return float32 probabilities (B, M) over the masked entries of logits (B, M).

    A row without an allowed entry is all zeros. Temperature 0 puts everything on the first best.
    """
    allowed = np.where(mask, logits.astype(np.float64), -np.inf)
    best = allowed.max(axis=1, keepdims=True, initial=-np.inf)
    shifted = allowed - np.where(np.isfinite(best), best, 0.0)
    if temperature == 0:
        weights = np.zeros_like(shifted)
        weights[np.arange(len(weights)), shifted.argmax(axis=1)] = 1.0
        weights *= mask
    else:
        weights = np.exp(shifted / temperature)
    total = weights.sum(axis=1, keepdims=True)
    return (weights / np.where(total > 0, total, 1.0)).astype(np.float32)


def sharpen(priors: Priors, temperature: float) -> Priors:
    """Return priors (B, M) as the softmax would have been at another temperature."""
    mask = priors > 0
    logits = np.log(np.where(mask, priors, 1.0))
    return softmax(logits, mask, temperature=temperature)


def mean_of_views(answers: Priors, *, forgetful: bool) -> Priors:
    """Return what eight views say together: probabilities (8, B, M), turned back -> (B, M).

    The mean; sharpened by MIXED_TEMPERATURE where half of the views were ``forgetful``.
    """
    mean: Priors = answers.mean(axis=0)
    return sharpen(mean, MIXED_TEMPERATURE) if forgetful else mean


class Evaluator:
    """Run a policy network on batches of positions.

    ``network`` maps uint8 planes (B, P, N, N) to logits (B, N*N); P is ``network.config.planes``
    where there is a config, else 48. It is copied, folded if it has batch normalisation, and
    moved; ``device`` (cuda, mps, cpu) and ``precision`` choose themselves when not given. Of all
    eight views, a network that is ``forgetful`` gets the mirrored ones without the last moves.

    Raises:
        EvaluatorError: the device is not here, or a setting is unknown.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        device: str | None = None,
        precision: str | None = None,
        symmetry: str = "none",
        threads: int | None = None,
    ) -> None:
        if symmetry not in get_args(Symmetry):
            raise EvaluatorError(f"{symmetry!r} is not a symmetry mode: use none, random or all")
        if threads is not None:
            if threads < 1:
                raise EvaluatorError(f"{threads} threads make no sense: use 1 or more")
            torch.set_num_threads(threads)
        self.device = choose_device(device)
        self.precision = choose_precision(self.device, precision)
        self.symmetry = symmetry
        config = getattr(network, "config", None)
        self.planes = int(getattr(config, "planes", 48))
        self._forgetful = bool(getattr(config, "forgetful", False))
        if getattr(config, "norm", False):
            network = network.folded()  # type: ignore[operator]  # PolicyNet.folded
        self._threads = threads or torch.get_num_threads()
        self._network = copy.deepcopy(network).eval()
        for module in self._network.modules():
            if isinstance(module, nn.Conv2d):
                module.to(_DTYPES[self.precision])
                weight = module.weight.data
                module.weight.data = weight.contiguous(memory_format=torch.channels_last)
        self._network.to(self.device)

    def evaluate(self, records: Records, *, rng: np.random.Generator | None = None) -> Priors:
        """Return float32 (B, N*N): probabilities over the sensible moves of each position.

        ``records`` is a BOARD_DTYPE array of one board size; the player to move is each
        record's. A row is all zeros where no move is sensible. ``rng`` picks the symmetries of
        mode ``random`` and is needed only there.

        Raises:
            EvaluatorError: mode random without an rng, or boards of several sizes.
        """
        if len(records) == 0:
            return np.zeros((0, 0), dtype=np.float32)
        size = int(records["size"][0])
        if (records["size"] != size).any():
            raise EvaluatorError("the boards of one batch must have one size: group them by size")
        if self.symmetry == "random" and rng is None:
            raise EvaluatorError("symmetry 'random' needs an rng: pass a numpy Generator")
        masks = np.empty((len(records), size * size + 1), dtype=np.bool_)
        chains.sensible_masks(records, masks)
        out = np.empty((len(records), size * size), dtype=np.float32)
        chunk = _CHUNK[self.device.type]
        if self.symmetry == "all":
            chunk = max(1, chunk // SYMMETRIES)
        for start in range(0, len(records), chunk):
            part = slice(start, min(start + chunk, len(records)))
            planes = encode_batch(records[part], planes=self.planes, threads=self._threads)
            out[part] = self._priors(planes, masks[part, :-1], rng)
        return out

    def logits(self, planes: Planes) -> npt.NDArray[np.float32]:
        """Return float32 logits (B, N*N) of uint8 planes (B, P, N, N), no symmetry, no mask."""
        with torch.inference_mode():
            tensor = torch.from_numpy(planes).to(self.device, non_blocking=True)
            result: npt.NDArray[np.float32] = self._network(tensor).float().cpu().numpy()
        return result

    def _priors(
        self, planes: Planes, masks: npt.NDArray[np.bool_], rng: np.random.Generator | None
    ) -> Priors:
        """Run the network under this evaluator's symmetries: planes (B, P, N, N) -> (B, N*N)."""
        if self.symmetry == "none":
            return softmax(self.logits(planes), masks)
        if self.symmetry == "all":
            views = eight_views(planes, forgetful=self._forgetful)
            logits = self.logits(views.reshape(-1, *planes.shape[1:]))
            answers = turn_back(logits.reshape(SYMMETRIES, len(planes), -1))
            priors = np.stack([softmax(view, masks) for view in answers])
            return mean_of_views(priors, forgetful=self._forgetful)
        assert rng is not None
        table = move_table(planes.shape[-1])[:, :-1]
        picks = rng.integers(0, SYMMETRIES, size=len(planes))
        turned = np.stack([transform_planes(p, int(s)) for p, s in zip(planes, picks, strict=True)])
        return softmax(np.take_along_axis(self.logits(turned), table[picks], axis=1), masks)
