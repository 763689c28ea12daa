"""Entrants: which texts describe one, and what their settings do."""

from __future__ import annotations

from pathlib import Path

import pytest

from goengine.match.entrants import EntrantError, OwnEntrant, make_entrant
from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.players.making import make_policy_player
from goengine.players.policy_player import PolicyPlayer
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import PolicySettings
from goengine.types import GoError


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    return path


def policy(text: str) -> PolicyPlayer:
    entrant = make_entrant(text)
    assert isinstance(entrant, OwnEntrant) and isinstance(entrant.player, PolicyPlayer)
    return entrant.player


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("human", "'human' is not an entrant"),
        ("gtp:", "'gtp:' is not an entrant"),
        ("random:x", "is not an entrant"),
        ("policy:x,temperature", "'temperature' is not a setting"),
        ("policy:x,colour=red", "unknown setting 'colour': use temperature, "),
        ("policy,foo=3", "unknown setting 'foo': use temperature, "),
        ("search,foo=3", "unknown setting 'foo': use temperature, "),
        ("policy,temperature", "'temperature' is not a setting"),
        ("policy,visits=3", "this player has no setting 'visits'"),
    ],
)
def test_entrants_that_do_not_exist(text: str, error: str) -> None:
    with pytest.raises(EntrantError, match=error):
        make_entrant(text)


@pytest.mark.parametrize(
    "setting",
    [
        "temperature=hot",
        "temperature=nan",
        "temperature=-1",
        "threads=abc",
        "threads=0",
        "playouts=nan",
        "playouts=inf",
        "playouts=2.5",
        "resign=nan",
        "cleanup=perhaps",
    ],
)
def test_settings_that_make_no_sense_are_named(setting: str) -> None:
    name, value = setting.split("=")
    with pytest.raises(EntrantError, match=f"^{name}: '{value}' is not possible: use "):
        make_entrant(f"policy:{setting}")


def test_a_policy_player_by_the_settings_in_a_text(network: Path) -> None:
    player = policy(
        f"policy:{network},temperature=0.5,symmetry=all,cleanup=yes,resign=30,playouts=50,"
        "device=cpu"
    )
    assert make_entrant(f"policy:{network},temperature=0.5").name == "tiny t=0.5"
    by = player.settings
    assert (by.temperature, by.resign, by.playouts) == (0.5, 30, 50)
    assert by.cleanup is True and by.symmetry == "all"
    plain = policy(f"policy:{network}")
    assert plain.settings.resign is None and plain.settings.cleanup is None and plain.name == "tiny"
    assert make_entrant(f"policy:{network}").name == "tiny"
    assert policy(f"policy:{network},cleanup=no").settings.cleanup is False
    for name in ("onnx", "torch"):
        text = f"policy:{network},backend={name},precision=float32,threads=1"
        assert policy(text).evaluator.backend.name == name


def test_any_path_can_be_a_network(network: Path) -> None:
    odd = network.rename(network.with_name("a=b,c.safetensors"))
    assert make_policy_player(str(odd), PolicySettings(temperature=0.5)).name == "a=b,c"


# Plain names


def test_a_network_s_name_alone_reads_if_it_judges() -> None:
    entrant = make_entrant("dual-96,visits=3,threads=1")
    assert isinstance(entrant, OwnEntrant) and isinstance(entrant.player, SearchPlayer)
    assert entrant.player.settings.visits == 3 and not entrant.shared and not entrant.lone
    assert entrant.name == "dual-96, 3 visits"
    timed = make_entrant("search:,seconds=0.5,threads=1")
    assert timed.lone and timed.name == "dual-96, 0.5 s a move"
    bare = make_entrant("dual-96,visits=0,temperature=0.5,threads=1")
    assert isinstance(bare, OwnEntrant) and isinstance(bare.player, PolicyPlayer)
    assert bare.shared and bare.player.settings.temperature == 0.5


def test_a_network_that_only_names_moves_plays_without_search(network: Path) -> None:
    entrant = make_entrant(f"{network},threads=1")
    assert isinstance(entrant, OwnEntrant) and isinstance(entrant.player, PolicyPlayer)
    assert entrant.name == "tiny"


def test_players_that_read_are_not_shared_between_games_at_the_same_time() -> None:
    from argparse import Namespace

    from goengine.commands.match import _batch, _pair

    words = Namespace(a="dual-96,visits=2,threads=1", b="random", timeout=60.0, time=(0, 0, 0))
    words.batch = 16
    first = _pair(words, [])
    second = _pair(words, [first])
    assert first[0] is not second[0] and first[1] is second[1]
    assert _batch(words, first) == 16
    words.time = (60, 0, 0)
    assert _batch(words, first) == 1


def test_opponents_by_rank_are_entrants() -> None:
    entrant = make_entrant("rank:12k,threads=1")
    assert isinstance(entrant, OwnEntrant) and isinstance(entrant.player, RankedPlayer)
    assert entrant.name == "ranks-96 12k" and entrant.parallel
    assert not entrant.shared and not entrant.lone
    best = make_entrant("rank:best,threads=1")
    assert isinstance(best, OwnEntrant) and isinstance(best.player, SearchPlayer) and best.lone


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rank:", "'' is not a rank"),
        ("rank:9d", "there is no opponent of 9d"),
        ("rank:8k,policy-64", "too weak for an opponent of any rank"),
        ("rank:8k,temperature=1", "this player has no setting 'temperature'"),
    ],
)
def test_opponents_by_rank_that_cannot_be_had(text: str, error: str) -> None:
    with pytest.raises(GoError, match=error):
        make_entrant(text)
