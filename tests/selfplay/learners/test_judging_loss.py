"""What all heads of a policy-value network learn from a batch, against numbers by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.system.parallel import Processes
from cnncore.training.loop import COUNT
from goengine.encoding.symmetry import move_table
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from selfplay.archive.reader import Archive
from selfplay.batches.labelled import LabelledMix, StagedLesson, stage_lesson
from selfplay.batches.packing import unpack
from selfplay.batches.positions import NO_MOVE
from selfplay.learners.archive_shares import archive_shares, positions_of
from selfplay.learners.judging_lessons import archive_labels
from selfplay.learners.judging_loss import judging_loss, measure_judgement
from selfplay.learners.learner import JudgingLearner, Said
from selfplay.recipes import Recipe
from tests.helpers.judged_games import judged_archive, label_at_random

torch.set_num_threads(1)

CPU = torch.device("cpu")
RECIPE = Recipe(judges=True, filters=8, layers=4, neck=4, hidden=6, future_moves=1)
CONFIG = PolicyValueConfig(filters=8, layers=4, norm=True, neck=4, hidden=6)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = judged_archive(tmp_path_factory.mktemp("judged") / "archive", sizes=(19, 9))
    label_at_random(archive)
    return archive


def mix_of(archive: Archive, recipe: Recipe = RECIPE) -> LabelledMix:
    labels = [archive_labels(archive)]
    return LabelledMix(
        positions_of(recipe, labels, archive_shares(recipe, labels), "train"), labels
    )


def learner() -> JudgingLearner:
    torch.manual_seed(4)
    net = PolicyValueNet(CONFIG)
    with torch.no_grad():
        net.outcome.weight.normal_(std=0.3)
    return JudgingLearner(net, future_moves=1)


def one_by_one(archive: Archive, lesson: StagedLesson, said: Said, batch: object) -> list[float]:
    """Return value, lead and ownership losses from the records, position by position."""
    packed = batch.packed  # type: ignore[attr-defined]
    labels = archive_labels(archive)
    values, leads, owners = [], [], []
    for row in range(len(packed)):
        game, ply = int(packed.games[row]), int(packed.plies[row])
        record = archive.game(game)
        result = record.result or ""
        sign = 1 if ply % 2 == 0 else -1  # Black begins in all of these games
        margin, spread = float(said.margin[row]), float(said.spread[row])
        if result[2:3] not in ("T", "F"):
            chance = 1 / (1 + np.exp(-(margin - sign * 6.5) / spread))
            won = (result[0] == "B") == (sign == 1)
            values.append(-np.log(chance if won else 1 - chance))
            if result[2:3] != "R":
                score = float(result[2:]) * (1 if result[0] == "B" else -1) + 6.5
                error = abs(margin - sign * score) / 20
                leads.append(error**2 if error < 0.5 else error - 0.25)
        known = labels.of(np.array([game]), np.array([ply]))
        if known.owned[0]:
            to = move_table(record.size)[int(packed.symmetries[row]), :-1]
            turned = np.empty(record.size**2)
            turned[to] = known.ownership[0]
            p = 1 / (1 + np.exp(-said.ownership_logits[row].double().numpy()))
            target = (turned + 1) / 2
            owners.append(-(target * np.log(p) + (1 - target) * np.log(1 - p)).mean())
    assert len(values) < len(packed) and leads and owners
    return [float(np.mean(terms)) for terms in (values, leads, owners)]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_the_loss_is_the_sum_of_what_each_head_learns(archive: Archive, number: int) -> None:
    batch = mix_of(archive).random_batch(24, seed=1, number=number)
    lesson, model = stage_lesson(batch), learner().eval()
    total, measures = judging_loss(RECIPE, CPU)(model, lesson)
    planes, moves = unpack(lesson.positions)
    with torch.no_grad():
        said = model(planes)
    value, lead, ownership = one_by_one(archive, lesson, said, batch)
    chances = said.logits.log_softmax(2)
    policy = [
        -float(
            np.mean([chances[b, i, m] for b, m in enumerate(moves[:, i].tolist()) if m != NO_MOVE])
        )
        for i in range(2)
    ]
    expected = policy[0] + 0.15 * policy[1] + 0.5 * value + 0.2 * lead + 0.5 * ownership
    assert total.item() == pytest.approx(expected, rel=1e-5)
    assert measures["value_loss"].item() / 24 == pytest.approx(value, rel=1e-5)
    assert measures["lead_loss"].item() / 24 == pytest.approx(lead, rel=1e-5)
    assert measures["ownership_loss"].item() / 24 == pytest.approx(ownership, rel=1e-5)


@pytest.mark.parametrize("result", ["W+T", "B+F"])
def test_games_lost_on_time_or_by_forfeit_teach_no_value(result: str, tmp_path: Path) -> None:
    facts = {"result": result, "komi": 6.5}
    archive = judged_archive(tmp_path / "archive", games=40, facts=lambda _: facts)
    lesson = stage_lesson(mix_of(archive).random_batch(16, seed=1, number=0))
    model = learner()
    total, _ = judging_loss(RECIPE, CPU)(model, lesson)
    total.backward()
    assert lesson.totals.tolist() == [0, 0, 0]
    for part in (model.policy.outcome, model.policy.owner, model.policy.neck):
        assert all(p.grad is not None and not p.grad.any() for p in part.parameters())
    assert model.policy.head.weight.grad is not None and model.policy.head.weight.grad.any()


def test_every_head_and_the_trunk_get_a_gradient(archive: Archive) -> None:
    model = learner()
    for number in range(6):
        total, _ = judging_loss(RECIPE, CPU)(
            model, stage_lesson(mix_of(archive).random_batch(16, seed=1, number=number))
        )
        total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_a_frozen_trunk_has_no_gradient_and_keeps_its_statistics(archive: Archive) -> None:
    torch.manual_seed(4)
    model = JudgingLearner(PolicyValueNet(CONFIG), frozen=True).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = Recipe(judges=True, freeze="trunk", filters=8, layers=4, neck=4, hidden=6)
    total, _ = judging_loss(recipe, CPU)(
        model, stage_lesson(mix_of(archive, recipe).random_batch(16, seed=1, number=0))
    )
    total.backward()
    for name, parameter in model.named_parameters():
        judges = name.startswith(("policy.neck", "policy.owner", "policy.hidden", "policy.outcome"))
        assert parameter.requires_grad == judges
        assert (parameter.grad is not None) == judges
    after = model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("policy.neck.norm") for name in changed)


def test_sources_of_outcomes_teach_no_moves(archive: Archive) -> None:
    """Neither the moves nor the measures of moves know of these games; the heads that judge do."""
    recipe = replace(RECIPE, outcome_only=("even",))
    batch = mix_of(archive, recipe).random_batch(24, seed=1, number=0)
    assert batch.packed.known.tolist() == [0, 0]
    lesson, model = stage_lesson(batch), learner()
    total, measures = judging_loss(recipe, CPU)(model, lesson)
    total.backward()
    assert measures["policy_loss"].item() == measures["policy_loss" + COUNT].item() == 0
    for part in (model.policy.head, model.heads):
        assert all(p.grad is None or not p.grad.any() for p in part.parameters())
    assert model.policy.owner.weight.grad is not None and model.policy.owner.weight.grad.any()
    sums = measure_judgement(model, [lesson], device=CPU, precision="float32").tolist()
    assert sums[:4] == [0, 0, 0, 0] and sums[7] > 0


def test_moves_are_measured_over_those_that_are_learnt(archive: Archive) -> None:
    both = judged_archive(archive.path.parent / "other", source="self-play", seed=3)
    recipe = replace(RECIPE, outcome_only=("self-play",))
    labels = [archive_labels(archive), archive_labels(both)]
    shares = archive_shares(recipe, labels)
    mix = LabelledMix(positions_of(recipe, labels, shares, "train"), labels)
    known = [mix.random_batch(8, seed=1, number=n).packed.known[0] for n in range(40)]
    assert set(known) == {0, 8}


def test_parts_of_a_batch_add_up_to_the_whole(archive: Archive) -> None:
    mix, model = mix_of(archive), learner().eval()
    whole, _ = judging_loss(RECIPE, CPU)(
        model, stage_lesson(mix.random_batch(16, seed=1, number=2))
    )
    halves = []
    for rank in range(2):
        batch = mix.random_batch(16, seed=1, number=2, part=rank, parts=2)
        loss = judging_loss(RECIPE, CPU, processes=Processes(rank, 2))
        halves.append(loss(model, stage_lesson(batch))[0].item())
    assert np.mean(halves) == pytest.approx(whole.item(), rel=1e-5)


def test_what_is_measured_is_what_the_records_say(archive: Archive) -> None:
    model = learner().eval()
    mix = mix_of(archive)
    batches = mix.fixed(60, batch=16)
    lessons = [stage_lesson(batch) for batch in batches]
    sums = measure_judgement(model, lessons, device=CPU, precision="float32").tolist()
    value = right = taught = lead = counted = owner = owned = 0.0
    for batch, lesson in zip(batches, lessons, strict=True):
        with torch.no_grad():
            said = model(unpack(lesson.positions)[0])
        labels = batch.labels
        for row in range(len(batch)):
            margin = float(said.margin[row])
            if labels.weight[row]:
                komi = float(labels.komi[row])
                chance = 1 / (1 + np.exp(-(margin - komi) / float(said.spread[row])))
                won = labels.winner[row] == 1
                value += (chance - won) ** 2
                right += (chance > 0.5) == won
                taught += 1
            if labels.counted[row]:
                lead += abs(margin - float(labels.margin[row]))
                counted += 1
            if labels.owned[row]:
                mine = np.tanh(said.ownership_logits[row].numpy() / 2)
                owner += np.abs(mine - labels.ownership[row]).mean()
                owned += 1
    assert sums[7] == taught and sums[9] == counted and sums[11] == owned
    assert taught < sum(map(len, batches)) and counted and owned
    expected = [value, right, lead, owner]
    assert [sums[4], sums[6], sums[8], sums[10]] == pytest.approx(expected, rel=1e-5)
