"""Sources: where games start, what damage costs, and what a source is called."""

import bz2
import gzip
import io
import tarfile
import zipfile

import pytest

import selfplay.archive.sources
from goengine.games.sgf import write_sgf
from goengine.types import GoError
from selfplay.archive.ingest_counts import KEPT, POSITIONS, READ, SKIPPED
from selfplay.archive.sources import PieceReader, find_files, source_name
from tests.helpers.small_games import game, line, run

GAMES = [game(seed) for seed in range(6)]
LINES = [line(record) for record in GAMES]
TEXTS = [write_sgf(record) for record in GAMES]  # the moves of a game fill several lines


def read(tmp_path, data, name="club.sgf"):
    """Ingest one file; return the archive's moves game by game, and the counts."""
    (tmp_path / name).write_bytes(data)
    archive, reasons = run([tmp_path / name], tmp_path)
    return [archive.game(i).moves for i in range(len(archive))], reasons


def moves(records):
    return [record.moves for record in records]


CUTS = {
    "without its bracket": lambda text: text.rstrip()[:-1] + b"\n",
    "between two nodes": lambda text: text[: text.rindex(b";")] + b"\n",
    "within a move": lambda text: text[: text.rindex(b";") + 4] + b"\n",
    "within a comment": lambda text: text.rstrip()[:-1] + b"C[well (played\n",
    "broken in two": lambda text: text.replace(b";W[", b"\n;W[", 1),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("texts", [LINES, TEXTS], ids=["one a line", "many lines each"])
@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_cut_game_takes_no_other_along(tmp_path, texts, number, cut):
    damaged = list(texts)
    damaged[number] = CUTS[cut](texts[number])
    kept, reasons = read(tmp_path, b"".join(damaged))
    assert reasons[READ] == reasons[KEPT] == 6
    expected = moves(GAMES)
    lost = sum(move != [] for move in expected[number]) - len(kept[number])
    assert kept[:number] + kept[number + 1 :] == expected[:number] + expected[number + 1 :]
    assert kept[number] == expected[number][: len(kept[number])] and 0 <= lost <= 1
    assert reasons.get("cut: broken text", 0) + reasons.get("cut: unreadable move", 0) == (
        0 if cut == "broken in two" else 1
    )


def test_a_game_that_lost_its_beginning_is_counted(tmp_path):
    half = LINES[3][len(LINES[3]) // 2 :]
    kept, reasons = read(tmp_path, b"".join([*LINES[:3], half, *LINES[4:]]))
    assert kept == moves(GAMES[:3] + GAMES[4:])
    assert reasons[READ] == 6 and reasons["no readable game"] == 1


def test_a_cut_line_in_a_packed_collection(tmp_path):
    many = [line(game(seed, length=90)) for seed in range(20)]
    many[3] = many[3][: len(many[3]) // 2] + b"\n"
    _, reasons = read(tmp_path, bz2.compress(b"".join(many)), "club.sgf.bz2")
    assert reasons[READ] == reasons[KEPT] == 20 and reasons["cut: broken text"] == 1


@pytest.mark.parametrize("texts", [LINES, TEXTS], ids=["one a line", "many lines each"])
def test_brackets_in_names_are_no_damage(tmp_path, texts):
    named = [text.replace(b"(;", b"(;PB[Tamura (lat]", 1) for text in texts]
    (tmp_path / "club.sgf").write_bytes(b"".join(named))
    assert len(list(PieceReader(find_files([tmp_path / "club.sgf"])))) == 1
    assert read(tmp_path, b"".join(named))[0] == moves(GAMES)


def test_games_before_the_end_of_a_cut_file_are_kept(tmp_path):
    many = b"".join(write_sgf(game(seed, length=90)) for seed in range(60))
    packed = gzip.compress(many, 0)
    kept, reasons = read(tmp_path, packed[: len(packed) // 2], "club.sgf.gz")
    assert 25 <= len(kept) < 30 and reasons["unreadable file"] == 1


def test_only_the_biggest_game_must_find_room(tmp_path, monkeypatch):
    monkeypatch.setattr(selfplay.archive.sources, "MAX_PIECE", 2 * max(map(len, TEXTS)))
    assert read(tmp_path, b"".join(TEXTS))[0] == moves(GAMES)
    _, reasons = read(tmp_path, LINES[0] + b"words and words\n" * 100, "long.sgf")
    assert reasons[KEPT] == reasons["unreadable file"] == 1


def test_variations_and_quoted_games_start_no_game(tmp_path):
    text = TEXTS[0].rstrip()
    main = text[text.index(b";", 2) : -1]
    quoted = rb"C[as in" + b"\n" + rb"(;GM[1\]FF[4\]SZ[9\];B[aa\])" + b"\n" + rb":-) so]"
    tree = b"(;GM[1]SZ[19]" + quoted + b"\n(" + main + b")\n(;W[aa]C[GM]\n;B[bb])\n(;W[cc]))\n"
    other = b"(\n;\nEV[a (big) cup]\nSZ[19]\n" + main + b"\n;B[sa])"
    kept, reasons = read(tmp_path, tree + other)
    assert reasons[READ] == 2 and len(kept) == 2
    assert kept[0] == GAMES[0].moves == kept[1][:30] and len(kept[1]) == 31


def test_headings_are_no_games(tmp_path):
    heading = b"Games of the club, 2011\n\n"
    kept, reasons = read(tmp_path, heading + LINES[0] + heading + TEXTS[1] + heading + LINES[2])
    assert kept == moves(GAMES[:3])
    assert reasons == {READ: 3, KEPT: 3, POSITIONS: 90}


def zipped(path, texts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.sgf", text)


def tarred(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def damage(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_damaged_member_of_a_zip_takes_no_other_along(tmp_path, number, caplog):
    path = tmp_path / "club.zip"
    zipped(path, TEXTS)
    damage(path, path.read_bytes().index(TEXTS[number]) + 40)
    archive, reasons = run([path], tmp_path)
    assert moves(map(archive.game, range(5))) == moves(GAMES[:number] + GAMES[number + 1 :])
    assert reasons == {READ: 5, KEPT: 5, POSITIONS: 150, "unreadable file": 1}
    assert f"club.zip: {number}.sgf: Bad CRC-32" in caplog.text


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_damaged_member_of_a_tar_takes_no_other_along(tmp_path, mode):
    path = tmp_path / ("club.tar" if mode == "w" else "club.tgz")
    members = [(f"{number}.sgf.gz", gzip.compress(text)) for number, text in enumerate(TEXTS)]
    members[2] = ("2.sgf.gz", members[2][1][:60])
    tarred(path, members, mode)
    archive, reasons = run([path], tmp_path)
    assert moves(map(archive.game, range(5))) == moves(GAMES[:2] + GAMES[3:])
    assert reasons == {READ: 5, KEPT: 5, POSITIONS: 150, "unreadable file": 1}


@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_damaged_header_in_a_tar_takes_no_other_along(tmp_path, number, caplog):
    path = tmp_path / "club.tar"
    tarred(path, [(f"{i}.sgf", text) for i, text in enumerate(TEXTS)])
    damage(path, path.read_bytes().index(f"{number}.sgf".encode()))
    archive, reasons = run([path], tmp_path)
    assert moves(map(archive.game, range(5))) == moves(GAMES[:number] + GAMES[number + 1 :])
    assert reasons == {READ: 5, KEPT: 5, POSITIONS: 150, "unreadable file": 1}
    assert "club.tar: damaged header of a member: bad checksum" in caplog.text


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_cut_tar_is_one_unreadable_file(tmp_path, suffix, share):
    path = tmp_path / f"club{suffix}"
    texts = [b"".join(line(game(100 * i + j)) for j in range(50)) for i in range(6)]
    mode = suffix.replace(".tar", "w").replace(".", ":")
    tarred(path, [(f"{i}.sgf", text) for i, text in enumerate(texts)], mode)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    _, reasons = run([path], tmp_path)
    assert reasons["unreadable file"] == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("pro-01.sgf.bz2", "pro"),
        ("kgs_6d.sgf.bz2", "kgs_6d"),
        ("tygem_9d_b-00.sgf.bz2", "tygem_9d_b"),
        ("KGS-2019.tar.gz", "KGS"),
        ("a.b.zip", "a.b"),
        ("plain", "plain"),
        ("-01.sgf", "-01"),
    ],
)
def test_source_names(file, source):
    assert source_name(file) == source


def test_single_games_share_the_name_of_their_folder(tmp_path, monkeypatch):
    folder = tmp_path / "club"
    folder.mkdir()
    for number in range(3):
        (folder / f"g{number}.sgf").write_bytes(TEXTS[number])
    (folder / "damaged.SGF").write_bytes(TEXTS[3][:60])
    (folder / "empty.sgf").write_bytes(b"")
    named = find_files(sorted(folder.iterdir()))
    assert {file.source for file in named} == {"club"}
    assert named == find_files([folder])
    monkeypatch.chdir(folder)
    assert find_files(["g0.sgf"])[0].source == "club"


@pytest.mark.parametrize("texts", [LINES, TEXTS], ids=["one a line", "many lines each"])
def test_a_collection_is_a_source_of_its_own(tmp_path, texts):
    (tmp_path / "pro-00.sgf").write_bytes(b"".join(texts))
    (tmp_path / "pro-01.sgf.bz2").write_bytes(bz2.compress(texts[0]))
    files = find_files([tmp_path / "pro-00.sgf", tmp_path / "pro-01.sgf.bz2"])
    assert [file.source for file in files] == ["pro", "pro"]


def test_progress_knows_the_bytes(tmp_path):
    (tmp_path / "a.sgf").write_bytes(b"".join(LINES))
    (tmp_path / "b.sgf.bz2").write_bytes(bz2.compress(b"".join(LINES)))
    reader = PieceReader(find_files([tmp_path / "a.sgf", tmp_path / "b.sgf.bz2"]))
    assert sum(1 for _ in reader) == 12
    assert reader.done == reader.total > 0
    with pytest.raises(GoError, match="does not exist"):
        find_files([tmp_path / "c.sgf"])


def test_reviews_are_skipped_and_counted_wherever_they_lie(tmp_path):
    club = tmp_path / "club"
    club.mkdir()
    (club / "one.sgf").write_bytes(TEXTS[0])
    (club / "one.review.sgf").write_bytes(TEXTS[1])
    with zipfile.ZipFile(club / "more.zip", "w") as package:
        package.writestr("two.sgf", TEXTS[2])
        package.writestr("two.Review.sgf", TEXTS[3])
    with tarfile.open(club / "rest.tar", "w") as package:
        package.add(club / "one.review.sgf", "three.review.sgf")
    archive, reasons = run([club], tmp_path)
    assert sorted(archive.game(i).moves for i in range(len(archive))) == sorted(
        moves([GAMES[0], GAMES[2]])
    )
    assert reasons[READ] == reasons[KEPT] == 2 and reasons[SKIPPED] == 3
