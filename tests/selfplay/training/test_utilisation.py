"""The rate of a matrix product is that of the device, not of a cold start or a stalled moment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

import selfplay.training.utilisation
from selfplay.training.utilisation import matrix_rate


class _Matrix:
    """A matrix whose products take, by the clock that it moves, the seconds that are planned."""

    def __init__(self, plan: list[float]) -> None:
        self.plan, self.now, self.products = plan, 0.0, 0

    def to(self, dtype: torch.dtype) -> _Matrix:
        return self

    def __matmul__(self, other: _Matrix) -> _Matrix:
        self.now += self.plan[min(self.products, len(self.plan) - 1)]
        self.products += 1
        return self

    def __getitem__(self, index: tuple[int, int]) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("plan", "best"),
    [
        ([9.0, 0.1], 0.1),  # a cold start
        ([0.1, 9.0, 0.1], 0.1),  # stalled for longer than all of the time
        ([9.0, 9.0, 0.1, 9.0], 0.1),
        ([0.01], 0.01),  # too short to be timed alone
    ],
)
def test_the_best_of_several_products_counts(
    plan: list[float], best: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = _Matrix(plan)
    clock = SimpleNamespace(perf_counter=lambda: matrix.now, monotonic=lambda: matrix.now)
    monkeypatch.setattr(selfplay.training.utilisation, "time", clock)
    monkeypatch.setattr(torch, "randn", lambda *args, **kwargs: matrix)
    rate = matrix_rate(torch.device("cpu"), "float32", seconds=1.0)
    assert rate == pytest.approx(2.0 * 1024**3 / best)


def test_the_first_product_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = _Matrix([0.1, 0.2])  # a first product can look too fast as well, being only begun
    clock = SimpleNamespace(perf_counter=lambda: matrix.now, monotonic=lambda: matrix.now)
    monkeypatch.setattr(selfplay.training.utilisation, "time", clock)
    monkeypatch.setattr(torch, "randn", lambda *args, **kwargs: matrix)
    rate = matrix_rate(torch.device("cpu"), "float32", seconds=0.1)
    assert matrix.products == 1 + selfplay.training.utilisation.TRIES
    assert rate == pytest.approx(2.0 * 1024**3 / 0.2)
