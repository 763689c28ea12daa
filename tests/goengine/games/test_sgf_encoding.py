"""Encodings of SGF files: which one is chosen, and that no bracket is taken from a character."""

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from goengine.games.sgf import SgfError, read_collection, read_sgf, write_sgf
from goengine.games.sgf_encoding import declared_encoding, decoded_parts

GAME = "(;GM[1]{ca}SZ[13]PB[{black}]PW[{white}]KM[6.5];B[aa]C[{comment}];W[bb];B[cc])"
# Encoding, names and a comment, as players of that language write them.
LANGUAGES = {
    "gb18030": ("常昊", "马晓春", "黑棋贴目有困难，白胜。"),
    "cp950": ("周俊勳", "張栩", "白棋中盤勝"),
    "cp932": ("山下敬吾", "高尾紳路", "白の好手です。"),
    "cp949": ("이창호", "서봉수", "백이 좋은 바둑"),
    "cp1252": ("André Gößmann", "Müller", "très bien joué"),
    "cp1251": ("Иван Дегтярёв", "Шикшин", "хороший ход"),
    "euc_jp": ("山下敬吾", "高尾紳路", "白の好手です。"),
    "koi8-r": ("Иван Дегтярёв", "Шикшин", "хороший ход"),
}
LABELS = {
    "gb18030": "GB18030",
    "cp950": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR (CP949)",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "euc_jp": "EUC-JP",
    "koi8-r": "KOI8-R",
}


def game(black="a", white="b", comment="c", ca=""):
    return GAME.format(black=black, white=white, comment=comment, ca=ca)


def check_whole(record):
    assert (record.size, record.komi, len(record.moves)) == (13, 6.5, 3)
    assert record.cut is None


@pytest.mark.parametrize("codec", LANGUAGES)
@pytest.mark.parametrize("commented", [True, False])
def test_without_ca_the_look_of_the_text_decides(codec, commented):
    black, white, comment = LANGUAGES[codec]
    record = read_sgf(game(black, white, comment if commented else "").encode(codec))
    check_whole(record)
    assert (record.black, record.white) == (black, white)
    assert record.notes == (f"encoding guessed as {LABELS[codec]}: the file has no CA",)


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp949", "박정환 신진서 조훈현 유창혁 최철한 강동윤 김지석 목진석 홍성지 나현"),
        ("gb18030", "古力 柯洁 聂卫平 孔杰 谢赫 陈耀烨 连笑 檀啸 周睿羊 党毅飞"),
        ("cp950", "林海峰 王立誠 陳詩淵 蕭正浩 許皓鋐 黑嘉嘉 簡靖庭 賴均輔"),
        ("cp932", "井山裕太 羽根直樹 趙治勲 武宮正樹 大竹英雄 依田紀基 一力遼"),
        ("cp1252", "François Jörg Häring Schäfer Åke José Muñoz Søren"),
    ],
)
def test_two_names_are_enough(codec, names):
    words = names.split()
    for black, white in pairwise(words):
        record = read_sgf(game(black, white).encode(codec))
        assert (record.black, record.white) == (black, white)


def test_valid_utf8_beats_ca():
    record = read_sgf(game("吴清源", ca="CA[gb2312]").encode())
    assert record.black == "吴清源"
    assert record.notes == ("encoding read as UTF-8: the bytes are valid UTF-8, CA says GB18030",)
    assert read_sgf(game("吴清源", ca="CA[utf8]").encode()).notes == ()
    assert read_sgf(game("吴清源").encode()).notes == ()


@pytest.mark.parametrize(
    ("codec", "ca", "name"),
    [
        ("gb18030", "GB2312", "囹圄"),
        ("cp932", "x-sjis", "能"),
        ("cp932", "Windows-31J", "予"),
        ("cp949", "ks_c_5601-1987", "뷁똠"),
        ("cp950", "big5", "碁"),
        ("big5hkscs", "Big5-HKSCS", "峯"),
        ("iso8859-2", "ISO-8859-2", "Łukasz"),
        ("koi8-r", "KOI8-R", "Шикшин"),
        ("iso2022_jp", "ISO-2022-JP", "井山"),
        ("hz", "HZ-GB-2312", "古力"),
    ],
)
def test_ca_decides_what_is_not_utf8(codec, ca, name):
    record = read_sgf(game(name, ca=f"CA[{ca}]").encode(codec))
    check_whole(record)
    assert record.black == name
    assert record.notes == ()


@pytest.mark.parametrize(
    ("codec", "ca"),
    [("cp949", "UTF-8"), ("cp932", "Big5"), ("gb18030", "klingon"), ("cp932", "ISO-8859-1")],
)
def test_ca_that_does_not_fit_is_overruled_and_said(codec, ca):
    black, white, comment = LANGUAGES[codec]
    if ca == "ISO-8859-1":
        comment = "能"  # its second byte would hide the end of the comment
    record = read_sgf(game(black, white, comment, f"CA[{ca}]").encode(codec))
    check_whole(record)
    assert record.black == black
    assert record.notes == (f"encoding guessed as {LABELS[codec]}: the bytes do not fit CA[{ca}]",)


@pytest.mark.parametrize("codec", ["gb18030", "cp932", "cp949", "cp1251"])
def test_latin_1_in_ca_proves_little_as_all_bytes_fit_it(codec):
    black, white, comment = LANGUAGES[codec]
    record = read_sgf(game(black, white, comment, "CA[ISO-8859-1]").encode(codec))
    check_whole(record)
    assert (record.black, record.white) == (black, white)
    label = LABELS[codec]
    assert record.notes == (f"encoding guessed as {label}: the bytes do not fit CA[ISO-8859-1]",)


@pytest.mark.parametrize(
    ("codec", "label"),
    [("iso2022_jp", "ISO2022_JP_2"), ("iso2022_kr", "ISO2022_KR"), ("hz", "HZ")],
)
@pytest.mark.parametrize("ca", ["", "CA[gb2312]", "CA[UTF-8]"])
def test_seven_bit_encodings_are_known_by_their_marks(codec, label, ca):
    names = {"iso2022_jp": "井山裕太", "iso2022_kr": "이창호", "hz": "柯洁"}
    record = read_sgf(game(names[codec], ca=ca).encode(codec))
    check_whole(record)
    assert record.black == names[codec]
    note = f"encoding guessed as {label}: the text has its escape sequences"
    assert record.notes == (note,)


def test_marks_of_a_seven_bit_encoding_in_plain_text_change_nothing():
    record = read_sgf(game("A~{x~}B"))
    check_whole(record)
    assert record.black == "A~{x~}B"
    assert read_sgf(game("A~{]~}B".replace("]", "")).encode()).black == "A~{~}B"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_with_marks_and_with_zero_bytes(codec):
    for name in ("Wei", "古力", "Müller"):
        record = read_sgf(game(name).encode(codec))
        check_whole(record)
        assert record.black == name
        assert bool(record.notes) == codec.endswith("e")


def test_escape_sequences_without_ca():
    record = read_sgf(game("本因坊秀策").encode("iso2022_jp"))
    check_whole(record)
    assert record.black == "本因坊秀策"
    assert record.notes[0].startswith("encoding guessed as ISO2022_JP")


@pytest.mark.parametrize("ca", ["", "CA[GBK]"])
def test_a_name_cut_in_the_middle_of_a_character_takes_no_bracket(ca):
    whole = game("古力九段", "马晓春", "黑棋好", ca).encode("gb18030")
    data = whole.replace("段".encode("gb18030"), "段".encode("gb18030")[:1])
    record = read_sgf(data)
    check_whole(record)
    assert (record.black, record.white) == ("古力九?", "马晓春")
    assert record.notes[-1] == "characters lost: 1 could not be read as GB18030"


def test_a_cut_name_in_utf8():
    data = game("이창호", "신진서", ca="CA[UTF-8]").encode()
    data = data.replace("호".encode(), "호".encode()[:2])
    record = read_sgf(data)
    check_whole(record)
    assert (record.black, record.white) == ("이창\ufffd", "신진서")
    assert record.notes == ("characters lost: 1 could not be read as UTF-8",)


@pytest.mark.parametrize(("codec", "char"), [("cp932", "表"), ("cp950", "功"), ("gb18030", "乗")])
def test_programs_that_escape_bytes(codec, char):
    """The backslash that is the second byte of a character is doubled, as in plain text."""
    assert char.encode(codec)[1:] == b"\\"
    data = game("x", "y").encode().replace(b"[x]", b"[" + char.encode(codec) + b"\\]")
    record = read_sgf(data.replace(b"GM[1]", b"GM[1]CA[" + codec.encode() + b"]"))
    check_whole(record)
    assert record.black == char


def test_games_of_one_file_have_each_its_encoding():
    data = b"\n".join(
        game(*names).encode(codec) for codec, names in LANGUAGES.items() if codec != "euc_jp"
    )
    data += b"\n" + game("吴清源").encode() + b"\n" + game("plain").encode()
    games = list(read_collection(data))
    names = [names[0] for codec, names in LANGUAGES.items() if codec != "euc_jp"]
    assert [record.black for record in games] == [*names, "吴清源", "plain"]
    assert [len(record.notes) for record in games] == [1] * len(names) + [0, 0]


def test_ca_inside_another_word_is_not_ca():
    assert declared_encoding(b"(;GM[1]RECA[gbk]SZ[9])") is None
    assert declared_encoding(b"(;GM[1]CA[ gbk ]SZ[9])") == "gb18030"
    assert declared_encoding(b"(;GM[1]CA[\xff]SZ[9])") is None


def test_plain_text_is_handed_on_as_it_is():
    def judge(text):
        raise AssertionError("nothing to judge")

    for data in (game().encode(), game("古力").encode(), game("古力").encode("gb18030")):
        ((text, _),) = decoded_parts(data, judge)
        assert text == (data if data.isascii() else game("古力").encode())


ALPHABETS = {
    "gb18030": "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可",
    "cp950": "成育黑白棋中盤勝目半貼子局人大小一二三四五林王陳張黃李吳劉蔡楊",
    "cp932": "黒白番目半勝負中押手の一二三はをに棋士本因坊名人王座",
    "cp949": "이창호세돌박정환신진서조훈현유최철한영강동윤김지석원성준희백흑집반승불계",
}


def traps(codec):
    """Return the characters of an encoding whose second byte is a backslash or a bracket."""
    pairs = (bytes([lead, second]) for lead in range(0x81, 0xFF) for second in b"\\]")
    return "".join(char for pair in pairs if len(char := pair.decode(codec, "ignore")) == 1)


TRAPS = {codec: traps(codec).replace("\\", "").replace("]", "") for codec in ALPHABETS}


def test_three_of_the_encodings_have_traps():
    assert {codec for codec in TRAPS if TRAPS[codec]} == {"gb18030", "cp950", "cp932"}
    assert "表" in TRAPS["cp932"]
    assert "功" in TRAPS["cp950"]


@st.composite
def encoded_games(draw):
    """Draw a game, its bytes in one of the encodings, and whether CA tells which."""
    codec = draw(st.sampled_from(sorted(ALPHABETS)))
    letters = st.sampled_from(ALPHABETS[codec])
    if TRAPS[codec]:
        letters = st.one_of(letters, st.sampled_from(TRAPS[codec]))
    word = st.text(letters, min_size=1, max_size=6)
    black, white, comment = draw(word), draw(word), draw(word)
    ca = f"CA[{codec}]" if draw(st.booleans()) else ""
    return codec, ca, black, white, comment


@given(encoded_games())
@settings(max_examples=300, deadline=None)
def test_every_move_and_property_survives_in_every_encoding(drawn):
    codec, ca, black, white, comment = drawn
    data = game(black, white, comment, ca).encode(codec)
    assume("\ufffd" in data.decode("utf-8", "replace"))  # else it is UTF-8 by right
    record = read_sgf(data)
    check_whole(record)
    assert record.moves == ((1, 0), (2, 14), (1, 28))
    assert record.black is not None
    assert record.white is not None
    if ca:
        assert (record.black, record.white, record.notes) == (black, white, ())


CHARSETS = (
    "ascii utf-8 gb2312 big5 sjis euc-kr johab hz iso-2022-jp iso-8859-5 cp037 utf-16 x".split()
)
PIECES = [
    b"\\",
    b"]",
    b"[",
    b";B[aa]",
    b"(;GM[1]",
    b")",
    b"\x1b$B",
    b"~{",
    b"\0",
    "能".encode("cp932"),
]


@given(
    st.sampled_from(CHARSETS),
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=12),
)
@settings(max_examples=400, deadline=None)
def test_any_bytes_under_any_ca_give_records_or_sgf_errors(charset, parts):
    data = b"(;GM[1]CA[" + charset.encode() + b"]PB[" + b"".join(parts) + b"];B[aa];W[bb])"
    games = list(read_collection(data))
    assert games
    for record in games:
        if isinstance(record, SgfError):
            continue
        assert read_sgf(write_sgf(record)) == record
