"""Evaluation: ranks are counted right, intervals are Wilson's, the ensemble is equivariant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from goengine.networks import PolicyConfig, PolicyNet
from selfplay.archive import Archive
from selfplay.evaluation import evaluate_source, log_probabilities, share_of, table
from selfplay.positions import PositionBatch, Positions
from tests.small_archive import make_archive

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("evaluation") / "archive")


def test_shares_have_wilson_intervals() -> None:
    share = share_of(8, 10)
    assert (share.value, share.count) == (0.8, 10)
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_of(0, 50).low == 0.0 and share_of(50, 50).high == 1.0


class _Oracle(nn.Module):
    """A network that knows the moves of the one batch that it is asked about."""

    def __init__(self, batch: PositionBatch, *, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.batch, self.rank = batch, rank

    def forward(self, planes: Tensor) -> Tensor:
        assert np.array_equal(planes.numpy(), self.batch.planes)
        logits = torch.zeros(len(planes), 361)
        for row, move in zip(logits, self.batch.moves[:, 0].tolist(), strict=True):
            row[move] = 5.0
            row[[(move + 1 + i) % 361 for i in range(self.rank)]] = 6.0
        return logits


@pytest.mark.parametrize(("rank", "top1", "top5"), [(0, 1.0, 1.0), (1, 0.0, 1.0), (5, 0.0, 0.0)])
def test_evaluation_counts_ranks(archive: Archive, rank: int, top1: float, top5: float) -> None:
    positions = Positions(archive, "test", weights={"even": 1.0})
    games, plies = positions.draw(64, np.random.default_rng(20160128))
    order = np.lexsort((plies, games))
    oracle: Any = _Oracle(positions.batch(games[order], plies[order]), rank=rank)
    report = evaluate_source(oracle, archive, "even", limit=64)
    assert report.top1.value == top1 and report.top5.value == top5
    assert sum(share.count for share in report.by_move.values()) == 64
    expected = -torch.zeros(1, 361)
    expected[0, 0], expected[0, 1 : 1 + rank] = 5.0, 6.0
    assert report.loss == pytest.approx(-expected.log_softmax(1)[0, 0].item(), rel=1e-4)
    assert "even: top-1" in table([report])


def test_the_symmetry_ensemble_is_equivariant() -> None:
    torch.manual_seed(0)
    net = PolicyNet(PolicyConfig(filters=8, layers=3)).eval()
    nn.init.normal_(net.bias.bias)
    planes = torch.randint(0, 2, (2, 48, 19, 19)).byte()
    with torch.inference_mode():
        plain = log_probabilities(net, planes, symmetry="all").view(2, 19, 19)
        turned = log_probabilities(net, planes.rot90(1, (2, 3)).contiguous(), symmetry="all")
        single = log_probabilities(net, planes).view(2, 19, 19)
    torch.testing.assert_close(turned.view(2, 19, 19), plain.rot90(1, (1, 2)), rtol=1e-4, atol=1e-5)
    assert plain.exp().sum((1, 2)) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert (plain - single).abs().max() > 1e-3
