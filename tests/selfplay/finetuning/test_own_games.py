"""Own SGF games: an archive made once, and a sentence each time that nothing can be learnt."""

import logging

import pytest

from selfplay.archive.reader import ArchiveError
from selfplay.finetuning.own_games import open_games
from tests.helpers.small_games import game, line


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "mara"
    folder.mkdir()
    for number in range(3):
        record = game(number, black="Mara Row", white=f"guest {number}")
        (folder / f"{number}.sgf").write_bytes(line(record))
    return folder


def test_an_unknown_player_is_refused_each_time(data, tmp_path):
    for _ in range(2):
        with pytest.raises(ArchiveError) as caught:
            open_games(data, tmp_path / "cache", player="Nobody")
        text = str(caught.value)
        assert f"no 19x19 game of 'Nobody' can be learnt from {data}" in text
        assert "(3 games read, 0 kept, filter: player 3)" in text
        assert "Mara Row (3), guest 0 (1)" in text


def test_the_archive_says_what_it_was_made_of(data, tmp_path, caplog):
    (data / "again.sgf").write_bytes((data / "0.sgf").read_bytes())
    (data / "damaged.sgf").write_bytes(b"(;GM[1")
    with caplog.at_level(logging.INFO):
        assert len(open_games(data, tmp_path / "cache")) == 3
        assert caplog.messages == ["5 games read, 3 kept, duplicate 1, no readable game 1"]
        assert len(open_games(data, tmp_path / "cache")) == 3
    assert len(caplog.messages) == 1  # the second time it is there


def test_the_games_of_a_korean_player_need_no_ca(tmp_path, caplog):
    folder = tmp_path / "lee"
    folder.mkdir()
    for number, white in enumerate(["조훈현", "서봉수", "유창혁"]):
        text = line(game(number, black="이창호", white=white)).replace(b"CA[UTF-8]", b"")
        (folder / f"{number}.sgf").write_bytes(text.decode().encode("cp949"))
    with caplog.at_level(logging.INFO):
        assert len(open_games(folder, tmp_path / "cache", player="이창호")) == 3
    assert "noted: encoding guessed as EUC-KR (CP949) 3" in caplog.text
    with pytest.raises(ArchiveError, match=r"이창호 \(3\)"):
        open_games(folder, tmp_path / "other", player="Nobody")
