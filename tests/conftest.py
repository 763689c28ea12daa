"""Fixtures that several test modules share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


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
