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


def lecun_uniform_(layer: nn.Conv2d | nn.Linear) -> None:
    """Fill a layer with weights uniform in -2.4 / fan-in .. 2.4 / fan-in and zero its bias.

    LeCun et al. 1998, appendix A.
    """
    bound = 2.4 / layer.weight[0].numel()
    nn.init.uniform_(layer.weight, -bound, bound)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def normal_(layer: nn.Conv2d | nn.Linear, *, deviation: float, bias: float = 0.0) -> None:
    """Fill a layer with normal weights of one deviation and its bias with one number.

    What Krizhevsky et al. 2012 and Zeiler & Fergus 2013 did, with inputs of 0..255 minus the mean;
    with inputs of deviation 1 the signal all but dies out, so `he_normal_` is the default.
    """
    nn.init.normal_(layer.weight, 0.0, deviation)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
