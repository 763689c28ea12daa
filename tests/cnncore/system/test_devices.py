"""Devices by name, their precisions, and those that have nothing wider than float32."""

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
from cnncore.system.devices import (
    DeviceError,
    best_precision,
    default_device,
    training_precision,
    widest_float,
)
from cnncore.training.loop import Course, fit
from cnncore.training.schedule import Plan
from cnncore.training.training_state import TrainingState


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
        fit(state, Course(batches, loss, plan, lines.append, lambda: None))
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


def test_absent_devices_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="'gpu' is not a device: use cuda, mps"):
        default_device("gpu")
    with pytest.raises(DeviceError, match="'cuda:1' is not available on this machine: use cpu"):
        default_device("cuda:1")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="'mps' is not available on this machine"):
        default_device("mps")
    with pytest.raises(DeviceError, match="'meta' is not supported: use cuda, mps or cpu"):
        default_device("meta")
    assert default_device() == torch.device("cpu")


def test_the_best_device_is_the_first_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert default_device(among=("cuda", "mps", "cpu")) == torch.device("mps")
    assert default_device() == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert default_device(among=("cuda", "mps", "cpu")) == torch.device("cuda")


@pytest.mark.parametrize(
    ("capability", "best", "training"),
    [
        ((9, 0), "bfloat16", "bfloat16"),
        ((7, 5), "float16", "float32"),
        ((6, 1), "float32", "float32"),
    ],
)
def test_cards_compute_in_what_they_have_units_for(
    capability: tuple[int, int], best: str, training: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert best_precision(torch.device("cuda")) == best
    assert training_precision(torch.device("cuda")) == training


@pytest.mark.parametrize(("tiles", "vectors"), [(True, False), (False, True), (False, False)])
def test_processors_with_units_for_bfloat16_use_them(
    tiles: bool, vectors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors)
    wanted = "bfloat16" if tiles or vectors else "float32"
    assert best_precision(torch.device("cpu")) == wanted
    assert training_precision(torch.device("cpu")) == wanted


def test_other_devices_have_their_own_precision() -> None:
    assert best_precision(torch.device("mps")) == "float16"
    assert training_precision(torch.device("mps")) == "float32"
    assert training_precision(torch.device("meta")) == "float32"
