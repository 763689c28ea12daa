"""Weight initialisation, one paper a function."""

from __future__ import annotations

import math

from torch import nn


def he_normal_(layer: nn.Conv2d | nn.Linear, *, gain: float = math.sqrt(2.0)) -> None:
    """Fill a layer with normal weights of standard deviation gain / sqrt(fan-in) and zero its bias.

    He et al. 2015, "Delving deep into rectifiers", equation 10; gain sqrt(2) suits a ReLU behind
    the layer, 1 a linear output. The fan-in of a grouped convolution counts the channels of one
    group.
    """
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
