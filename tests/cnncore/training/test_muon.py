"""Muon: weights of one shape are moved together."""

from __future__ import annotations

import torch
from torch import nn

from cnncore.training.muon import Muon

torch.set_num_threads(1)


def test_muon_moves_equal_shapes_as_it_moves_each_alone() -> None:
    torch.manual_seed(0)
    shapes = [(6, 2, 3, 3), (6, 2, 3, 3), (4, 5), (6, 2, 3, 3), (9, 4)]
    together = [nn.Parameter(torch.randn(shape)) for shape in shapes]
    alone = [nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [Muon(together, lr=0.1), *(Muon([p], lr=0.1) for p in alone)]
    for _ in range(3):
        for p, q in zip(together, alone, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        torch.testing.assert_close(p, q)
