"""What a network learns of a position: the move played, a teacher's answer, history or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnncore.system.parallel import Processes
from goengine.encoding.features import forget_last_moves
from goengine.networks.files import load_network, save_network
from goengine.networks.policy_network import NetworkError, PolicyConfig, PolicyNet
from selfplay.archive.reader import Archive
from selfplay.batches.packing import StagedBatch, stage, unpack
from selfplay.batches.positions import NO_MOVE, Positions
from selfplay.learners.learner import Learner
from selfplay.learners.policy_loss import policy_loss
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import averaged_network
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import metrics, same, weights

torch.set_num_threads(1)

CPU = torch.device("cpu")
RECIPE = Recipe(
    filters=8,
    layers=4,
    positions=320,
    batch=8,
    report_steps=4,
    validate_every=0,
    warmup=40,
    average=0.9,
    precision="float32",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("teacher") / "archive")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a network that is sure of what it answers."""
    torch.manual_seed(3)
    net = PolicyNet(PolicyConfig(filters=8, layers=3, norm=False))
    with torch.no_grad():
        net.head.weight.mul_(4)
    path = tmp_path_factory.mktemp("network") / "teacher.safetensors"
    save_network(net, path, metadata={})
    return path


def _batch(archive: Archive) -> StagedBatch:
    return stage(Positions(archive, "train", future=1).random_batch(16, seed=1, number=0))


def _divergence(student: nn.Module, teacher: PolicyNet, batch: StagedBatch) -> float:
    """Return the mean Kullback-Leibler divergence of a student from its teacher, in nats."""
    planes, _ = unpack(batch)
    with torch.no_grad():
        answers, guesses = teacher(planes).log_softmax(1), student(planes).log_softmax(1)
    return functional.kl_div(guesses, answers, log_target=True, reduction="batchmean").item()


def test_the_target_is_shared_between_the_move_played_and_the_teacher(archive: Archive) -> None:
    torch.manual_seed(0)
    model = Learner(PolicyNet(PolicyConfig(filters=8, layers=3)), future_moves=1).eval()
    teacher = PolicyNet(PolicyConfig(filters=8, layers=4)).eval()
    with torch.no_grad():
        for net in (model.policy, teacher):
            net.head.weight.mul_(8)
    batch = _batch(archive)
    batch.moves[2:5, 0] = NO_MOVE
    batch.known[0] = 13
    recipe = replace(RECIPE, future_moves=1, teacher_weight=0.3)
    value, measures = policy_loss(recipe, CPU, teacher=teacher)(model, batch)
    alone, _ = policy_loss(recipe, CPU)(model, batch)
    planes, moves = unpack(batch)
    there = moves[:, 0] != NO_MOVE
    guesses = model(planes)[there, 0].log_softmax(1)
    answers = teacher(planes)[there].softmax(1)
    played = functional.nll_loss(guesses, moves[there, 0])
    taught = -(answers * guesses).sum(1).mean()
    expected = 0.3 * (taught - played).item()
    assert abs(expected) > 0.01
    assert (value - alone).item() == pytest.approx(expected, abs=1e-5)
    assert measures["policy_loss"].item() == pytest.approx(16 * played.item(), rel=1e-5)
    value.backward()
    assert all(p.grad is None for p in teacher.parameters())


def test_a_taught_network_answers_more_like_its_teacher(
    archive: Archive, teacher: Path, tmp_path: Path
) -> None:
    taught = replace(RECIPE, teacher=str(teacher), teacher_weight=1.0)
    runs = [Run(tmp_path / r.teacher[-1:], r, archive, device=CPU) for r in (RECIPE, taught)]
    assert runs[1].lessons.teacher is not None
    batch = _batch(archive)
    before = [_divergence(run.state.average.policy, runs[1].lessons.teacher, batch) for run in runs]
    assert [run.fit() for run in runs] == ["finished", "finished"]
    after = [_divergence(run.state.average.policy, runs[1].lessons.teacher, batch) for run in runs]
    assert before[0] == before[1]
    assert after[1] < 0.9 * before[1]
    assert after[1] < 0.9 * after[0]


def test_a_taught_run_goes_on_to_the_bit(archive: Archive, teacher: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, teacher=str(teacher))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    Run(whole, recipe, archive, device=CPU).fit()
    for until in (96, None):
        run = Run(parts, recipe, archive, device=CPU)
        run.fit(until=until)
        run.checkpoint()
    assert metrics(whole) == metrics(parts)
    assert same(weights(whole), weights(parts))
    assert averaged_network(parts).config.layers == RECIPE.layers


def test_an_unknown_teacher_is_named_before_anything_is_written(
    archive: Archive, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, teacher="the-master")
    with pytest.raises(NetworkError, match=r"no network named 'the-master'; shipped networks"):
        Run(tmp_path / "run", recipe, archive, device=CPU)
    assert not (tmp_path / "run").exists()


def test_passes_teach_nothing(archive: Archive) -> None:
    torch.manual_seed(0)
    model = Learner(PolicyNet(PolicyConfig(filters=8, layers=3)), future_moves=1)
    loss = policy_loss(RECIPE, CPU)
    batch = stage(Positions(archive, "train", future=1).random_batch(8, seed=1, number=0))
    batch.moves[:, 1] = NO_MOVE
    batch.moves[0, 1], batch.known[1] = 5, 1
    value, measures = loss(model, batch)
    planes, target = unpack(batch)
    logits = model(planes)
    expected = nn.functional.cross_entropy(logits[:, 0], target[:, 0])
    future = nn.functional.cross_entropy(logits[:1, 1], target[:1, 1])
    assert value.item() == pytest.approx((expected + 0.15 * future).item(), rel=1e-5)
    assert measures["policy_loss"].item() == pytest.approx(8 * expected.item(), rel=1e-5)
    batch.moves[0, 1], batch.known[1] = NO_MOVE, 0
    assert loss(model, batch)[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_first_positions_of_a_batch_lose_their_last_moves(archive: Archive) -> None:
    torch.manual_seed(0)
    model = Learner(PolicyNet(PolicyConfig(filters=8, layers=3))).eval()
    batch = stage(Positions(archive, "train").random_batch(8, seed=1, number=0))
    planes, moves = unpack(batch)
    forget_last_moves(planes[:3])
    expected = functional.cross_entropy(model(planes)[:, 0], moves[:, 0])
    value, _ = policy_loss(replace(RECIPE, forget=0.4), CPU)(model, batch)
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    assert value.item() != policy_loss(RECIPE, CPU)(model, batch)[0].item()


@pytest.mark.parametrize("forget", [0.0, 0.4, 0.7])
def test_processes_forget_the_same_positions_as_one(archive: Archive, forget: float) -> None:
    torch.manual_seed(0)
    model = Learner(PolicyNet(PolicyConfig(filters=8, layers=3))).eval()
    positions, recipe = Positions(archive, "train"), replace(RECIPE, forget=forget)
    whole = stage(positions.random_batch(6, seed=1, number=0))
    expected, _ = policy_loss(recipe, CPU)(model, whole)
    losses = []
    for rank in range(2):
        part = stage(positions.random_batch(6, seed=1, number=0, part=rank, parts=2))
        losses.append(policy_loss(recipe, CPU, processes=Processes(rank, 2))(model, part)[0].item())
    assert sum(losses) / 2 == pytest.approx(expected.item(), rel=1e-6)


def test_a_network_knows_that_it_learnt_to_forget(archive: Archive, tmp_path: Path) -> None:
    run = Run(tmp_path / "run", RECIPE, archive, device=CPU)
    run.fit(until=16)
    run.checkpoint()
    assert not averaged_network(tmp_path / "run").config.forgetful
    run = Run(tmp_path / "run", replace(RECIPE, forget=0.5), archive, device=CPU)
    run.fit(until=32)
    run.checkpoint()
    net = averaged_network(tmp_path / "run")
    save_network(net, tmp_path / "net.safetensors", metadata={})
    assert net.config.forgetful and load_network(tmp_path / "net.safetensors").config.forgetful
