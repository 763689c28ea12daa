"""Fixtures that several test modules share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.fake_engine import PROGRAM


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20160128)


@pytest.fixture(scope="session")
def games_folder() -> Path:
    """The real game collections beside the checkout; tests skip where there are none."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "games"
    if not folder.is_dir():
        pytest.skip("no game collections beside the checkout")
    return folder


@pytest.fixture(scope="session")
def net_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of four filters that has learnt nothing, in a file called tiny.safetensors."""
    import torch

    from goengine.networks.files import save_network
    from goengine.networks.policy_network import PolicyConfig, PolicyNet

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("net") / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), file, metadata={})
    return file


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], str]:
    """The command line of an engine that behaves in a way (tests/fake_engine.py)."""
    script = tmp_path / "fake engine.py"
    script.write_text(PROGRAM)
    return lambda mode: f"'{sys.executable}' '{script}' {mode}"
