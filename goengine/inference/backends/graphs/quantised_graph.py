"""A network's ONNX graph in 8-bit integers, made of the float one.

Static quantisation (Jacob et al. 2018, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference"): weights int8 with a scale for each output map, activations
uint8 with one scale and zero point for each tensor. The convolutions of the trunk, which are nearly
all of the work, become integer; the heads, the pooled branches and the sum behind the last block
stay float, for they cost nothing and every error there shows. The planes are 0 and 1 and stay what
they are. ONNX Runtime fuses a convolution between a DequantizeLinear and a QuantizeLinear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Range = tuple[float, float]
"""The least and the largest number that a tensor takes."""
_STEPS = 255
_LARGEST_BIAS = 2**30
"""Steps that a bias, an int32, may have: the weights' scale is not so small that it overflows."""
_SMALLEST = 1e-12
_PLANES = "planes"


def quantised_tensors(graph: bytes) -> list[str]:
    """Return the names of the activations that become integers and whose ranges must be known."""
    return list(_Layout(onnx.load_from_string(graph).graph).activations)


def quantise(graph: bytes, ranges: Mapping[str, Range], *, bits: int = 8) -> bytes:
    """Return the graph with integer convolutions.

    `ranges` are those of `quantised_tensors`. `bits` of a weight: 7 on processors that add products
    of two bytes up in 16 bits, where 8 would overflow.
    """
    model = onnx.load_from_string(graph)
    writer = _Writer(model.graph, ranges, bits)
    writer.write()
    model.graph.ClearField("node")
    model.graph.ClearField("initializer")
    model.graph.node.extend(writer.nodes)
    model.graph.initializer.extend(writer.weights)
    data: bytes = model.SerializeToString()
    return data


class _Layout:
    """Which convolutions of a graph become integer, and which activations with them."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.arrays = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.convolutions = {
            node.output[0]
            for node in graph.node
            if node.op_type == "Conv" and self.arrays[node.input[1]].shape[-1] > 1
        }
        """The outputs of the convolutions of the trunk."""
        self.planes = next(node.output[0] for node in graph.node if node.op_type == "Cast")
        readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        self.activations: dict[str, None] = {}
        """The activations that become uint8, in the order of the graph."""
        for node in graph.node:
            if node.output[0] not in self.convolutions:
                continue
            if node.input[0] != self.planes:
                self.activations[node.input[0]] = None
            (reader, *others) = readers[node.output[0]]
            fused = reader.op_type == "Relu" and not others
            self.activations[reader.output[0] if fused else node.output[0]] = None


class _Writer:
    """Writes the nodes and weights of the integer graph."""

    def __init__(self, graph: onnx.GraphProto, ranges: Mapping[str, Range], bits: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._graph = graph
        self._layout = _Layout(graph)
        self._ranges = ranges
        self._largest = 2 ** (bits - 1) - 1
        self._scales: dict[str, np.float32] = {}  # of the activations that are integers by now
        self._names: dict[str, str] = {}  # of activations: their names behind the rounding

    def write(self) -> None:
        """Go through the graph from its input on."""
        for node in self._graph.node:
            if node.output[0] == self._layout.planes:
                self._dequantised(_PLANES, np.float32(1), np.uint8(0), name=node.output[0])
                self._scales[node.output[0]] = np.float32(1)
                continue
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            for place, name in enumerate(node.input):
                copy.input[place] = self._names.get(name, name)
            if node.output[0] in self._layout.convolutions:
                copy.input[1:] = self._integer_weights(node)
            self.nodes.append(copy)
            if node.output[0] in self._layout.activations:
                self._round(node.output[0])
        self._keep_float_weights()

    def _round(self, name: str) -> None:
        """Round an activation to the 256 steps of its range."""
        low, high = (min(0.0, self._ranges[name][0]), max(0.0, self._ranges[name][1]))
        scale = np.float32((high - low) / _STEPS or 1.0)
        zero = np.uint8(round(-low / float(scale)))
        integer = self._node(
            "QuantizeLinear", [name, self._weight(scale), self._weight(zero)], f"{name}.integer"
        )
        self._names[name] = self._dequantised(integer, scale, zero)
        self._scales[name] = scale

    def _integer_weights(self, node: onnx.NodeProto) -> list[str]:
        """Return the inputs of a convolution behind its activation: weights and biases."""
        weight, bias = (self._layout.arrays[name] for name in node.input[1:])
        before = self._scales[node.input[0]]
        extent = np.abs(weight).reshape(len(weight), -1).max(axis=1) / self._largest
        least = np.maximum(np.abs(bias) / (before * _LARGEST_BIAS), _SMALLEST)
        scales = np.maximum(extent, least).astype(np.float32)
        steps = np.round(weight / scales[:, None, None, None]).astype(np.int8)
        whole = np.round(bias / (scales * before)).astype(np.int32)
        zeros = np.zeros(len(weight), dtype=np.int8)
        return [
            self._dequantised(self._weight(steps), scales, zeros, axis=0),
            self._dequantised(self._weight(whole), scales * before, zeros.astype(np.int32), axis=0),
        ]

    def _dequantised(
        self, integer: str, scale: Any, zero: Any, *, name: str = "", **attributes: Any
    ) -> str:
        """Add a node that gives integers their meaning, and return the name of what it computes."""
        inputs = [integer, self._weight(scale), self._weight(zero)]
        return self._node("DequantizeLinear", inputs, name or f"{integer}.float", **attributes)

    def _node(self, operation: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def _weight(self, array: npt.ArrayLike) -> str:
        name = f"integer.{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def _keep_float_weights(self) -> None:
        """Keep the weights of the nodes that stay float."""
        read = {name for node in self.nodes for name in node.input}
        self.weights.extend(weight for weight in self._graph.initializer if weight.name in read)
