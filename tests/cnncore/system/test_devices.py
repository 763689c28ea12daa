"""Devices that compute in nothing wider than float32, as Apple's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import cnncore.training.loop
from cnncore.classification import scores
from cnncore.layers.blocks import fold_batch_norm
from cnncore.system.devices import widest_float
from cnncore.training.loop import Plan, TrainingState, fit


class NoFloat64(TorchDispatchMode):
    """Refuses every tensor in float64."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.dtype == torch.float64:
            raise TypeError(f"{func} makes float64, which this device does not have")
        return result


def batches(step: int) -> Iterator[list[int]]:
    while True:
        yield [step, step + 1]
        step += 1


def loss(model: nn.Module, batch: list[int]) -> tuple[Tensor, dict[str, Tensor]]:
    error = (model(torch.tensor(batch, dtype=torch.float32)[:, None]) - 1.0).square()
    return error.mean(), {"right": (error < 1.0).sum()}


def test_only_mps_lacks_float64() -> None:
    kinds = {name: widest_float(torch.device(name)) for name in ("cpu", "cuda", "mps")}
    assert kinds == {"cpu": torch.float64, "cuda": torch.float64, "mps": torch.float32}


def test_training_makes_no_float64_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> list[dict[str, Any]]:
        torch.manual_seed(1)
        model = nn.Linear(1, 1)
        state = TrainingState.start(model, [torch.optim.SGD(model.parameters(), lr=0.01)])
        lines: list[dict[str, Any]] = []
        plan = Plan(samples=8, report_steps=2)
        fit(state, batches, loss, plan, report=lines.append, checkpoint=lambda: None)
        return lines

    wide = run()
    monkeypatch.setattr(cnncore.training.loop, "widest_float", lambda device: torch.float32)
    with NoFloat64():
        narrow = run()
    assert [line["right"] for line in narrow] == [line["right"] for line in wide]
    assert [line["loss"] for line in narrow] == pytest.approx([line["loss"] for line in wide])


def test_predictions_and_folding_ask_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.device] = []

    def narrow(device: torch.device) -> torch.dtype:
        asked.append(device)
        return torch.float32

    class Two:
        """Two samples that are their own numbers."""

        def __len__(self) -> int:
            return 2

        def batch(self, index: Tensor) -> Tensor:
            return index[:, None].float()

    monkeypatch.setattr(scores, "widest_float", narrow)
    shares = scores.predict(nn.Linear(1, 3), Two())  # type: ignore[arg-type]
    assert asked and shares.dtype == torch.float64
    monkeypatch.setattr("cnncore.layers.blocks.widest_float", narrow)
    conv, norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
    with NoFloat64():
        weight, bias = fold_batch_norm(conv, norm)
    assert weight.dtype == bias.dtype == torch.float32
