"""Komi, results, dates, sizes and handicaps as programs and people write them."""

import doctest

import pytest

from goengine.games import sgf, sgf_numbers
from goengine.games.record import GameRecord
from goengine.games.sgf import SgfError, read_sgf, write_sgf
from goengine.games.sgf_numbers import parse_date, read_number


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("13/2?", 6.5),
        ("6 1/2", 6.5),
        ("6½", 6.5),
        ("¾", 0.75),
        ("7.5", 7.5),
        ("７．５", 7.5),
        ("6目半", 6.5),
        ("三目半", 3.5),
        ("十二", 12),
        ("二百三十", 230),
        ("3又3/4", 3.75),
        ("一又四分之三", 1.75),
        ("여섯집반", 6.5),
        ("반집", 0.5),
        ("-5 1/2", -5.5),
        ("1/0", 0),
    ],
)
def test_numbers(written, value):
    number = read_number(written)
    assert number is not None
    assert number.value == value


def test_text_without_a_number():
    assert read_number("none") is None


@pytest.mark.parametrize(
    ("head", "komi"),
    [
        ("AP[foxwq]KM[275]", 5.5),
        ("AP[foxwq]KM[325]", 6.5),
        ("AP[foxwq]KM[350]", 7.0),
        ("AP[foxwq]KM[375]", 7.5),
        ("AP[foxwq]KM[550]", 5.5),
        ("AP[foxwq]KM[650]", 6.5),
        ("AP[foxwq]KM[700]", 7.0),
        ("AP[foxwq]KM[750]", 7.5),
        ("AP[foxwq]KM[50]", 0.5),
        ("AP[foxwq:1.0]KM[-375]", -7.5),
        ("AP[foxwq]KM[0]", 0.0),
        ("AP[foxwq]KM[6.5]", 6.5),
        ("AP[foxwq]RU[Chinese]KM[3.75]", 7.5),
        ("RU[中国]KM[2.75]", 5.5),
        ("RU[Chinese]KM[3 3/4]", 7.5),
        ("KM[3.75]", 7.5),
        ("KM[375]", 7.5),
        ("RU[Japanese]KM[3.75]", 3.75),
        ("RU[Japanese]KM[6 1/2]", 6.5),
        ("KM[13/2?]", 6.5),
        ("KM[6½]", 6.5),
        ("KM[６．５]", 6.5),
        ("KM[黑贴3又3/4子]", 7.5),
        ("KM[贴6.5目]", 6.5),
        ("KM[倒贴6.5目]", -6.5),
        ("KM[6目半]", 6.5),
        ("KM[コミ5目半]", 5.5),
        ("KM[덤 6집반]", 6.5),
        ("KM[6.5 points]", 6.5),
        ("KM[Komi: 7.5]", 7.5),
        ("KM[6-1/2]", 6.5),
        ("KM[6호반]", 6.5),
        ("KM[6,5 Punkte]", 6.5),
        ("KM[不贴目]", 0.0),
        ("KM[コミなし]", 0.0),
        ("KM[덤 없음]", 0.0),
        ("KM[50]", 50.0),
        ("KM[3.7500]", 3.75),
        ("KM[5 stones]", None),
        ("KM[x7]", None),
        ("KM[99999]", None),
    ],
)
def test_komi(head, komi):
    assert read_sgf(f"(;GM[1]{head};B[aa])").komi == komi


def test_a_guessed_or_unknown_komi_is_said():
    assert read_sgf("(;KM[3.75];B[aa])").notes == ("komi guessed: KM[3.75] was read as 7.5 points",)
    assert read_sgf("(;KM[3.75]RU[Chinese];B[aa])").notes == ()
    assert read_sgf("(;KM[375];B[aa])").notes == ()
    assert read_sgf("(;KM[much];B[aa])").notes == (
        "komi unknown: KM[much] is not a number of points",
    )
    assert read_sgf("(;KM[6 1/2];B[aa])").notes == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("黑中盘胜", "B+R"),
        ("白中盤勝", "W+R"),
        ("黑方胜", "B+"),
        ("白胜43.5目", "W+43.5"),
        ("黑胜半目", "B+0.5"),
        ("黑胜3/4子", "B+1.5"),
        ("白胜1又1/4子", "W+2.5"),
        ("黑超时负", "W+T"),
        ("白认输", "B+R"),
        ("黑棋胜十二目", "B+12"),
        ("白胜黑3目", "W+3"),
        ("和棋", "0"),
        ("흑 불계승", "B+R"),
        ("백 3집반승", "W+3.5"),
        ("백 반집승", "W+0.5"),
        ("흑 여섯집반승", "B+6.5"),
        ("흑 시간승", "B+T"),
        ("백 기권승", "W+F"),
        ("무승부", "0"),
        ("무효", "Void"),
        ("黒中押し勝ち", "B+R"),
        ("白番2目半勝ち", "W+2.5"),
        ("白番半目勝", "W+0.5"),
        ("黒番時間切れ勝ち", "B+T"),
        ("持碁", "0"),
        ("無勝負", "Void"),
        ("B+1/2", "B+0.5"),
        ("B+2 3/4", "B+2.75"),
        ("W+½", "W+0.5"),
        ("W+3½", "W+3.5"),
        ("B+中盘", "B+R"),
        ("黑+3.5", "B+3.5"),
        ("Black wins by resignation", "B+R"),
        ("W wins by 3.5 points", "W+3.5"),
        ("White resigned", "B+R"),
        ("Black+4.5", "B+4.5"),
        ("B+1234", "B+1234"),
        ("打ち掛け", "打ち掛け"),
        ("黑白", "黑白"),
        ("黑先", "黑先"),
        ("白赢中盘", "W+R"),
        ("黑贏三目半", "B+3.5"),
        ("黑中盤", "B+R"),
        ("白中押し", "W+R"),
        ("흑 불계", "B+R"),
        ("白超时", "B+T"),
        ("黑違規", "W+F"),
        ("흑 기권", "W+F"),
        ("白胜185子", "W+"),
        ("和", "0"),
        ("White by resignation", "W+R"),
        ("Black by 5.5", "B+5.5"),
        ("White timed out", "B+T"),
        ("Black lost on time", "W+T"),
        ("B lost by 3.5", "W+3.5"),
        ("Black gave up", "W+R"),
        ("Schwarz gewinnt durch Aufgabe", "B+R"),
        ("Weiß gewinnt mit 3,5 Punkten", "W+3.5"),
        ("Weiß gibt auf", "B+R"),
        ("Noir gagne par abandon", "B+R"),
        ("Blanc gagne de 0.5", "W+0.5"),
        ("W+ 1-1/2", "W+1.5"),
        ("Result: B+R", "B+R"),
        ("White moves", "White moves"),
        ("Black", "Black"),
        ("1-0", "1-0"),
    ],
)
def test_results(written, read):
    record = read_sgf(f"(;RE[{written}];B[aa])")
    assert record.result == read
    again = read_sgf(f"(;RE[{record.result}];B[aa])")
    assert again.result == read


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2018年5月2日", 20180502),
        ("2018年05月02日 星期三", 20180502),
        ("二〇一八年五月二日", 20180502),
        ("2018년 5월 2일", 20180502),
        ("平成30年5月2日", 20180502),
        ("令和元年5月2日", 20190502),
        ("2018.05.02", 20180502),
        ("2018/5/2", 20180502),
        ("25/05/2018", 20180525),
        ("05/25/2018", 20180525),
        ("02/02/2018", 20180202),
        ("02/05/2018", 20180000),
        ("2018-05-02T23:59:59Z", 20180502),
        ("2018-05-02 10:00", 20180502),
        ("2018-05-02,03", 20180502),
        ("2018-05-02~2018-05-04", 20180502),
        ("2018-05-02/2018-05-04", 20180502),
        ("2018.5.2-5.4", 20180502),
        ("May 2, 2018", 20180502),
        ("2 May 2018", 20180502),
        ("2nd of May 2018", 20180502),
        ("2018 May 2", 20180502),
        ("May 2018", 20180500),
        ("Wed May  2 10:00:00 2018", 20180502),
        ("c. 1700", 17000000),
        ("02.05.2018", 20180502),
        ("2018 05 02", 20180502),
        ("2018_05_02", 20180502),
        ("20180502193000", 20180502),
        ("2018-05-02-2018-05-03", 20180502),
        ("二○一八年五月二日", 20180502),
        ("H30.5.2", 20180502),
        ("民國107年5月2日", 20180502),
        ("18-05-02", 0),
        ("12345", 0),
    ],
)
def test_dates(written, date):
    assert parse_date(written) == date


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018年5月2日", "2018-05-02"),
        ("2018.05.02", "2018-05-02"),
        ("2018-05-02T10:00:00+08:00", "2018-05-02"),
        ("25/05/2018", "2018-05-25"),
        ("02/05/2018", "02/05/2018"),
        ("2018-05-02,03", "2018-05-02,03"),
        ("2018.5.2-5.4", "2018.5.2-5.4"),
        ("2018-05", "2018-05"),
        ("Spring 1835", "Spring 1835"),
        ("02.05.2018", "2018-05-02"),
        ("2018-05-02 19:30:00 CST", "2018-05-02"),
        ("Wed May 2 12:00:00 2018", "2018-05-02"),
        ("2nd of May 2018", "2018-05-02"),
        ("2018年5月2日(水)", "2018-05-02"),
        ("令和元年5月2日", "2019-05-02"),
        ("昭和５８年１月２０日", "1983-01-20"),
        ("2018年5月", "2018-05"),
        ("2018年", "2018"),
        ("Published 2018-05-02", "Published 2018-05-02"),
        ("2018-05-02,2018-05-03", "2018-05-02,2018-05-03"),
    ],
)
def test_a_single_day_is_written_as_sgf_does(written, read):
    assert read_sgf(f"(;DT[{written}];B[aa])").date == read


@pytest.mark.parametrize(
    ("written", "size"),
    [("19:19", 19), ("19x19", 19), (" 13 ", 13), ("9×9", 9), ("９", 9), ("19路", 19), ("13.0", 13)],
)
def test_sizes(written, size):
    record = read_sgf(f"(;SZ[{written}];B[aa])")
    assert record.size == size
    assert record.notes == ()


@pytest.mark.parametrize("written", ["9:13", "9x13", "13:9", "1", "20", "-9", "9.5", "big", "0"])
def test_sizes_that_are_refused(written):
    with pytest.raises(SgfError, match=r"board size SZ\["):
        read_sgf(f"(;SZ[{written}];B[aa])")


@pytest.mark.parametrize(
    ("head", "size", "note"),
    [
        ("SZ[]", 19, "board size guessed as 19: SZ is empty"),
        ("SZ[9][13]", 9, "board size guessed as 9: SZ stands there 2 times"),
        ("SZ[9]SZ[13]", 9, "board size guessed as 9: SZ stands there 2 times"),
        ("SZ[9];SZ[13]", 9, "board size guessed from the root: a later node tells another one"),
    ],
)
def test_a_doubtful_size_is_said(head, size, note):
    record = read_sgf(f"(;GM[1]{head};B[aa])")
    assert record.size == size
    assert record.notes == (note,)


@pytest.mark.parametrize(
    ("written", "handicap"),
    [
        *[("2", 2), ("二子", 2), ("让4子", 4), ("３", 3), ("0", 0), ("두점", 2), ("접바둑 3점", 3)],
        *[("互先", 0), ("定先", 0), ("让先", 0), ("호선", 0), ("even", 0)],
    ],
)
def test_handicaps(written, handicap):
    record = read_sgf(f"(;HA[{written}];W[aa])")
    assert record.handicap == handicap
    assert record.notes == ()


def test_a_handicap_that_is_not_a_number_is_said():
    record = read_sgf("(;HA[none];B[aa])")
    assert record.handicap == 0
    assert record.notes == ("handicap unknown: HA[none] is not a number of stones",)


@pytest.mark.parametrize("komi", [3.75, -0.25, 7.25, 150.0, 1e-7, 0.125])
def test_any_komi_survives_writing(komi):
    assert read_sgf(write_sgf(GameRecord(komi=komi, rules="Chinese"))).komi == komi


@pytest.mark.parametrize("module", [sgf, sgf_numbers])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
