"""What a person reads in the pictures: digits inside discs, titles apart, the move's number."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from goengine import BLACK, WHITE, Board
from goengine.coords import move_to_gtp
from goengine.feature_table import OPPONENT_STONE, OWN_STONE
from goengine.pictures.board_drawing import DISC, INK, PAPER
from goengine.pictures.png import planes_figure, policy_figure, position_title, save_png
from goengine.pictures.svg import board_svg

SIZES = (2, 5, 9, 13, 19)


def position(size: int) -> Board:
    """Return a board on which Black has played in the middle and White beside it."""
    board = Board(size)
    board.play(size * (size // 2) + size // 2)
    board.play(size * (size // 2) + size // 2 - 1)
    return board


def priors(board: Board) -> np.ndarray:
    """Return probabilities of one, two and three digits and some below 1 % on empty points."""
    values = np.zeros(board.size**2, dtype=np.float32)
    empty = np.flatnonzero(board.grid.ravel() == 0)[:5]
    values[empty] = np.array([0.996, 0.47, 0.08, 0.01, 0.004])[: len(empty)]
    return values


def extent(text: Text) -> Bbox:
    return text.get_window_extent(FigureCanvasAgg(text.figure).get_renderer())


@pytest.mark.parametrize("size", SIZES)
def test_digits_lie_inside_their_discs_and_fill_them(size: int) -> None:
    board = position(size)
    figure = policy_figure(board, priors(board), "game.sgf")
    axes = figure.axes[0]
    discs = {patch.center: patch for patch in axes.patches if isinstance(patch, Circle)}
    digits = [text for text in axes.texts if text.get_fontweight() == "bold"]
    assert [text.get_text() for text in digits] == ["100", "47", "8", "1"][: len(digits)]
    assert len(digits) == min(4, size * size - 2)
    for text in digits:
        disc = discs[text.get_position()]
        assert disc.radius == DISC and disc.get_facecolor()[3] == 1.0
        centre = axes.transData.transform(text.get_position())
        radius = abs(axes.transData.transform((DISC, 0)) - axes.transData.transform((0, 0)))[0]
        corners = extent(text).corners() - centre
        # The box of a text has room for letters below the line, which digits do not have.
        assert np.abs(corners[:, 0]).max() < radius
        assert text.get_fontsize() * figure.dpi / 72 > 0.6 * radius


@pytest.mark.parametrize("size", SIZES)
def test_coordinates_are_large_and_apart(size: int) -> None:
    board = position(size)
    axes = policy_figure(board, priors(board), "").axes[0]
    names = [text for text in axes.texts if text.get_fontweight() != "bold"]
    assert len(names) == 4 * size
    assert min(text.get_fontsize() for text in names) >= 9
    boxes = [extent(text) for text in names]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    outside = axes.get_window_extent()
    assert all(outside.x0 <= b.x0 and b.x1 <= outside.x1 for b in boxes)


@pytest.mark.parametrize("size", SIZES)
def test_the_words_around_the_board_have_room(size: int) -> None:
    board = position(size)
    figure = policy_figure(board, priors(board), "a very long name of a game " * 9 + ".sgf")
    title, source, note = figure.texts
    assert title.get_text() == "Black to play, before move 3" == position_title(board)
    assert source.get_text().endswith(".sgf") and "…" in source.get_text()
    assert move_to_gtp(board.last_move or 0, size) in note.get_text()
    boxes = [*map(extent, figure.texts), figure.axes[0].get_window_extent()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_the_likelier_the_darker() -> None:
    board = position(9)
    axes = policy_figure(board, priors(board), "").axes[0]
    shades = {}
    for patch in axes.patches:
        if isinstance(patch, Circle) and patch.get_zorder() == 3 and patch.radius == DISC:
            column, row = patch.center
            shades[int(row * 9 + column)] = sum(patch.get_facecolor()[:3])
    brightness = [shades[move] for move in sorted(shades)]
    assert brightness == sorted(brightness) and len(set(brightness)) == 4


def test_after_a_pass_there_is_no_ring() -> None:
    board = position(9)
    board.play(81)
    note = policy_figure(board, priors(board), "").texts[2].get_text()
    assert "Ring" not in note
    assert position_title(board) == "White to play, before move 4"


@pytest.mark.parametrize("planes", [48, 49])
@pytest.mark.parametrize("size", [5, 9, 13, 19])
def test_planes_fill_the_picture_and_do_not_touch(planes: int, size: int) -> None:
    figure = planes_figure(position(size), planes, "game.sgf")
    assert [text.get_text() for text in figure.texts[:2]] == [
        "Black to play, before move 3",
        "game.sgf",
    ]
    parts = [axes.get_window_extent() for axes in figure.axes]
    words = [extent(axes.title) for axes in figure.axes[1:]] + list(map(extent, figure.texts))
    assert not any(a.overlaps(b) for a, b in itertools.combinations([*parts, *words], 2))
    whole = figure.bbox
    assert all(whole.x0 <= b.x0 and b.x1 <= whole.x1 and b.y0 >= 0 for b in [*parts, *words])
    # No blank strip: the parts reach every edge of the picture.
    assert whole.x1 - max(box.x1 for box in parts) < 0.02 * whole.x1
    assert min(box.y0 for box in parts) < 0.02 * whole.y1


def test_planes_tell_own_stones_from_the_opponents() -> None:
    board = position(9)
    figure = planes_figure(board)
    for plane, colour, face in ((OWN_STONE, BLACK, INK), (OPPONENT_STONE, WHITE, PAPER)):
        axes = figure.axes[1 + plane]
        shown = np.asarray(axes.images[0].get_array())
        np.testing.assert_array_equal(shown == 1, board.grid == colour)
        for disc in axes.patches:
            column, row = map(int, disc.center)
            assert (disc.get_facecolor()[0] < 0.5) == (board.grid[row, column] == BLACK)
            if board.grid[row, column] == colour:
                assert disc.get_facecolor() == Circle((0, 0), 1, facecolor=face).get_facecolor()
    note = " ".join(text.get_text() for text in figure.texts)
    assert "own ones are black, those of the opponent white" in note


@pytest.mark.parametrize(
    "name", ["이창호.sgf", "囲碁クラブ.sgf", "李世乭.sgf", "$x_{.sgf", "\udcff.sgf"]
)
def test_names_of_games_are_drawn_or_left_out(name: str, tmp_path: Path) -> None:
    board = position(9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in (policy_figure(board, priors(board), name), planes_figure(board, 48, name)):
            assert figure.texts[1].get_text() in (name, "")
            save_png(figure, tmp_path / "picture.png")


def test_a_name_that_no_font_can_write_takes_nothing_else_with_it() -> None:
    board = position(9)
    figure = policy_figure(board, priors(board), "\udcff.sgf, network policy-64")
    assert figure.texts[1].get_text() == "network policy-64"


@pytest.mark.parametrize(("size", "count"), [(9, 5), (13, 5), (19, 9), (5, 0)])
def test_pictures_have_the_usual_star_points(size: int, count: int) -> None:
    figure = policy_figure(Board(size), np.zeros(size * size, np.float32), "a game")
    circles = [patch for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    assert len(circles) == count
    assert board_svg(Board(size)).count("<circle") == count


def test_an_owner_has_a_square_on_empty_points_and_on_the_others_stones() -> None:
    board = Board(5)
    for move in (0, 1, 2):
        board.play(move)
    ownership = np.zeros((5, 5), np.float32)
    ownership[0, :5] = 1.0, 1.0, 0.9, -0.9, 0.1
    plain = board_svg(board).count("<rect")
    assert board_svg(board, ownership=ownership).count("<rect") == plain + 2
