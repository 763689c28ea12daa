"""What the options of `goengine gtp` make: who plays, by which network and which limits."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from goengine.commands import gtp as command
from goengine.networks.files import default_judge, judges, save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.players.player import Player
from goengine.players.policy_player import PolicyPlayer
from goengine.players.search_player import SearchPlayer


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args([*words, "--threads", "1", "--size", "5", "--backend", "onnx"])


def made(*words: str) -> Player:
    return command.make_player(parsed(*words))


def test_the_search_plays_by_default_for_about_a_second() -> None:
    player = made()
    assert isinstance(player, SearchPlayer) and player.name == f"search with {default_judge(5)}"
    by = player.settings
    assert (by.visits, by.seconds, by.resign_below, by.megabytes) == (None, 1.0, 0.05, 1000.0)
    assert command.make_settings(parsed()).ponder is False


def test_limits_and_resignation_are_set_by_options() -> None:
    player = made("--visits", "30", "--seconds", "2.5", "--resign-below", "0", "--memory", "50")
    assert isinstance(player, SearchPlayer)
    by = player.settings
    assert (by.visits, by.seconds, by.resign_below, by.megabytes) == (30, 2.5, None, 50.0)
    session = command.make_settings(parsed("--seconds", "2.5", "--ponder"))
    assert session.seconds == 2.5 and session.ponder


@pytest.mark.parametrize(
    "words", [("--visits", "0", "--network", "dual-96"), ("--player", "policy:dual-96")]
)
def test_the_bare_network_plays_on_request(words: tuple[str, ...]) -> None:
    player = made(*words, "--temperature", "0.5")
    assert isinstance(player, PolicyPlayer) and player.name == "policy network dual-96"
    assert player.settings.temperature == 0.5


def test_a_network_that_does_not_judge_plays_without_search_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    assert not judges(path) and judges("dual-96")
    player = made("--network", str(path))
    assert isinstance(player, PolicyPlayer)
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "only names moves" in said and "without search" in said


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--player", "human"), "use search, policy"),
        (("--visits", "-1"), "at least 0"),
        (("--seconds", "0"), "above 0"),
        (("--resign-below", "100"), "below 100"),
    ],
)
def test_options_that_make_no_sense(
    words: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)
    assert text in capsys.readouterr().err


def test_without_a_network_that_judges_there_is_no_default_search() -> None:
    assert default_judge(19, candidates=["policy-64"]) is None
