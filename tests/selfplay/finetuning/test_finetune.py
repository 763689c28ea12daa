"""Fine-tuning: one command from SGF files to a network, and a report that does not flatter."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import cnncore.training.loop
import cnncore.training.run_folder
import selfplay.evaluation.held_out_answers
import selfplay.finetuning.early_stopping
from cnncore.training.curves import MetricsLog
from goengine.games.record import GameRecord
from goengine.games.sgf import write_sgf
from goengine.networks.files import load_network, name_of, read_network, save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.types import BLACK, WHITE
from selfplay.__main__ import main
from selfplay.archive.reader import ArchiveError
from selfplay.archive.splits import SPLITS, split_of
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.positions import NO_MOVE, Positions
from selfplay.evaluation.intervals import Share
from selfplay.evaluation.measures import Difference, Measure
from selfplay.finetuning.comparison import LEARNT, OTHERS, OWN, Change, judged_samples
from selfplay.finetuning.early_stopping import LEAST, tuning_recipe
from selfplay.finetuning.finetune import JUDGED, cut_short, judged_positions
from selfplay.finetuning.own_games import frequent_players, hold_out, open_games
from selfplay.finetuning.verdict import verdict
from selfplay.recipes import load_recipe
from selfplay.training.trained_network import named_network
from tests.helpers.small_archive import make_archive, random_game
from tests.helpers.small_runs import same, small_run, weights

torch.set_num_threads(1)


def habit(number: int) -> GameRecord:
    """Return a game of one who plays row by row, and of another who plays at random."""
    rng = np.random.default_rng(number)
    free = rng.permutation(np.arange(190, 361)).tolist()
    mine, other = BLACK if number % 2 else WHITE, BLACK if not number % 2 else WHITE
    moves = []
    for ply in range(24):
        colour = BLACK if ply % 2 == 0 else WHITE
        moves.append((colour, 2 * (ply // 2) if colour == mine else int(free.pop())))
    names = {mine: "Mara Row", other: f"guest {number % 3}"}
    return GameRecord(moves=tuple(moves), black=names[BLACK], white=names[WHITE], result="B+R")


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuning") / "mara"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02d}.sgf").write_bytes(write_sgf(habit(number)))
    return folder


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    small = PolicyNet(PolicyConfig(filters=8, layers=3))
    for layer in small.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.02)
    file = tmp_path_factory.mktemp("net") / "small.safetensors"
    save_network(small, file, metadata={})
    return file


@pytest.fixture(autouse=True)
def without_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnncore.training.run_folder, "plot_curves", lambda *args, **kwargs: None)


SETTINGS = ["batch=16", "warmup=0", "lr=0.05", "lr_rest=0.02", "average=0.5", "precision=float32"]


def tune(net: Path | None, data: Path, *extra: str) -> int:
    words = ["train", "--data", str(data), "--quiet", "--threads", "1", "--device", "cpu"]
    for setting in SETTINGS:
        words += ["--set", setting]
    words += ["--from"] if net is None else ["--from", str(net)]
    return main([*words, *extra])


def test_one_command_learns_a_player(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = make_archive(tmp_path / "others", games=120)
    out = tmp_path / "out"
    extra = ["--player", "mara row", "--out", str(out), "--others", str(others.path)]
    assert tune(net, games, *extra, "--epochs", "4") == 0
    captured = capsys.readouterr()
    assert "It learnt: on 4 games that it never saw" in captured.out
    assert "These figures are rough: they rest on 4 games." in captured.out
    assert "games of others:" in captured.out
    assert captured.out.startswith("These figures are rough: they rest on 4 games.\nIt learnt:")
    assert f"Play against it: goengine play --network {out / 'network.safetensors'}" in captured.out
    assert f"goengine gtp --network {out / 'network.safetensors'}" in captured.out
    report = json.loads((out / "report.json").read_text())
    own = report["changes"][OWN]
    assert own["positions"] == 48 and own["games"] == 4
    assert own["after"]["top1"]["value"] > own["before"]["top1"]["value"]
    assert own["after"]["loss"] < own["before"]["loss"] - 0.3
    assert own["change"]["loss"] == pytest.approx(own["after"]["loss"] - own["before"]["loss"])
    assert report["verdict"][0] in captured.out
    best = min(report["history"], key=lambda line: line["loss"])
    tuned, facts = read_network(out / "network.safetensors")
    assert facts["positions_seen"] == best["samples"] > 0
    assert facts["fine_tuned_from"] == str(net) and facts["player"] == "mara row"
    for named in (load_network(out), named_network(str(out))):
        assert all(named.state_dict()[k].equal(w) for k, w in tuned.state_dict().items())
    assert name_of(out) == "out"
    assert tuned.config == load_network(net).config
    before = (out / "network.safetensors").read_bytes()
    assert tune(net, games, *extra, "--epochs", "4") == 0  # nothing left to do but to report
    assert capsys.readouterr().out == captured.out
    assert (out / "network.safetensors").read_bytes() == before


def test_an_interrupted_run_tunes_as_one_that_was_not(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert tune(net, games, "--out", str(whole), "--epochs", "1") == 0
    for minutes in ("0", "0", "0", "9"):
        assert tune(net, games, "--out", str(parts), "--epochs", "1", "--minutes", minutes) == 0
    weights = [load_network(folder / "network.safetensors") for folder in (whole, parts)]
    pairs = zip(*(w.state_dict().values() for w in weights), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)
    histories = [json.loads((f / "report.json").read_text())["history"] for f in (whole, parts)]
    assert [line["loss"] for line in histories[0]] == [line["loss"] for line in histories[1]]


def test_noise_teaches_nothing_and_the_start_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(7)
    with ArchiveWriter(tmp_path / "noise") as writer:
        for _ in range(14):
            writer.add(random_game(rng, length=20), "noise")
        writer.commit()
    file = tmp_path / "flat.safetensors"
    flat = PolicyNet(PolicyConfig(filters=8, layers=3))
    nn.init.zeros_(flat.head.weight)  # every point alike: the best that random games allow
    nn.init.zeros_(flat.bias.bias)
    save_network(flat, file, metadata={})
    out = tmp_path / "out"
    much = ["--set", "lr_rest=0.3", "--epochs", "40"]
    assert tune(file, tmp_path / "noise", "--out", str(out), *much) == 0
    text = capsys.readouterr().out
    assert "It learnt nothing that holds on games it has not seen" in text
    history = json.loads((out / "report.json").read_text())["history"]
    assert len(history) == 1 + selfplay.finetuning.early_stopping.PATIENCE
    kept, facts = read_network(out / "network.safetensors")
    assert facts["positions_seen"] == 0 and torch.equal(kept.head.weight, flat.head.weight)


def test_the_best_network_is_what_a_run_stands_for(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, file = tmp_path / "out", tmp_path / "exported.safetensors"
    spoilt = ["--set", "lr_rest=30.0", "--set", "average=0", "--epochs", "1"]
    assert tune(net, games, "--out", str(out), *spoilt) == 0
    assert "It learnt nothing" in capsys.readouterr().out
    assert main(["export", str(out), "--out", str(file)]) == 0
    best, facts = read_network(file)
    assert same(best.state_dict(), load_network(net).state_dict())
    assert facts["positions_seen"] == 0 and facts["fine_tuned_from"] == str(net)
    assert not same(best.state_dict(), weights(out))
    data = ["--data", str(out / "games"), "--split", "train", "--json"]
    capsys.readouterr()
    for name in (net, out):
        assert main(["evaluate", str(name), *data]) == 0
    losses = [json.loads(line)["loss"] for line in capsys.readouterr().out.splitlines()]
    assert losses[0] == losses[1]
    again = tmp_path / "again"
    assert tune(out, games, "--out", str(again), "--minutes", "0") == 0
    assert same(load_network(again / "start.safetensors").state_dict(), best.state_dict())


def test_the_folder_of_a_recipe_is_no_place_to_tune(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small_run(tmp_path / "run", make_archive(tmp_path / "archive"))
    run.fit(minutes=0.0)
    before = sorted(path.name for path in run.folder.iterdir())
    assert tune(net, games, "--out", str(run.folder)) == 2
    assert "run holds the run of a recipe: give another --out" in capsys.readouterr().err
    assert sorted(path.name for path in run.folder.iterdir()) == before


def test_only_the_player_is_learnt(games: Path, tmp_path: Path) -> None:
    archive = open_games(games, tmp_path / "cache", player=" MARA row ")
    assert len(archive) == 40
    positions = Positions(archive, "train", future=1)
    chosen, plies = positions.listed()
    batch = positions.batch(chosen, plies)
    assert set(batch.moves[:, 0].tolist()) == {2 * n for n in range(12)}
    assert set(batch.moves[:, 1].tolist()) == {NO_MOVE}
    guest = open_games(games, tmp_path / "guest", player="guest 1")
    assert 0 < len(guest) < 40 and guest.digest != archive.digest
    both = open_games(games, tmp_path / "both")
    assert len(Positions(both, "train").listed()[0]) == 2 * len(chosen)
    archive.verify()


def test_the_cache_follows_the_files(games: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for file in sorted(games.iterdir())[:20]:
        (data / file.name).write_bytes(file.read_bytes())
    cache = tmp_path / "cache"
    first = open_games(data, cache)
    stamp = (cache / "moves.npy").stat().st_mtime_ns
    assert open_games(data, cache).digest == first.digest
    assert (cache / "moves.npy").stat().st_mtime_ns == stamp
    (data / "21.sgf").write_bytes(write_sgf(habit(21)))
    assert len(open_games(data, cache)) == 21


def test_what_cannot_be_learnt_from_is_named(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any) -> str:
        assert tune(*arguments, "--out", str(tmp_path / "out")) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and "Traceback" not in captured.err
        return captured.err.splitlines()[-1]

    text = fail(net, games, "--player", "Nobody")
    assert "no 19x19 game of 'Nobody'" in text and "Mara Row (40)" in text
    assert "does not exist" in fail(net, tmp_path / "absent")
    (tmp_path / "void").mkdir()
    assert "neither SGF files nor an archive" in fail(net, tmp_path / "void")
    few = make_archive(tmp_path / "few", games=9).path
    assert (
        "has 9 games" in fail(net, few) and not (tmp_path / "out" / "network.safetensors").exists()
    )
    many = make_archive(tmp_path / "many", games=30).path
    assert "keeps no names" in fail(net, many, "--player", "Mara Row")
    assert "--epochs 0 is not a length" in fail(net, many, "--epochs", "0")
    assert main(["train", "--data", str(many), "--out", str(tmp_path / "out")]) == 2
    assert "a recipe is missing" in capsys.readouterr().err
    ordinary = ["train", "policy-64", "--data", str(many)]
    assert main([*ordinary, "--out", str(tmp_path / "out"), "--player", "x"]) == 2
    assert "--player is for fine-tuning" in capsys.readouterr().err
    assert main(ordinary) == 2
    assert "add --out FOLDER" in capsys.readouterr().err


def test_too_few_games_are_counted_and_nothing_is_left(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few, out = tmp_path / "few", tmp_path / "runs" / "few-net"
    few.mkdir()
    for file in sorted(games.iterdir())[:6]:
        (few / file.name).write_bytes(file.read_bytes())
    assert tune(net, few, "--out", str(out)) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "has 6 games" in told and "at least 10" in told and "add 4 or more" in told
    assert not out.parent.exists()
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    assert tune(net, few, "--out", str(out)) == 2
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_a_mistyped_folder_of_games_leaves_nothing(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tune(net, tmp_path / "gmaes") == 2
    assert "gmaes does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_measuring_shows_how_far_it_is(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--data", str(games), "--out", str(tmp_path / "out"), "--from", str(net)]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    assert main([*words, *settings, "--device", "cpu", "--threads", "1", "--minutes", "0"]) == 0
    captured = capsys.readouterr()
    for part in ("measuring", f"{OWN}, before", f"{OWN}, after", f"{LEARNT}, after"):
        assert f"{part}:" in captured.err and f"{part}:" not in captured.out


def test_measuring_is_part_of_the_minutes(
    net: Path, games: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SlowMotion(monkeypatch, seconds_a_position=0.05)  # the report's least takes 35 s
    assert tune(net, games, "--out", str(tmp_path / "out"), "--minutes", "2") == 0
    lines = MetricsLog(tmp_path / "out" / "metrics.jsonl").read()
    first = next(line for line in lines if line["event"] == "validation")
    assert first["measuring_seconds"] == pytest.approx(0.05 * (96 + 256))
    assert lines[-1]["step"] > 0 and first["held_out_limit"] == LEAST
    assert 60 < clock.now <= 120
    with_less = SlowMotion(monkeypatch, seconds_a_position=0.05)
    assert tune(net, games, "--out", str(tmp_path / "less"), "--minutes", "1.5") == 0
    assert with_less.now <= 90


class SlowMotion:
    """A clock that only answers and steps move: each position asked about costs its seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, seconds_a_position: float) -> None:
        self.now = 0.0
        asked = selfplay.evaluation.held_out_answers._answer
        step = cnncore.training.loop._step

        def answer(contestant: Any, data: Any, labels: Any) -> Any:
            self.now += seconds_a_position * len(data)
            return asked(contestant, data, labels)

        def stepped(*args: Any) -> Any:
            self.now += 0.5
            return step(*args)

        monkeypatch.setattr(selfplay.evaluation.held_out_answers, "_answer", answer)
        monkeypatch.setattr(cnncore.training.loop, "_step", stepped)
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.mark.parametrize(
    ("seconds", "pace", "kinds", "positions"),
    [
        (math.inf, 0.001, 2, JUDGED),
        (66.0, 0.0015, 2, 3000),
        (66.0, 0.0015, 3, 2000),
        (0.0, 0.0015, 2, 256),
        (-5.0, 0.0015, 2, 256),
        (60.0, 0.0, 2, JUDGED),
    ],
)
def test_the_report_asks_about_what_the_time_allows(
    seconds: float, pace: float, kinds: int, positions: int
) -> None:
    assert judged_positions(seconds, pace, kinds) == positions


def test_another_start_is_refused(
    net: Path, games: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ["--out", str(tmp_path / "out"), "--minutes", "0"]
    assert tune(net, games, *extra) == 0
    other = tmp_path / "other.safetensors"
    torch.manual_seed(1)
    save_network(PolicyNet(PolicyConfig(filters=8, layers=3)), other, metadata={})
    capsys.readouterr()
    assert tune(other, games, *extra) == 2
    assert "began with another network" in capsys.readouterr().err


def test_without_a_name_the_shipped_network_learns(
    games: Path, net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfplay.finetuning.finetune.TUNED", str(net))
    monkeypatch.chdir(tmp_path)
    assert tune(None, games, "--epochs", "0.3") == 0
    facts = read_network(tmp_path / "mara-net" / "network.safetensors")[1]
    assert facts["fine_tuned_from"] == str(net)


@pytest.mark.parametrize(("forgetful", "share"), [(True, 0.4), (False, 0.0)])
def test_only_a_forgetful_network_goes_on_forgetting(
    tmp_path: Path, forgetful: bool, share: float
) -> None:
    archive = make_archive(tmp_path / "archive")
    net = PolicyNet(PolicyConfig(filters=8, layers=3, forgetful=forgetful))
    recipe = tuning_recipe(load_recipe("finetune"), net, archive, epochs=1)
    assert (recipe.forget, recipe.filters, recipe.layers) == (share, 8, 3)


@pytest.mark.parametrize("games", [10, 14, 60])
def test_small_archives_have_held_out_games(tmp_path: Path, games: int) -> None:
    archive = make_archive(tmp_path / "a", games=games)
    held = hold_out(archive)
    least = max(2, math.ceil(games / 10))
    parts = {name: held.split(name).tolist() for name in SPLITS}
    assert sorted(index for part in parts.values() for index in part) == list(range(games))
    assert all(len(parts[name]) >= least for name in ("validation", "test"))
    by_digest = split_of(archive.games["digest"])
    for name in ("validation", "test"):
        given = np.flatnonzero(by_digest == SPLITS.index(name))
        assert set(given.tolist()) <= set(parts[name])
    with pytest.raises(ArchiveError, match="too few to hold out"):
        archive.with_held_out(validation=games, test=0)


def test_frequent_players(games: Path) -> None:
    assert frequent_players(games, limit=2) == [("Mara Row", 40), ("guest 0", 14)]


def _measure(loss: float) -> Measure:
    share = Share(0.5, 0.4, 0.6, 100)
    return Measure(top1=share, top5=share, loss=loss, loss_error=0.1, ece=0.0)


def _changes(
    own: float,
    learnt: float,
    *,
    error: float = 0.01,
    others: float | None = None,
    others_loss: float = 0.0,
) -> Any:
    def change(loss: float, top1: float = 0.0) -> Change:
        figures = Difference(top1, 0.01, 0.0, 0.01, loss, error, 100)
        return Change(25, 100, _measure(2.0), _measure(2.0 + loss), figures)

    changes = {OWN: change(own), LEARNT: change(learnt)}
    return changes if others is None else {**changes, OTHERS: change(others_loss, others)}


def _history(*losses: float, learnt: float = -0.1) -> list[dict[str, Any]]:
    return [
        {"samples": 100 * n, "loss": loss, "learnt_loss": 2.0 + n * learnt}
        for n, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("changes", "history", "words"),
    [
        (_changes(-0.2, -0.2), _history(2.0, 1.9, 1.8), ["It learnt:", "still falling"]),
        (_changes(-0.2, -0.2), _history(2.0, 1.8, 1.9), ["It learnt:", "began to overfit"]),
        (_changes(-0.1, -0.4), _history(2.0, 1.9), ["It learnt:", "still falling", "25 % of the"]),
        (_changes(0.0, -0.4), _history(2.0, 2.1), ["learnt nothing", "began to overfit"]),
        (_changes(0.1, -0.1), _history(2.0, 1.9, 1.95, learnt=0.0), ["became worse", "memory"]),
        (_changes(0.005, 0.0), _history(2.0, 1.9, 1.95, learnt=0.0), ["No change that 25"]),
        (_changes(0.0003, 0.0), _history(2.0, 1.99741, 1.99744), ["No change that 25"]),
        (_changes(0.0003, 0.0, error=0.0), _history(2.0, 1.9999), ["No change that 25"]),
        (_changes(0.0, 0.0), _history(2.0), ["The time was over before"]),
        (
            _changes(-0.2, -0.2, others=-0.05),
            _history(2.0, 1.8),
            ["", "", "become worse"],
        ),
        (_changes(-0.2, -0.2, others=0.05), _history(2.0, 1.8), ["", "", "better, too"]),
        (
            _changes(-0.2, -0.2, others=0.0),
            _history(2.0, 1.8),
            ["", "", "as good"],
        ),
        (
            _changes(-0.2, -0.2, others=0.0, others_loss=0.05),
            _history(2.0, 1.8),
            ["", "", "become worse (top-1 +0.0 ± 1.0 %, loss +0.0500 ± 0.0100)"],
        ),
    ],
)
def test_the_verdict(changes: Any, history: list[dict[str, Any]], words: list[str]) -> None:
    said = verdict(changes, history)
    assert len(said) == len(words)
    assert all(word in text for word, text in zip(words, said, strict=True))


def test_few_games_are_called_rough() -> None:
    changes = _changes(-0.2, -0.2)
    changes[OWN] = replace(changes[OWN], games=5)
    said = verdict(changes, _history(2.0, 1.8))
    assert "they rest on 5 games" in said[0] and said[1].startswith("It learnt: on 5 games")


@pytest.mark.parametrize("own", [-0.0065, 0.0065])
def test_two_games_do_not_say_whether_it_learnt(own: float) -> None:
    changes = _changes(own, -0.4, error=0.0003)
    changes[OWN] = replace(changes[OWN], games=2)
    said = verdict(changes, _history(2.0, 1.8, 1.8, learnt=0.0))
    assert said == [
        "These figures are rough: they rest on 2 games.",
        "Whether it learnt cannot be told from so few: on the 2 held-out games the loss changed "
        f"by {own:+.4f} ± 0.0003. Give more games.",
    ]


def test_the_report_says_where_the_time_cut_its_positions(tmp_path: Path) -> None:
    archive = hold_out(make_archive(tmp_path / "archive", games=40))
    few = judged_samples(archive, None, 20)
    assert "allowed 20 positions of each kind" in cut_short(20, few)
    assert cut_short(5000, judged_samples(archive, None, 5000)) == ""
    assert cut_short(JUDGED, few) == ""
