"""How well networks judge held-out positions, against numbers from boards and records by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from goengine.types import BLACK
from selfplay.__main__ import main
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import source_sample
from selfplay.evaluation.held_out_answers import Contestant, answered
from selfplay.evaluation.judgements import Judgements, measure_judgements, value_calibration
from selfplay.evaluation.source_reports import evaluate_source, source_report
from selfplay.labelling.owners_file import owners_path, read_ownership
from selfplay.learners.judging_lessons import archive_labels
from tests.helpers.judged_games import judged_archive, label_at_random

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = judged_archive(tmp_path_factory.mktemp("judged") / "archive", sizes=(19, 9))
    label_at_random(archive)
    return archive


@pytest.fixture(scope="module")
def net() -> PolicyValueNet:
    torch.manual_seed(4)
    net = PolicyValueNet(PolicyValueConfig(filters=6, layers=3, neck=4, hidden=6))
    with torch.no_grad():
        net.outcome.weight.normal_(std=0.3)
        net.owner.weight.mul_(4)
    return net.eval()


@pytest.mark.parametrize("size", [19, 9])
def test_the_numbers_are_those_of_a_slow_reference(
    archive: Archive, net: PolicyValueNet, size: int
) -> None:
    sample = source_sample(archive, "even", split="train", limit=60, size=size)
    answers = answered(Contestant("a", net), sample, labels=archive_labels(archive))
    owners = read_ownership(owners_path(archive.path), archive)
    evaluator = Evaluator(TorchBackend(net, device="cpu", precision="float32"))
    squares, rights, leads, shares, chances = [], [], [], [], []
    for game, ply in zip(answers.games.tolist(), answers.plies.tolist(), strict=True):
        record = archive.game(game)
        board = record.board_at(ply)
        board.komi = 6.5
        said = evaluator.evaluate([board])
        assert said.value is not None and said.lead is not None and said.ownership is not None
        sign = 1 if board.to_play == BLACK else -1
        result = record.result or ""
        if result[2] not in "TF":
            chance, won = (said.value[0] + 1) / 2, (result[0] == "B") == (sign == 1)
            squares.append((chance - won) ** 2)
            rights.append((chance > 0.5) == won)
            chances.append((chance, won))
            if result[2] != "R":
                score = float(result[2:]) * (1 if result[0] == "B" else -1) * sign
                leads.append(abs(said.lead[0] - score))
        if owners.rows(np.array([game]))[0] >= 0:
            owner = owners.of_games(np.array([game]), size * size)[0] * sign
            shares.append(np.abs(said.ownership[0].ravel() - owner).mean())
    assert answers.judged is not None
    found = measure_judgements(answers.judged, answers.games)
    assert found.value and found.right and found.lead and found.ownership
    assert 0 < len(squares) < 60 and found.value.count == len(squares)
    assert found.value.value == pytest.approx(np.mean(squares), abs=1e-5)
    assert found.right.value == pytest.approx(np.mean(rights))
    assert found.lead.value == pytest.approx(np.mean(leads), abs=1e-4)
    assert found.lead.count == len(leads)
    assert found.ownership.value == pytest.approx(np.mean(shares), abs=1e-5)
    assert found.ownership.count == len(shares)
    error = 0.0
    for low in np.arange(10) / 10:
        mine = [(c, w) for c, w in chances if low <= c < low + 0.1]
        if mine:
            error += len(mine) * abs(np.mean([c for c, _ in mine]) - np.mean([w for _, w in mine]))
    assert found.calibration == pytest.approx(error / len(chances), abs=1e-4)
    report = source_report("even", answers, archive)
    assert report.judgement is not None
    by_move = report.judgement.by_move
    assert sum(part.value.count for part in by_move.values() if part.value) == len(squares)


def test_draws_count_for_the_error_and_not_for_the_winner() -> None:
    judged = Judgements(
        chance=np.array([0.8, 0.3, 0.6, 0.9]),
        won=np.array([1.0, 0.0, 0.5, np.nan]),
        lead_error=np.array([1.0, np.nan, 3.0, np.nan]),
        ownership_error=np.full(4, np.nan),
    )
    games = np.arange(4)
    found = measure_judgements(judged, games)
    assert found.value is not None and found.right is not None and found.lead is not None
    assert found.value.value == pytest.approx((0.04 + 0.09 + 0.01) / 3)
    assert (found.right.value, found.right.count) == (1.0, 2)
    assert found.lead.value == 2.0 and found.ownership is None
    assert [b.count for b in value_calibration(judged, games)] == [1, 1]
    nothing = measure_judgements(judged, games, np.array([False, False, False, True]))
    assert nothing.value is nothing.right is nothing.calibration is nothing.lead is None


def test_policy_networks_and_missing_labels_give_no_judgement(
    archive: Archive, net: PolicyValueNet
) -> None:
    labels = archive_labels(archive)
    policy = PolicyNet(PolicyConfig(filters=4, layers=3)).eval()
    limits = {"split": "train", "limit": 8}
    assert evaluate_source(policy, archive, "even", labels=labels, **limits).judgement is None
    assert evaluate_source(net, archive, "even", **limits).judgement is None
    assert evaluate_source(net, archive, "even", labels=labels, **limits).judgement is not None


def test_the_command_reports_judgement_of_all_board_sizes(
    archive: Archive, net: PolicyValueNet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(net, tmp_path / "judge.safetensors", metadata={})
    words = ["evaluate", str(tmp_path / "judge.safetensors"), "--data", str(archive.path)]
    words += ["--split", "train", "--device", "cpu", "--threads", "1", "--limit", "150"]
    page = tmp_path / "page.html"
    assert main([*words, "--report", str(page), "--boards", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("even: top-1") == out.count("even 9x9: top-1") == 1
    assert out.count("  judgement: value error ") == 2 and "ownership error" in out
    text = page.read_text()
    for title in ("Who wins?", "Judgement by move number", "error of the lead, points"):
        assert title in text
    assert main([*words, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source"] for line in lines] == ["even", "even 9x9"]
    for line in lines:
        whole = line["judgement"]["whole"]
        assert 0 < whole["value"]["value"] < 1 and whole["lead"]["count"] > 0
        assert line["judgement"]["calibration"] and "1-30" in line["judgement"]["by_move"]
