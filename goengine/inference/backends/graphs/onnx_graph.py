"""A network as an ONNX graph, written from its file without torch.

Names of tensors are those of the torch network (goengine/networks). The graph takes uint8 planes of
any batch and any board; the position bias, which belongs to one board size, is not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from goengine.networks.files import POSITION_BIAS, NetworkFile
from goengine.networks.network_config import (
    LEAST_SPREAD,
    MARGIN_SCALE,
    NetworkError,
    PolicyValueConfig,
)

_OPSET, _IR = 17, 8
"""What ONNX Runtime 1.14 and later read."""


def write_graph(file: NetworkFile) -> bytes:
    """Return the ONNX model of a network.

    Input `planes` uint8 (B, P, N, N); outputs `logits` (B, N*N) without the position bias, and of
    a policy-value network `margin` (B,), `spread` (B,) and `ownership` (B, N, N), all float32.

    Raises:
        NetworkError: the weights do not fit the shape.
    """
    graph = _Graph(file)
    config = file.config
    k = config.filters
    x = graph.node("Cast", ["planes"], to=TensorProto.FLOAT)
    x = graph.node("Relu", [graph.conv(x, "body.0.conv", (k, config.planes, 5))])
    for number in range(1, config.blocks + 1):
        if config.kind == "plain":
            x = graph.node("Relu", [graph.conv(x, f"body.{number}.conv", (k, k, 3))])
            continue
        inner = graph.node("Relu", [graph.conv(x, f"body.{number}.conv1", (k, k, 3))])
        if isinstance(config, PolicyValueConfig) and number - 1 in config.pools:
            told = graph.linear(graph.mean_and_maximum(inner), f"body.{number}.pool", (k, 2 * k))
            inner = graph.node("Add", [inner, told])
        outer = graph.conv(inner, f"body.{number}.conv2", (k, k, 3))
        x = graph.node("Relu", [graph.node("Add", [outer, x])])
    logits = graph.conv(x, "head", (1, k, 1), bias=False)
    outputs = [graph.output("logits", "Flatten", [logits], "BM")]
    if isinstance(config, PolicyValueConfig):
        outputs += _judgement(graph, x, config)
    planes = helper.make_tensor_value_info(
        "planes", TensorProto.UINT8, ["B", config.planes, "N", "N"]
    )
    graph.refuse_unused()
    model = helper.make_model(
        helper.make_graph(graph.nodes, "goengine", [planes], outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="goengine",
    )
    data: bytes = model.SerializeToString()
    return data


def _judgement(graph: _Graph, hidden: str, config: PolicyValueConfig) -> list[onnx.ValueInfoProto]:
    """Add the heads that judge the position to a graph, and return their outputs."""
    neck = graph.node("Relu", [graph.conv(hidden, "neck.conv", (config.neck, config.filters, 1))])
    half = graph.node("Mul", [graph.conv(neck, "owner", (1, config.neck, 1)), graph.constant(0.5)])
    owned = graph.node("Tanh", [half])
    units = graph.node(
        "Relu",
        [graph.linear(graph.mean_and_maximum(neck), "hidden", (config.hidden, 2 * config.neck))],
    )
    outcome = graph.node("Flatten", [graph.linear(units, "outcome", (2, config.hidden))])
    correction, width = graph.nodes_of("Split", [outcome], 2, axis=1)
    axes = graph.constant([1, 2, 3])
    on_board = graph.node("ReduceSum", [owned, axes], keepdims=0)
    last = graph.constant([1])
    scaled = graph.node("Mul", [correction, graph.constant(MARGIN_SCALE)])
    beyond = graph.node("Squeeze", [scaled, last])
    least = graph.constant(LEAST_SPREAD)
    soft = graph.node("Softplus", [graph.node("Squeeze", [width, last])])
    return [
        graph.output("margin", "Add", [on_board, beyond], "B"),
        graph.output("spread", "Add", [soft, least], "B"),
        graph.output("ownership", "Squeeze", [owned, last], "BNN"),
    ]


class _Graph:
    """A graph that grows: each method adds a node and returns the name of what it computes."""

    def __init__(self, file: NetworkFile) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._file = file
        self._left = {name: w for name, w in file.weights.items() if name != POSITION_BIAS}
        self._count = 0

    def node(self, operation: str, inputs: Iterable[str], **attributes: Any) -> str:
        """Add a node with one output."""
        (output,) = self.nodes_of(operation, inputs, 1, **attributes)
        return output

    def nodes_of(
        self, operation: str, inputs: Iterable[str], outputs: int, **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs."""
        names = [self._name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names

    def conv(self, x: str, name: str, shape: tuple[int, int, int], *, bias: bool = True) -> str:
        """Add a "same" convolution: output maps, input maps, lines of the kernel."""
        outputs, inputs, kernel = shape
        weight = self._take(f"{name}.weight", (outputs, inputs, kernel, kernel))
        names = [x, self._weight(weight)]
        if bias:
            names.append(self._weight(self._take(f"{name}.bias", (outputs,))))
        return self.node("Conv", names, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4)

    def linear(self, x: str, name: str, shape: tuple[int, int]) -> str:
        """Add a linear layer on maps of one point, (B, C, 1, 1), as a 1x1 convolution."""
        weight = self._take(f"{name}.weight", shape)[:, :, None, None]
        bias = self._take(f"{name}.bias", shape[:1])
        return self.node("Conv", [x, self._weight(weight), self._weight(bias)], kernel_shape=[1, 1])

    def mean_and_maximum(self, x: str) -> str:
        """Add the mean and then the maximum of every map: (B, 2 C, 1, 1)."""
        pooled = [self.node("GlobalAveragePool", [x]), self.node("GlobalMaxPool", [x])]
        return self.node("Concat", pooled, axis=1)

    def constant(self, value: float | list[int]) -> str:
        """Add a float32 number or a list of int64."""
        if isinstance(value, list):
            return self._weight(np.array(value, dtype=np.int64))
        return self._weight(np.array(value, dtype=np.float32))

    def output(
        self, name: str, operation: str, inputs: list[str], shape: str
    ) -> onnx.ValueInfoProto:
        """Add a node whose float32 output leaves the graph; `shape` names its axes."""
        self.nodes.append(helper.make_node(operation, inputs, [name]))
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    def refuse_unused(self) -> None:
        """Refuse weights that no part of the network has asked for."""
        if self._left:
            raise NetworkError(
                f"the weights in {self._file.name} do not fit its config: it does not have "
                f"{', '.join(sorted(self._left))}; export it again"
            )

    def _take(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        weight = self._left.pop(name, None)
        if weight is None or weight.shape != shape:
            there = "is missing" if weight is None else f"has shape {weight.shape}"
            raise NetworkError(
                f"the weights in {self._file.name} do not fit its config: {name} {there} where "
                f"{shape} is expected; export it again"
            )
        return weight

    def _weight(self, array: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        name = self._name()
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _name(self) -> str:
        self._count += 1
        return str(self._count)
