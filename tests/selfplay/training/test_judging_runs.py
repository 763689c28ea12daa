"""Runs of networks that judge: all heads at once, on a frozen trunk, from several archives."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnncore.training.curves import MetricsLog
from goengine.board import Board
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import load_network, read_network, save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from goengine.types import BLACK, WHITE
from selfplay.__main__ import main
from selfplay.archive.reader import Archive, ArchiveError
from selfplay.labelling.owners_file import owners_path
from selfplay.learners.archive_shares import archive_shares, positions_of
from selfplay.learners.judging_lessons import JudgingLessons, archive_labels, error_over_games
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import averaged_network
from tests.helpers.judged_games import judged_archive, label_at_random
from tests.helpers.small_runs import metrics, same, weights

torch.set_num_threads(1)

CPU = torch.device("cpu")
RECIPE = Recipe(
    judges=True,
    network="residual",
    filters=8,
    layers=6,
    pools=(1,),
    neck=4,
    hidden=6,
    positions=240,
    batch=8,
    future_moves=1,
    forget=0.25,
    report_steps=4,
    validate_every=120,
    validate_positions=24,
    warmup=40,
    precision="float32",
)
SETTINGS = [
    "network=residual", "filters=8", "layers=6", "pools=[1]", "neck=4", "hidden=6",
    "positions=32", "batch=8", "report_steps=2", "validate_positions=8", "precision=float32",
    "warmup=0",
]  # fmt: skip


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Archive]:
    folder = tmp_path_factory.mktemp("judged")
    people = judged_archive(folder / "people")
    small = judged_archive(
        folder / "small", sizes=(9, 13), source="self-play", seed=1,
        facts=lambda number: {"result": "B+3.5" if number % 3 else "W+0.5", "komi": 20.0},
    )  # fmt: skip
    label_at_random(people)
    label_at_random(small)
    return [people, small]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    config = PolicyValueConfig(
        filters=8, layers=6, kind="residual", norm=True, pools=(1,), neck=4, hidden=6
    )
    save_network(PolicyValueNet(config), tmp_path / "net.safetensors", metadata={})
    return tmp_path / "net.safetensors"


def begin(folder: Path, archives: list[Archive], recipe: Recipe = RECIPE) -> Run:
    return Run(folder, recipe, archives[0], device=CPU, more_archives=archives[1:])


def train(archives: list[Archive], out: Path, *words: str, recipe: str = "dual-96") -> int:
    data = [word for archive in archives for word in ("--data", str(archive.path))]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    common = ["--out", str(out), "--device", "cpu", "--threads", "1", "--quiet"]
    return main(["train", recipe, *data, *common, *settings, *words])


def test_a_stopped_run_goes_on_to_the_bit(archives: list[Archive], tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    begin(whole, archives).fit()
    while begin(parts, archives).fit(minutes=0.0) == "time":
        pass
    assert metrics(parts) == metrics(whole)
    assert same(weights(whole), weights(parts))
    lines = MetricsLog(whole / "metrics.jsonl").read()
    told = next(line for line in lines if line["event"] == "validation")
    assert {"loss", "top1", "value_error", "winner_right", "lead_error", "ownership_error"} < set(
        told
    )
    assert told["value_gap"] == pytest.approx(told["value_error"] - told["learnt_value_error"])


def test_the_network_judges_by_construction(archives: list[Archive], tmp_path: Path) -> None:
    begin(tmp_path / "run", archives).fit()
    net = averaged_network(tmp_path / "run")
    assert isinstance(net, PolicyValueNet)
    evaluator = Evaluator(TorchBackend(net.folded(), device="cpu"))
    board, mirrored = Board(9), Board(9)
    for colour, move in ((BLACK, 20), (WHITE, 60), (BLACK, 24)):
        board.play(move, colour)
        mirrored.play(move, BLACK + WHITE - colour)
    values = []
    for komi in (-10.0, 0.0, 6.5, 30.0):
        board.komi, mirrored.komi = komi, -komi
        assert board.to_play == WHITE and mirrored.to_play == BLACK
        both = evaluator.evaluate([board, mirrored])
        assert both.value is not None and both.lead is not None
        assert both.value[0] == both.value[1] and both.lead[0] == both.lead[1]
        values.append(both.value[0])
    assert values == sorted(values) and len(set(values)) == 4  # White to play, and White gets it


def test_a_frozen_trunk_stays_as_it_is(archives: list[Archive], net: Path, tmp_path: Path) -> None:
    words = ["--from", str(net), "--set", "freeze=trunk", "--set", "norm=true"]
    assert train(archives, tmp_path / "run", *words) == 0
    before, after = load_network(net).state_dict(), averaged_network(tmp_path / "run").state_dict()
    heads = ("neck", "owner", "hidden", "outcome")
    for name in before:
        assert torch.equal(before[name], after[name]) != name.startswith(heads), name
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "new.safetensors")]) == 0
    exported, card = read_network(tmp_path / "new.safetensors")
    assert same(exported.state_dict(), after)
    assert card["recipe"]["freeze"] == "trunk" and card["positions_seen"] == 32
    assert card["archive"] == "+".join(archive.digest for archive in archives)


def test_an_exported_network_goes_on_with_normalisation(
    archives: list[Archive], net: Path, tmp_path: Path
) -> None:
    words = ["--from", str(net), "--stop-after", "0", "--set", "lr=0", "--set", "lr_rest=0"]
    assert train(archives, tmp_path / "run", *words) == 0
    begun = averaged_network(tmp_path / "run")
    assert isinstance(begun, PolicyValueNet) and begun.config.norm
    lessons = begin(tmp_path / "other", archives).lessons
    planes = lessons.planes(lessons.batch(0))
    with torch.no_grad():
        said, before = begun(planes), load_network(net)(planes)
    drift = (said.margin - before.margin).abs().mean()  # one step of running statistics is in it
    assert drift < 0.1 * before.margin.abs().mean()
    assert train(archives, tmp_path / "run", "--set", "lr=0.01") == 0


def test_the_heads_recipe_takes_any_shape_and_goes_on(
    archives: list[Archive], net: Path, tmp_path: Path
) -> None:
    data = [word for archive in archives for word in ("--data", str(archive.path))]
    words = ["train", "heads", *data, "--device", "cpu", "--threads", "1", "--quiet"]
    small = ["positions=32", "batch=8", "validate_positions=8", "precision=float32"]
    words += [word for setting in small for word in ("--set", setting)]
    start = ["--from", str(net)]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main([*words, *start, "--out", str(whole)]) == 0
    for _ in range(3):
        assert main([*words, *start, "--out", str(parts), "--stop-after", "0"]) == 0
    assert main([*words, "--out", str(parts)]) == 0
    assert same(weights(whole), weights(parts))


def test_shares_are_those_of_the_recipe(
    archives: list[Archive], caplog: pytest.LogCaptureFixture
) -> None:
    labels = [archive_labels(archive) for archive in archives]
    recipe = replace(RECIPE, sources={"even": 0.7, "self-play": 0.3, "absent": 1.0})
    shares = archive_shares(recipe, labels)
    assert shares[0, 19] == {"even": pytest.approx(0.7)}
    assert sum(shares[1, size]["self-play"] for size in (9, 13)) == pytest.approx(0.3)
    sized = archive_shares(replace(recipe, sizes={"9": 0.5, "19": 0.5}), labels)
    assert set(sized) == {(0, 19), (1, 9)}
    assert [sum(entry.values()) for entry in sized.values()] == pytest.approx([0.5, 0.5])
    people = replace(RECIPE, sources={"even": 1.0})
    assert set(archive_shares(people, labels)) == {(0, 19)}
    told = f"nothing is learnt from {archives[1].path}: the recipe's sources and sizes leave it out"
    assert told in caplog.text
    both = archive_shares(replace(people, sizes={"9": 0.25, "19": 0.75}), labels)
    assert {key: sum(entry.values()) for key, entry in both.items()} == {
        (0, 19): pytest.approx(0.75),
        (1, 9): pytest.approx(0.25),
    }
    frozen = replace(RECIPE, freeze="trunk")
    for positions in positions_of(
        frozen, labels, archive_shares(frozen, labels), "train"
    ).positions:
        teaches = next(each for each in labels if each.archive is positions.archive).teaches
        games, _, _ = positions.drawn(200, seed=1, number=0)
        assert teaches[games].all()


def test_archives_without_labels_teach_the_rest(
    archives: list[Archive], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = Archive.open(shutil.copytree(archives[0].path, tmp_path / "bare"))
    with caplog.at_level(logging.WARNING):
        run = begin(tmp_path / "run", [bare], replace(RECIPE, positions=40, validate_every=40))
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        f"{bare.path} has no ownership beside it, so none is learnt from it: `selfplay label "
        f"{bare.path}` finds it"
    )
    run.fit()
    lines = MetricsLog(tmp_path / "run" / "metrics.jsonl").read()
    assert all(line["ownership_loss"] == 0 and line["value_loss"] > 0 for line in lines[:1])
    assert "value_error" in lines[-1] and "ownership_error" not in lines[-1]


def test_labels_of_another_archive_are_refused(archives: list[Archive], tmp_path: Path) -> None:
    other = judged_archive(tmp_path / "other", games=20, seed=7)
    shutil.copy(owners_path(archives[0].path), owners_path(other.path))
    with pytest.raises(ArchiveError, match=f"labels another archive.*selfplay label {other.path}"):
        archive_labels(other)


@pytest.mark.parametrize(
    ("recipe", "start", "words"),
    [
        ("dual-96", "policy", "is a policy network and the recipe trains a policy-value network"),
        ("policy-64", "net", "is a policy-value network and the recipe trains a policy network"),
        ("heads", "policy", "is a policy network and the recipe trains a policy-value network"),
        ("heads", "", "a frozen trunk needs a network to start from; add --from NET"),
    ],
)
def test_networks_of_another_kind_are_refused(
    archives: list[Archive],
    net: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: str,
    start: str,
    words: str,
) -> None:
    save_network(PolicyNet(PolicyConfig(filters=8, layers=3)), tmp_path / "policy", metadata={})
    files = {"policy": tmp_path / "policy", "net": net}
    data = ["--data", str(archives[0].path), "--out", str(tmp_path / "run"), "--device", "cpu"]
    given = ["--from", str(files[start])] if start else []
    assert main(["train", recipe, *data, *given]) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_heads_of_another_shape_are_refused(
    archives: list[Archive], net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--from", str(net), "--set", "neck=5"]
    assert train(archives[:1], tmp_path / "run", *words) == 2
    assert "neck and hidden ((1,), 4, 6) and the recipe ((1,), 5, 6)" in capsys.readouterr().err


def test_a_policy_network_learns_from_one_archive(
    archives: list[Archive], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [word for archive in archives for word in ("--data", str(archive.path))]
    assert main(["train", "policy-64", *data, "--out", str(tmp_path / "run")]) == 2
    assert "a policy network learns from one archive, not from 2" in capsys.readouterr().err


def test_minutes_stretch_the_plan_and_belong_to_the_run(
    archives: list[Archive], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train(archives, run, "--minutes", "0.02", "--set", "positions=1000000") == 0
    assert "finished" in capsys.readouterr().err
    last = MetricsLog(run / "metrics.jsonl").read()[-2]
    assert last["event"] == "train" and last["samples"] < 1_000_000 and last["rate"] < 0.2
    assert train(archives, run, "--set", "positions=1000000") == 2
    assert "is stretched over 0.02 minutes" in capsys.readouterr().err
    assert train(archives, tmp_path / "b", "--minutes", "9", "--stop-after", "0") == 0
    assert train(archives, tmp_path / "c", "--minutes", "0") == 2
    assert "--minutes 0 leaves a plan no time" in capsys.readouterr().err


def test_learning_games_by_heart_is_told_once(
    archives: list[Archive], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lessons = begin(tmp_path / "run", archives).lessons
    assert isinstance(lessons, JudgingLessons)
    guard: Callable[[dict[str, float], float], None] = lessons._guard
    gaps = [0.012, 0.03, 0.035, 0.045, 0.02, 0.3]
    errors = [0.002, 0.002, 0.002, 0.002, 0.002, 0.2]
    told = []
    for gap, error in zip(gaps, errors, strict=True):
        caplog.clear()
        line = {"value_gap": gap, "value_error": 0.1 + gap, "learnt_value_error": 0.1}
        with caplog.at_level(logging.WARNING):
            guard(line, error)
        told.append(len(caplog.records))
    assert told == [0, 1, 0, 1, 0, 0]


def test_the_first_measurements_tell_nothing_of_learning_by_heart(
    archives: list[Archive],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = begin(tmp_path / "run", archives[:1])
    lessons = run.lessons
    assert isinstance(lessons, JudgingLessons)

    def sums(held_out: bool) -> list[float]:
        error = 0.4 if held_out else 0.1
        return [24.0, 0, 0, 24, 24 * error, 24 * (error**2 + 1e-4), 12, 24, 0, 0, 0, 0]

    monkeypatch.setattr(
        lessons, "_sums", lambda model, batches: sums(batches is lessons._measured_on[0])
    )
    told = []
    for _ in range(4):
        caplog.clear()
        lessons.validate(run.state.average)
        told.append(len(caplog.records))
    assert told == [0, 0, 1, 0]


def test_positions_of_one_game_count_as_one(archives: list[Archive], tmp_path: Path) -> None:
    lessons = begin(tmp_path / "run", archives[:1]).lessons
    assert isinstance(lessons, JudgingLessons)
    batches = lessons.train.fixed(300, batch=64)
    games = {game for batch in batches for game in batch.packed.games.tolist()}
    alike = lessons.train.positions_a_game(300)
    assert alike == pytest.approx(sum(map(len, batches)) / len(games)) and alike > 1
    sums = [0.0, 0, 0, 0, 24 * 0.25, 24 * 0.1, 0, 24, 0, 0, 0, 0]
    assert error_over_games(sums, 4.0) == pytest.approx(2 * error_over_games(sums, 1.0))
    assert error_over_games(sums, 24.0) == pytest.approx((0.1 - 0.25**2) ** 0.5)
