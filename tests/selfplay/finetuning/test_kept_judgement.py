"""Fine-tuning a network that judges: it learns the moves and judges as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from goengine.networks.files import load_network, save_network
from goengine.networks.policy_value import PolicyValue, PolicyValueConfig, PolicyValueNet
from selfplay.__main__ import main
from selfplay.archive.reader import Archive
from selfplay.batches.packing import stage, unpack
from selfplay.batches.positions import Positions
from selfplay.finetuning.early_stopping import tuning_recipe
from selfplay.recipes import load_recipe
from selfplay.training.policy_run import Run
from tests.helpers.judged_games import judged_archive
from tests.helpers.small_runs import metrics, same, weights

torch.set_num_threads(1)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return judged_archive(tmp_path_factory.mktemp("own") / "games", games=60)


def judge() -> PolicyValueNet:
    torch.manual_seed(3)
    net = PolicyValueNet(PolicyValueConfig(filters=8, layers=4, neck=4, hidden=6))
    with torch.no_grad():
        net.outcome.weight.normal_(std=0.3)
    return net.eval()


def said_of(net: torch.nn.Module, archive: Archive) -> PolicyValue:
    planes, _ = unpack(stage(Positions(archive, "train").random_batch(64, seed=5, number=0)))
    with torch.no_grad():
        said = net(planes)
    assert isinstance(said, PolicyValue)
    return said


def tuned(folder: Path, archive: Archive, keep: float) -> PolicyValueNet:
    recipe = tuning_recipe(load_recipe("finetune"), judge(), archive, epochs=None)
    recipe = replace(recipe, positions=640, batch=16, lr=0.01, lr_rest=0.005, keep=keep)
    run = Run(folder, replace(recipe, precision="float32"), archive, device=CPU, start_from=judge())
    assert run.fit() == "finished"
    net = run.state.average.policy
    assert isinstance(net, PolicyValueNet)
    return net


def test_the_moves_are_learnt_and_the_judgement_stays(archive: Archive, tmp_path: Path) -> None:
    before = said_of(judge(), archive)
    kept = said_of(tuned(tmp_path / "kept", archive, 4.0), archive)
    free = said_of(tuned(tmp_path / "free", archive, 0.0), archive)

    def drift(said: PolicyValue) -> float:
        return float((said.margin - before.margin).abs().mean())

    def moved(said: PolicyValue) -> float:
        return float((said.logits - before.logits).abs().mean())

    assert drift(kept) < 0.5 * drift(free)
    assert moved(kept) > 0.5 * moved(free) > 0


def test_a_run_that_keeps_goes_on_to_the_bit(archive: Archive, tmp_path: Path) -> None:
    recipe = tuning_recipe(load_recipe("finetune"), judge(), archive, epochs=None)
    recipe = replace(
        recipe, positions=96, batch=8, lr=0.01, validate_every=48, validate_positions=16
    )
    recipe = replace(recipe, precision="float32", report_steps=4)

    def run(name: str) -> Run:
        return Run(tmp_path / name, recipe, archive, device=CPU, start_from=judge())

    run("whole").fit()
    while run("parts").fit(minutes=0.0) == "time":
        pass
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "parts")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_the_command_gives_a_network_of_the_same_kind(archive: Archive, tmp_path: Path) -> None:
    save_network(judge(), tmp_path / "judge.safetensors", metadata={})
    words = ["train", "--from", str(tmp_path / "judge.safetensors"), "--data", str(archive.path)]
    words += ["--out", str(tmp_path / "out"), "--epochs", "0.1", "--device", "cpu", "--quiet"]
    assert main([*words, "--threads", "1"]) == 0
    net = load_network(tmp_path / "out" / "network.safetensors")
    assert isinstance(net, PolicyValueNet) and net.config == judge().config
