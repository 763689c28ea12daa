"""The names of tensors in files: what wrappers put into them, and where in a file a model lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

# Parts of names that only wrappers make, wherever they stand: DataParallel and AveragedModel,
# torch.compile, activation checkpointing, FSDP.
_WRAPPERS = frozenset(("module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"))
_PREFIXES = ("model.", "net.", "network.")


class TwoModelsError(ValueError):
    """A file that has a model more than once, so that one of them would have to be guessed."""


def plain_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors without the wrappers' parts in their names, at any place.

    Where two tensors would get one name, all keep the names that they have. A usual prefix that
    all names share goes as well.
    """
    found = {_unwrapped(name): tensor for name, tensor in tensors.items()}
    if len(found) < len(tensors):
        found = dict(tensors)
    while found:
        prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in found)), None)
        if prefix is None:
            break
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _unwrapped(name: str) -> str:
    *parts, last = name.split(".")
    return ".".join([part for part in parts if part not in _WRAPPERS] + [last])


def find_prefix(names: Iterable[str], own: Callable[[str], bool], count: int) -> str:
    """Return what stands in a file before the names of a model, "" if nothing or nothing fits.

    `own` tells whether a name is one of the model's, `count` how many it has. The prefix below
    which most of them are found wins: that of the file itself, then a usual one, then the only one.

    Raises:
        TwoModelsError: the model is found below several prefixes, none of which is usual.
    """
    counts: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for place in range(len(parts)):
            if own(".".join(parts[place:])):
                counts["".join(f"{part}." for part in parts[:place])] += 1
    most = max(counts.values(), default=0)
    best = [prefix for prefix, found in counts.items() if found == most]
    if not best or "" in best:
        return ""
    usual = [prefix for prefix in _PREFIXES if prefix in best]
    if len(best) > 1 and not usual and 2 * most > count:
        raise TwoModelsError(f"below {' and '.join(repr(prefix) for prefix in sorted(best))}")
    return (usual or sorted(best))[0]
