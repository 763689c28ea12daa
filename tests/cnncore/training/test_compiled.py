"""A compiled step is used only where its loss and every gradient are those of the plain one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.training.compiled import Compiled

torch.set_num_threads(1)

BATCH = torch.randn(64, 3, 9, 9, generator=torch.Generator().manual_seed(1))


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1),
        nn.Conv2d(8, 1, 1), nn.Flatten(), nn.Linear(81, 5),
    )  # fmt: skip


def loss(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    value = model(batch).square().sum(1).mean()
    return value, {"energy": value * len(batch)}


class _Altered(torch.autograd.Function):
    """Pass outputs through and change the gradient on its way back."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.change = change
        return outputs.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return ctx.change(gradients[0]), None


class _Nudged(torch.autograd.Function):
    """Pass outputs through and add to the gradient of something else."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, other: Tensor, amount: float) -> Tensor:
        ctx.amount = torch.full_like(other, amount)
        return outputs.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0], ctx.amount, None


def with_gradients(change: Callable[[Tensor], Tensor]) -> Any:
    """Return a compiler whose outputs are right and whose gradients are changed."""

    def compiler(module: nn.Module) -> Any:
        return lambda inputs: _Altered.apply(module(inputs), change)

    return compiler


def one_weight_wrong(module: nn.Module) -> Any:
    """Compile so that only the first layer's kernel gets a wrong gradient."""

    def call(inputs: Tensor) -> Tensor:
        first = module[0]
        out = module[1:](first(inputs))
        extra = first.weight.square().sum()
        return out + (extra - extra.detach())

    return call


def another_output(module: nn.Module) -> Any:
    return lambda inputs: module(inputs) * 1.1


def refused(module: nn.Module) -> Any:
    raise RuntimeError("no compiler\nand much more")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("compiler", "words"),
    [
        (with_gradients(lambda g: g * float("nan")), "is not finite"),
        (with_gradients(lambda g: g * 1.2), "is off by"),
        (with_gradients(torch.zeros_like), "is off by"),
        (one_weight_wrong, "the gradient of 0.weight is off by"),
        (another_output, "the loss is off by"),
        (refused, "no compiler"),
    ],
)
def test_a_wrong_compiled_step_is_not_used(
    compiler: Any, words: str, precision: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = network()
    compute = Compiled(model, compiler=compiler)
    verdict = compute.prove(loss, BATCH, precision)
    assert not verdict.compiled
    assert words in verdict.reason
    assert len(caplog.records) == 1
    assert f"going on without: {verdict.reason}" in caplog.text
    model.eval()
    assert torch.equal(compute(BATCH), model(BATCH))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_right_one_is_used_and_nothing_has_moved(
    precision: Any, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def counting(module: nn.Module) -> Any:
        def call(inputs: Tensor) -> Any:
            calls.append(len(inputs))
            return module(inputs)

        return call

    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    compute = Compiled(model, compiler=counting)
    verdict = compute.prove(loss, BATCH, precision)
    assert (verdict.compiled, verdict.reason, caplog.text) == (True, "", "")
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    compute(BATCH)
    compute(BATCH[:32])
    assert calls == [64, 64]


def gradient_of_one_number(precision: Any) -> float:
    """Return the gradient of the only bias of the second convolution."""
    model = network()
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        value, _ = loss(model, BATCH)
    value.backward()
    assert isinstance(model[4], nn.Conv2d) and model[4].bias is not None
    assert model[4].bias.grad is not None
    return float(model[4].bias.grad)


@pytest.mark.parametrize(("times", "used"), [(10.0, True), (-100.0, False)])
def test_a_single_number_may_be_further_off_for_its_rounding_is_luck(
    times: float, used: bool
) -> None:
    rounding = gradient_of_one_number("bfloat16") - gradient_of_one_number("float32")

    def nudged(module: nn.Module) -> Any:
        return lambda inputs: _Nudged.apply(module(inputs), module[4].bias, times * rounding)

    assert rounding
    verdict = Compiled(network(), compiler=nudged).prove(loss, BATCH, "bfloat16")
    assert verdict.compiled == used


def test_before_it_is_proven_the_module_runs_as_it_is() -> None:
    model = network().eval()
    assert torch.equal(Compiled(model, compiler=another_output)(BATCH), model(BATCH))


@pytest.mark.slow
def test_torch_compile_itself_proves_right(caplog: pytest.LogCaptureFixture) -> None:
    verdict = Compiled(network()).prove(loss, BATCH, "float32")
    if "does not work here" in caplog.text:
        pytest.skip(f"torch.compile does not work on this machine: {verdict.reason}")
    assert verdict.compiled, verdict.reason
