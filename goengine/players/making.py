"""Players made ready to move: network, evaluator, settings, and everything compiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from goengine.games.game import Game
from goengine.players.policy_player import PolicyPlayer
from goengine.players.settings import POLICY_DEFAULTS, PolicySettings


def make_policy_player(
    network: str = "",
    settings: PolicySettings = POLICY_DEFAULTS,
    *,
    device: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    size: int = 19,
) -> PolicyPlayer:
    """Return a player by its network, a shipped name or a file (none: the default), and settings.

    All that its moves call is compiled, or taken from the cache, and it has answered one empty
    board of `size`, so that no clock runs while any of that happens.

    Raises:
        GoError: there is no such network, device, precision or symmetry.
    """
    from goengine.inference.choosing import make_evaluator
    from goengine.networks.files import default_network
    from goengine.players.warmup import warm_board, warm_encoder, warm_playouts

    warm_board()  # first: where it has to be compiled, the rest is compiled beside it
    name = network or default_network()
    evaluator = make_evaluator(
        name,
        device=device,
        precision=precision,
        symmetry=settings.symmetry,
        threads=threads,
    )
    player = PolicyPlayer(evaluator, settings, name=Path(name).name.removesuffix(".safetensors"))
    warm_encoder()
    warm_playouts()
    player.choose(Game(size), rng=np.random.default_rng(0))
    return player
