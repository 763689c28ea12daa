"""Which games ingest keeps: bounds, unknown values, ranks and results."""

import pytest

from selfplay.archive.filters import Filters, rank_value, result_kind
from selfplay.archive.ingest_counts import READ
from selfplay.evaluation.measures import rank_name
from tests.helpers.small_games import game, line, run

RANKED = game(1, black_rank="7d", white_rank="9p", date="2015-03-01", result="B+3.5", komi=6.5)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(), True),
        (Filters(sizes=(9, 13)), False),
        (Filters(sizes=None), True),
        (Filters(min_rank="7d"), True),
        (Filters(min_rank="8d"), False),
        (Filters(min_rank="1p"), False),
        (Filters(years=(2015, 2015)), True),
        (Filters(years=(2016, 9999)), False),
        (Filters(min_moves=30), True),
        (Filters(min_moves=31), False),
        (Filters(max_moves=30), True),
        (Filters(max_moves=29), False),
        (Filters(results=("points", "resign")), True),
        (Filters(results=("resign",)), False),
        (Filters(komi=(6.5, 7.5)), True),
        (Filters(komi=(0.0,)), False),
    ],
)
def test_filters(tmp_path, filters, kept):
    (tmp_path / "a.sgf").write_bytes(line(RANKED))
    archive, reasons = run([tmp_path / "a.sgf"], tmp_path, filters=filters)
    assert len(archive) == kept
    assert reasons[READ] == 1
    assert sum(reasons.values()) == (32 if kept else 2)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(min_rank="1k"),
        Filters(years=(0, 9999)),
        Filters(komi=(6.5,)),
        Filters(results=("draw",)),
    ],
)
def test_unknown_values_meet_no_bound(tmp_path, filters):
    (tmp_path / "a.sgf").write_bytes(line(game(0)))
    archive, _ = run([tmp_path / "a.sgf"], tmp_path, filters=filters)
    assert len(archive) == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30k", 1),
        ("1k", 30),
        ("1 kyu", 30),
        ("1d", 31),
        ("6d?", 36),
        ("9d*", 39),
        ("7 dan", 37),
        ("9段", 39),
        ("10d", 39),
        ("1p", 41),
        ("P9段", 49),
        ("九段", 39),
        ("初段", 31),
        ("초단", 31),
        ("9단", 39),
        ("5급", 26),
        ("3級", 28),
        ("8-dan", 38),
        ("业余5段", 35),
        ("9p", 49),
        ("Honinbo", 49),
        ("Meijin & Kisei", 49),
        ("ama", None),
        ("5", None),
        ("0d", None),
        ("99k", None),
        ("", None),
        (None, None),
    ],
)
def test_ranks(text, value):
    assert rank_value(text) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("6 dan", "6 dan"),
        ("9段", "9 dan"),
        ("7D?", "7 dan"),
        ("P9段", "9 pro"),
        ("2级", "kyu"),
        ("30 kyu", "kyu"),
        ("99k", "other"),
        ("10d", "other"),
        ("Honinbo 9p", "9 pro"),
        ("Meijin & Kisei", "other"),
        ("8p & 9p", "other"),
    ],
)
def test_ranks_of_every_server_have_a_group(text, name):
    assert rank_name(text) == name


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ("B+3.5", "points"),
        ("W+R", "resign"),
        ("W+T", "time"),
        ("B+F", "forfeit"),
        ("0", "draw"),
        ("Void", "void"),
        ("B+", "unknown"),
        ("?", "unknown"),
        (None, "unknown"),
    ],
)
def test_result_kinds(result, kind):
    assert result_kind(result) == kind
