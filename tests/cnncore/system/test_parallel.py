"""Processes that torchrun starts, and one alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnncore.system.parallel import ALONE, ParallelError, joined

torch.set_num_threads(1)


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as (processes, device):
        assert processes == ALONE and device == torch.device("cpu")
        assert processes.leads and processes.any(True, False) == (True, False)
        model = nn.Linear(2, 2)
        assert processes.synchronised(model) is model


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    beyond = torch.cuda.device_count()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name, value in {"WORLD_SIZE": 99, "RANK": beyond, "LOCAL_RANK": beyond}.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(ParallelError, match=f"process {beyond} of this host has no GPU"):
        with joined("cuda"):
            raise AssertionError("joined although there is no such GPU")
