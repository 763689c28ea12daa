"""SGF reading and writing: what each property means, damaged text, round trips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goengine.coords import move_to_sgf, sgf_to_move
from goengine.games.record import GameRecord
from goengine.games.sgf import SgfError, read_collection, read_sgf, read_variations, write_sgf
from goengine.types import BLACK, WHITE

GAME = b"""(;FF[4]GM[1]SZ[9]KM[6.5]RU[Chinese]PB[A \\] b]PW[Wei]BR[9p]WR[7d]DT[2011-05-06]EV[Cup]
RE[W+Resign];B[ee]C[first :) \\\\];W[cc];B[]
(;W[tt];B[gg](;W[aa])(;W[bb];B[dd]))
(;W[hh]))"""


def at(text, size=19):
    return sgf_to_move(text, size)


def test_every_property_of_a_game():
    record = read_sgf(GAME)
    assert record == GameRecord(
        size=9,
        komi=6.5,
        rules="Chinese",
        to_play=BLACK,
        moves=(
            (BLACK, at("ee", 9)),
            (WHITE, at("cc", 9)),
            (BLACK, 81),
            (WHITE, 81),
            (BLACK, at("gg", 9)),
            (WHITE, 0),
        ),
        result="W+R",
        black="A ] b",
        white="Wei",
        black_rank="9p",
        white_rank="7d",
        date="2011-05-06",
        event="Cup",
    )
    assert record.cut is None


def test_variations_come_main_line_first():
    lines = [[move_to_sgf(move, 9) for _, move in r.moves] for r in read_variations(GAME)]
    assert lines == [
        ["ee", "cc", "", "", "gg", "aa"],
        ["ee", "cc", "", "", "gg", "bb", "dd"],
        ["ee", "cc", "", "hh"],
    ]
    with pytest.raises(SgfError, match="well-formed"):
        list(read_variations(b"(;B[aa]"))


def test_tt_is_a_pass_on_every_size():
    for size in (2, 9, 13, 19):
        record = read_sgf(f"(;SZ[{size}];B[tt];W[])")
        assert record.moves == ((BLACK, size * size), (WHITE, size * size))


def test_setup_stones_rectangles_and_first_player():
    record = read_sgf("(;SZ[9]AB[aa:ca][ee]AW[ii];AE[ba]PL[W]C[still before the first move])")
    assert record.setup_black == (0, 2, 40)
    assert record.setup_white == (80,)
    assert record.to_play == WHITE
    assert record.handicap == 0
    assert record.moves == ()


def test_the_first_move_decides_who_begins():
    assert read_sgf("(;PL[B];W[aa];B[bb])").to_play == WHITE


@pytest.mark.parametrize("head", ["HA[2]AB[pd][dp]", "AB[pd][dp]"])
def test_handicap_stones(head):
    record = read_sgf(f"(;GM[1]{head}KM[0.5];W[dd];B[pp])")
    assert record.handicap == 2
    assert record.setup_black == (at("pd"), at("dp"))
    assert record.to_play == WHITE
    assert len(record.moves) == 2


def test_handicap_written_as_moves():
    record = read_sgf("(;GM[1]HA[3];B[pd];B[dp];B[pp];W[dd];B[qq])")
    assert record.setup_black == tuple(sorted(map(at, ("pd", "dp", "pp"))))
    assert record.moves == ((WHITE, at("dd")), (BLACK, at("qq")))
    alternating = read_sgf("(;GM[1]HA[2];B[pd];W[dp];B[pp])")
    assert alternating.setup_black == ()
    assert len(alternating.moves) == 3


def test_setup_in_mid_game_ends_the_record():
    record = read_sgf("(;GM[1];B[pd];W[dp];AB[aa];B[qq])")
    assert record.moves == ((BLACK, at("pd")), (WHITE, at("dp")))
    assert record.cut == "setup in mid-game"


@pytest.mark.parametrize("value", ["zz", "a", "aaa", "jj", "1a", "é", " resign"])
def test_a_move_off_the_board_ends_the_record(value):
    record = read_sgf(f"(;SZ[9];B[aa];W[{value}];B[bb])")
    assert record.moves == ((BLACK, 0),)
    assert record.cut == "unreadable move"


def test_moves_in_capitals_and_with_blanks_are_read():
    assert read_sgf("(;SZ[9];B[ BA ];W[\n])").moves == ((BLACK, 1), (WHITE, 81))


def test_long_property_names_of_old_files():
    record = read_sgf("(;GaMe[1]SiZe[9]PlayerBlack[Shusaku];Black[aa];White[bb])")
    assert record.size == 9
    assert record.black == "Shusaku"
    assert len(record.moves) == 2


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("B+Resign", "B+R"),
        ("w+r", "W+R"),
        ("B+Time", "B+T"),
        ("W+Forfeit", "W+F"),
        ("B+3.50", "B+3.5"),
        ("W+0,5 points", "W+0.5"),
        ("B+ 12", "B+12"),
        ("B+", "B+"),
        ("Draw", "0"),
        ("jigo", "0"),
        ("0", "0"),
        ("VOID", "Void"),
        ("?", "?"),
        ("白中盘胜", "W+R"),
        ("打ち掛け", "打ち掛け"),
        ("", None),
    ],
)
def test_results(written, read):
    assert read_sgf(f"(;RE[{written}];B[aa])").result == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("6.5", 6.5),
        ("7,5", 7.5),
        ("0", 0.0),
        ("-3", -3.0),
        ("375", 7.5),
        ("650", 6.5),
        ("1e9", None),
        ("nan", None),
        ("inf", None),
        ("six", None),
    ],
)
def test_komi(written, read):
    assert read_sgf(f"(;KM[{written}];B[aa])").komi == read


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no SGF game"),
        (b"just a letter", "no SGF game"),
        (b"(;GM[2])", r"GM\[2\] is not Go"),
        (b"(;SZ[25])", r"SZ\[25\] is not supported"),
        (b"(;SZ[1])", r"SZ\[1\]"),
        (b"(;SZ[19:13])", r"SZ\[19:13\]"),
        (b"(;SZ[big])", r"SZ\[big\]"),
        ("(;SZ[²])", "SZ"),
        (b"(;", "breaks off"),
        (b"(;GM[1]PB[never closed", "breaks off"),
    ],
)
def test_what_is_no_game(data, message):
    with pytest.raises(SgfError, match=message):
        read_sgf(data)


@pytest.mark.parametrize("size", [2, 9, 13, 19])
def test_square_sizes(size):
    assert read_sgf(f"(;SZ[{size}])").size == size
    assert read_sgf(f"(;SZ[{size}:{size}])").size == size


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"(;GM[1];B[aa];W[bb]", 2),
        (b"(;GM[1];B[aa];W[bb];B[c", 2),
        (b"(;GM[1];B[aa];W[bb]C[a ] b];B[cc])", 2),
        (b"(;GM[1];B[aa];W[bb](;B[cc]", 3),
        (b"(;GM[1];B[aa] [bb] 7 ;W[cc])", 1),
        (b"(;GM[1];B[aa](B[bb]))", 1),
    ],
)
def test_damaged_text_keeps_what_came_before(data, count, caplog):
    record = read_sgf(data)
    assert len(record.moves) == count
    assert record.cut == "broken text"
    assert "broken text" in caplog.text


def test_collections_skip_damage_and_go_on():
    data = b"junk (;GM[1];B[aa]) more (;GM[1];B[bb]C[x]y];W[cc])\n(;FF[4]GM[1];B[cc])(;GM[3])"
    games = list(read_collection(data))
    assert [g.moves[0][1] for g in games[:3]] == [at("aa"), at("bb"), at("cc")]
    assert [g.cut for g in games[:3]] == [None, "broken text", None]
    assert isinstance(games[3], SgfError)
    assert len(games) == 4


@pytest.mark.parametrize(
    ("encoding", "charset", "name"),
    [
        ("utf-8", "", "古力 é"),
        ("utf-8", "CA[UTF-8]", "이세돌"),
        ("utf-8-sig", "", "吴清源"),
        ("utf-16", "", "吴清源"),
        ("gb18030", "CA[gb2312]", "吴清源"),
        ("gb18030", "", "柯洁九段"),
        ("latin-1", "", "Gößmann, André"),
        ("latin-1", "CA[ISO-8859-1]", "Müller"),
        ("shift_jis", "CA[Shift_JIS]", "表ソ棋士"),  # second bytes are a backslash
        ("euc_kr", "CA[EUC-KR]", "이세돌"),
        ("big5", "CA[Big5]", "許功蓋"),  # and here too
        ("gb18030", "CA[no-such-charset]", "聂卫平"),
        ("utf-8", "CA[punycode]", "聂卫平"),
        ("utf-8", "CA[ascii]", "聂卫平"),
    ],
)
def test_encodings(encoding, charset, name):
    record = read_sgf(f"(;GM[1]{charset}PB[{name}];B[aa];W[bb])".encode(encoding))
    assert record.black == name
    assert len(record.moves) == 2


def test_bytes_of_no_encoding_still_give_the_game():
    record = read_sgf(b"(;GM[1]PB[\xff\xfe\x80];B[aa])")
    assert record.moves == ((BLACK, 0),)
    assert record.black


def general_reader(data):
    """Read the game past the short cut for bare moves: a comment in the last node bars it."""
    return read_sgf(data[: data.rindex(b")")] + b"C[x])")


@pytest.mark.parametrize(
    "data",
    [
        b"(;GM[1]SZ[19]KM[6.5]PB[a\\]b];B[pd];W[];B[dp])",
        b"(;GM[1]HA[2]AB[pd][dp];W[aa];B[bb])",
        b"(;GM[1]HA[2];B[pd];B[dp];W[aa];B[bb])",
        b"(;SZ[9]AB[aa:cc]AW[ii]PL[B];W[gg])",
        b"(;SZ[9];B[ss];W[aa])",
        b"(;B[aa];W[bb])",
        b"(;GM[1]RE[B+Time]PW[\xe5\x8f\xa4];W[aa];W[bb])",
        b"  (;SZ[9]C[(;B[aa\\])];B[aa])\n",
    ],
)
def test_bare_moves_are_read_like_any_others(data):
    short = read_sgf(data)
    general = general_reader(data)
    assert short == general
    assert short.cut == general.cut


def test_escapes_survive_writing():
    record = GameRecord(black="a]b\\c:d", white="[;(", event="x" * 300, moves=((BLACK, 0),))
    assert read_sgf(write_sgf(record)) == record


TEXT = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12),
)


@st.composite
def records(draw):
    size = draw(st.integers(2, 19))
    points = st.integers(0, size * size - 1)
    stones = draw(st.lists(points, unique=True, max_size=6))
    half = draw(st.integers(0, len(stones)))
    black, white = sorted(stones[:half]), sorted(stones[half:])
    moves = draw(st.lists(st.tuples(st.sampled_from([BLACK, WHITE]), st.integers(0, size * size))))
    to_play = moves[0][0] if moves else draw(st.sampled_from([BLACK, WHITE]))
    implied = len(black) if len(black) >= 2 and not white and to_play == WHITE else 0
    return GameRecord(
        size=size,
        komi=draw(st.one_of(st.none(), st.floats(-200, 200))),
        handicap=implied,
        setup_black=tuple(black),
        setup_white=tuple(white),
        to_play=to_play,
        moves=tuple(moves),
        result=draw(st.sampled_from([None, "0", "Void", "B+R", "W+T", "B+F", "W+3.5", "B+"])),
        rules=draw(TEXT),
        black=draw(TEXT),
        white=draw(TEXT),
        black_rank=draw(TEXT),
        date=draw(TEXT),
        event=draw(TEXT),
    )


@given(records())
@settings(max_examples=200, deadline=None)
def test_written_records_read_back(record):
    assert read_sgf(write_sgf(record)) == record


SNIPPETS = [b"(;", b"(", b")", b";", b"[", b"]", b"\\", b"B[aa]", b"W[]", b"AB[aa:", b"GM[1]"]
SNIPPETS += [b"SZ[9]", b"SZ[", b"HA[2]", b"KM[", b"CA[GBK]", b"PL", b"AE", b" ", b"\n", b"\xd6\xd0"]


@given(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=4)), max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_bytes_give_records_or_sgf_errors(parts):
    check_any_bytes(b"".join(parts))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_bytes_give_records_or_sgf_errors(data):
    check_any_bytes(data)


def check_any_bytes(data):
    """The reader's promise: SgfError only, and what it returns can be written and read again."""
    games = list(read_collection(data))
    assert games
    for game in games:
        if not isinstance(game, SgfError):
            assert read_sgf(write_sgf(game)) == game
    try:
        first = read_sgf(data)
    except SgfError:
        assert isinstance(games[0], SgfError)
    else:
        assert first == games[0]
    try:
        list(read_variations(data))
    except SgfError:
        pass


def mutated(data, rng):
    """Change, drop, double or insert a few stretches of bytes."""
    result = bytearray(data)
    for _ in range(rng.integers(1, 8)):
        start = int(rng.integers(0, len(result) + 1))
        stop = start + int(rng.integers(0, 12))
        kind = rng.integers(0, 5)
        if kind == 0:
            del result[start:stop]
        elif kind == 1:
            result[start:start] = result[start:stop]
        elif kind == 2:
            result[start:stop] = rng.integers(0, 256, stop - start, dtype=np.uint8).tobytes()
        elif kind == 3:
            result[start:start] = SNIPPETS[rng.integers(len(SNIPPETS))]
        else:
            del result[start:]
    return bytes(result)


def test_a_thousand_mutated_files():
    rng = np.random.default_rng(2016)
    bare = write_sgf(GameRecord(komi=7.5, moves=tuple((1 + i % 2, 3 * i) for i in range(120))))
    read = broken = 0
    for number in range(1000):
        data = mutated(GAME if number % 2 else bare.replace(b"\n", b""), rng)
        check_any_bytes(data)
        for game in read_collection(data):
            read += not isinstance(game, SgfError)
            broken += isinstance(game, SgfError) or game.cut is not None
    assert read > 500
    assert broken > 300


@pytest.mark.parametrize(
    "data",
    [
        b"(;GM[" * 60_000,
        b"(;GM[\\" * 60_000,
        b"(;" * 100_000,
        b"(;GM[1]" + b"(;B[aa]" * 30_000 + b")" * 30_001,
        b"(;GM[1];B[aa]x" * 20_000,
        b"(" + b" " * 300_000,
        b"(;GM[1]" + b";B[aa];W[bb]" * 30_000 + b"C[x])",
        b"(;GM[1]C[" + b"\\]" * 200_000,
        b"(;AB" + b"[aa:ss]" * 3000 + b")",
    ],
    ids=["values", "escapes", "roots", "deep", "restarts", "blanks", "long", "backslashes", "area"],
)
def test_hostile_text_takes_no_quadratic_time(data):
    assert sum(1 for _ in read_collection(data)) >= 1
