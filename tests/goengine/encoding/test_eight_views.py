"""The eight views of a position: turned there and back, forgotten where asked, and their mean."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.encoding.eight_views import eight_views, turn_back
from goengine.encoding.features import encode_batch
from goengine.encoding.symmetry import REFLECTIONS, SYMMETRIES
from goengine.feature_table import feature_slices
from goengine.inference.priors import MIXED_TEMPERATURE, mean_of_views
from tests.oracle.lockstep import Twin, random_game


@pytest.fixture(params=[5, 9])
def planes(request, rng) -> np.ndarray:
    """Planes of every second position of a game."""
    boards = [twin.board.records.copy() for twin in random_game(Twin(request.param), rng, 40)]
    return encode_batch(np.concatenate(boards[::2]))


def test_what_eight_views_show_is_turned_back(planes):
    views = eight_views(planes, forgetful=False)
    assert views.shape == (SYMMETRIES, *planes.shape)
    assert len({view.tobytes() for view in views}) == SYMMETRIES
    for plane in range(planes.shape[1]):
        flat = views[:, :, plane].reshape(SYMMETRIES, len(planes), -1)
        expected = planes[:, plane].reshape(1, len(planes), -1)
        assert (turn_back(flat) == expected).all()


def test_only_mirrored_views_forget(planes):
    usual, mixed = (eight_views(planes, forgetful=forgetful) for forgetful in (False, True))
    turns = feature_slices()["turns since"]
    for symmetry in range(SYMMETRIES):
        forgets = symmetry in REFLECTIONS
        assert (usual[symmetry] != mixed[symmetry]).any() == forgets
        assert mixed[symmetry][:, turns.start : turns.stop - 1].any() == (not forgets)


def test_the_mean_of_mixed_views_is_sharper_in_the_same_order(rng):
    answers = rng.dirichlet(np.full(25, 0.3), size=(SYMMETRIES, 6)).astype(np.float32)
    answers[:, 5] = 0.0
    before = answers.copy()
    plain = mean_of_views(answers, forgetful=False)
    np.testing.assert_allclose(plain, answers.mean(axis=0))
    mixed = mean_of_views(answers, forgetful=True)
    assert mixed.dtype == plain.dtype == np.float32 and (answers == before).all()
    np.testing.assert_allclose(mixed.sum(axis=1), [1, 1, 1, 1, 1, 0], atol=1e-5)
    assert (np.argsort(mixed[:5], axis=1) == np.argsort(plain[:5], axis=1)).all()
    ratio = np.log(mixed[0, 0] / mixed[0, 1]) / np.log(plain[0, 0] / plain[0, 1])
    assert ratio == pytest.approx(1 / MIXED_TEMPERATURE, rel=1e-3)
