"""SGF text that is not quite SGF: heads, names of properties, brackets, text after the game."""

import pytest

from goengine.games.sgf import read_collection, read_sgf, read_variations


@pytest.mark.parametrize(
    "data",
    [
        "(SZ[9]PB[A]KM[6.5];B[aa];W[bb])",
        ";SZ[9]PB[A]KM[6.5];B[aa];W[bb]",
        "SZ[9]PB[A]KM[6.5];B[aa];W[bb])",
        "\n( SZ[9]PB[A]KM[6.5](;B[aa];W[bb])(;B[cc]))",
    ],
)
def test_a_head_that_is_not_whole(data):
    record = read_sgf(data)
    assert (record.size, record.black, record.komi) == (9, "A", 6.5)
    assert len(record.moves) == 2
    assert record.cut is None
    assert record.notes == ("head of the game mended: it does not begin with '(;'",)


@pytest.mark.parametrize(
    "data",
    [
        "(;sz[9]pb[A]km[6.5]c[b[aa\\];w[bb\\]];b[aa];w[bb])",
        "(;Sz[9]Pb[A]Km[6.5];B[aa];w[bb])",
        "(;size[9]playerblack[A]komi[6.5];black[aa];white[bb])",
        "(;SiZe[9]PlayerBlack[A]KoMi[6.5]CoPyright[x];Black[aa];White[bb])",
    ],
)
def test_names_of_properties_in_any_case(data):
    record = read_sgf(data)
    assert (record.size, record.black, record.komi) == (9, "A", 6.5)
    assert record.moves == ((1, 0), (2, 10))
    assert record.notes == ()
    assert list(read_variations(data)) == [record]


def test_what_later_nodes_say_about_the_game():
    record = read_sgf("(;GM[1]FF[4];SZ[9]PB[A]KM[6.5];B[aa];W[bb])")
    assert (record.size, record.black, record.komi) == (9, "A", 6.5)
    assert read_sgf("(;GM[1]PB[A];B[aa]PB[B]SZ[9];W[bb])").black == "A"
    late = read_sgf("(;GM[1];B[aa];W[bb];SZ[9])")
    assert late.size == 9
    assert late.notes == ("board size found late: SZ stands after the first move",)


def test_moves_behind_a_bracket_too_many_are_not_lost_silently():
    record = read_sgf("(;SZ[9];B[aa]);W[bb];B[cc])")
    assert len(record.moves) == 1
    assert record.cut == "broken text"
    assert record.notes == ("text after the game left out: it begins with ';W[bb];B[cc])'",)


@pytest.mark.parametrize(
    ("tail", "notes"),
    [
        ("", ()),
        ("\r\n\x1a", ()),
        ("\0\0\0", ()),
        (")", ()),
        ("\nsent from afar", ()),
        (" PB[A]", ("text after the game left out: it begins with 'PB[A]'",)),
    ],
)
def test_text_after_the_game(tail, notes):
    record = read_sgf(f"(;SZ[9];B[aa]C[x];W[bb]){tail}")
    assert record.cut is None
    assert record.notes == notes


@pytest.mark.parametrize("data", ["(;SZ[9];B[aa])(;SZ[9];B[bb])", "((;SZ[9];B[aa])(;SZ[9];B[bb]))"])
def test_only_the_first_of_several_games_is_read_and_that_is_said(data, caplog):
    record = read_sgf(data)
    assert record.moves == ((1, 0),)
    assert record.notes == ("only the first game was read: the file holds several",)
    assert "only the first game" in caplog.text
    assert [game.notes for game in read_collection(data)] == [(), ()]


def test_stones_and_points_that_are_left_out_are_said():
    record = read_sgf("(;SZ[9]AB[aa][zz]AW[tt][bb];B[cc][dd];W[ee])")
    assert (record.setup_black, record.setup_white) == ((0,), (10,))
    assert record.moves == ((1, 20), (2, 40))
    assert record.notes == (
        "set-up stones left out: AB[zz] is not on the board",
        "set-up stones left out: AW[tt] is not on the board",
        "points left out: move 1 names 2 points",
    )
    bare = read_sgf("(;SZ[9]AB[aa][zz]KM[3.75];W[cc];B[ee])")
    assert [note.partition(":")[0] for note in bare.notes] == [
        "set-up stones left out",
        "komi guessed",
    ]


@pytest.mark.parametrize("game", ["2", "4", "chess", "99"])
def test_other_games_are_refused(game):
    with pytest.raises(ValueError, match=rf"GM\[{game}\] is not Go"):
        read_sgf(f"(;GM[{game}]SZ[9];B[aa])")


@pytest.mark.parametrize(
    "data",
    [
        b"(;GM[1]C[\xe9" * 40_000,
        b"(;GM[1]CA[" + b" " * 200_000 + b"\xe9])",
        b" " * 200_000 + b"x",
        b"(;GM[1]PB[\xe9]" + b"b[" * 60_000,
        b"(;GM[1]RE[" + "黑".encode() * 50_000 + b"];B[aa])",
        b"(;GM[1]KM[" + b"1 " * 50_000 + b"]DT[" + b"1/" * 50_000 + b"];B[aa])",
        b"(;B[aa])" + b"junk\xe9 " * 50_000,
    ],
    ids=["open", "charset", "blanks", "lower", "result", "numbers", "tail"],
)
def test_hostile_text_takes_no_quadratic_time(data):
    assert sum(1 for _ in read_collection(data)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "(;GM[1]SZ[9];B[aa]N[x;W[bb];B[cc])",
        "(;GM[1]SZ[9]C[hello;B[aa];W[bb];B[cc])",
        "(;GM[1]SZ[9];B[aa]C[good\nmove\n;W[bb]BL[20];B[cc])",
    ],
)
def test_a_value_that_nothing_closes_does_not_swallow_a_move(text):
    record = read_sgf(text)
    assert [move for _, move in record.moves] == [0, 10, 20]
    assert record.notes == (
        "values closed before the move behind them: 1 are not closed in the file",
    )


@pytest.mark.parametrize(
    "text",
    [
        "(;GM[1]SZ[9]C[see ;W[bb\\] and B[];B[aa];W[bb];B[cc])",
        "(;GM[1]SZ[9];B[aa]C[(;B[dd\\];W[ee\\])];W[bb];B[cc])",
    ],
)
def test_moves_that_a_comment_quotes_are_not_played(text):
    record = read_sgf(text)
    assert [move for _, move in record.moves] == [0, 10, 20]
    assert record.notes == ()


def test_wide_brackets_are_read():
    record = read_sgf("（；GM［1］SZ［9］；B［aa］；W［bb］）")
    assert [move for _, move in record.moves] == [0, 10]
    assert record.notes == ("wide brackets and semicolons were read as ASCII",)


def test_moves_as_people_call_them():
    record = read_sgf("(;GM[1]SZ[9];B[A9];W[pass];B[J1])")
    assert record.moves == ((1, 0), (2, 81), (1, 80))
