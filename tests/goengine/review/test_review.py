"""Reviews: what moves cost, the SGF, the page, the picture, and going on after a break."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sgfmill import sgf

from goengine.analysis.position_analysis import MoveAnalysis, PositionAnalysis
from goengine.analysis.whole_games import GameAnalysis, analyse
from goengine.games.record import GameRecord
from goengine.games.sgf import read_sgf
from goengine.inference.evaluator import Evaluator
from goengine.review.annotated_sgf import annotated_sgf, lead_in, own_text
from goengine.review.game_summary import KEEPS, Mark, mark_of, summarise
from goengine.review.review_charts import score_span
from goengine.review.review_files import ReviewPlan, check_apart, files_of, find_games, review_file
from goengine.review.review_page import review_page
from goengine.review.review_words import ENGLISH, KOREAN, LANGUAGES, ReviewWords
from goengine.types import BLACK, WHITE, GoError
from tests.helpers.analysis_client import InstantBackend, instant_evaluator

ORIGINAL = (
    "(;GM[1]SZ[5]KM[0.5]RU[Chinese]PB[김 <b>철수</b>]PW[Lee & Co]CA[UTF-8]C[head]"
    ";B[cc]C[a good start];W[bb](;B[tt];W[dd];B[cb])(;B[dc]C[another way]))"
)


def instantly(size: int) -> tuple[str, Evaluator]:
    """Return the instant network for any size."""
    return "x", instant_evaluator()


def position(turn: int, black_lead: float, *best: tuple[int, float, int]) -> PositionAnalysis:
    """Return a made-up position on 5x5; `best` are (move, mover's lead, visits)."""
    to_play = BLACK if turn % 2 == 0 else WHITE
    mine = 1.0 if to_play == BLACK else -1.0

    def move(point: int, lead: float, visits: int) -> MoveAnalysis:
        return MoveAnalysis(
            move=point,
            visits=visits,
            prior=0.5,
            winrate=0.5 + lead / 100,
            lead=lead,
            deviation=5.0,
            utility=lead / 50,
            lcb=0.4,
            utility_lcb=0.0,
            pv=(point, 24),
            pv_visits=(visits, 1),
        )

    lead = mine * black_lead
    return PositionAnalysis(
        turn=turn,
        size=5,
        to_play=to_play,
        visits=20,
        winrate=0.5 + lead / 100,
        lead=lead,
        deviation=5.0,
        utility=lead / 50,
        raw_winrate=0.5,
        raw_lead=lead,
        raw_deviation=5.0,
        moves=tuple(move(*one) for one in best),
        ownership=np.linspace(-1, 1, 25, dtype=np.float32).reshape(5, 5),
    )


def made_up() -> GameAnalysis:
    """Return a game whose second move cost 13 points, the third 6, the fourth 2.5."""
    record = GameRecord(
        size=5,
        komi=0.5,
        black="A",
        moves=((BLACK, 12), (WHITE, 6), (BLACK, 8), (WHITE, 16), (BLACK, 18)),
    )
    positions = (
        position(0, 1.0, (12, 1.0, 10), (7, -4.0, 8)),
        position(1, 1.0, (11, -1.0, 10), (7, -1.5, 8)),
        position(2, 14.0, (13, 14.0, 15)),
        position(3, 8.0, (17, -8.0, 15)),
        position(4, 10.5, (18, 10.0, 15), (3, 9.5, 5)),
        position(5, 10.0, (1, -10.0, 15)),
    )
    return GameAnalysis(record, 20, "made up", positions)


def test_marks_follow_what_moves_cost_and_praise_the_only_good_one() -> None:
    analysis = made_up()
    marks = [mark_of(analysis, move) for move in analysis.moves]
    assert marks == [Mark.GOOD, Mark.VERY_BAD, Mark.BAD, Mark.DOUBTFUL, None]
    lost = [round(move.points_lost, 2) for move in analysis.moves]
    assert lost == [0, 13, 6, 2.5, 0]


def test_players_are_summed_up_and_the_dearest_moves_come_first() -> None:
    summary = summarise(made_up())
    black, white = summary.players
    assert (black.moves, black.agreement, black.points_lost) == (3, 2 / 3, 2.0)
    assert black.accuracy == pytest.approx(100 * KEEPS**2)
    assert white.moves == 2 and white.agreement == 0 and white.name is None
    assert white.marks == {Mark.GOOD: 0, Mark.DOUBTFUL: 1, Mark.BAD: 0, Mark.VERY_BAD: 1}
    assert [move.number for move in summary.costliest] == [2, 3, 4]
    alone = summarise(made_up(), colours=(BLACK,))
    assert [p.colour for p in alone.players] == [BLACK]
    assert [move.number for move in alone.costliest] == [3]


def test_the_sgf_has_win_rates_comments_marks_and_variations() -> None:
    game = sgf.Sgf_game.from_bytes(annotated_sgf(made_up()))
    root, *nodes = game.get_main_sequence()
    assert root.get("C") == "Black's win rate 51.0 %, score B+1.0"
    assert root.get_raw("SBKV") == b"51.00"
    assert [node.get_raw("SBKV") for node in nodes] == [
        b"51.00",
        b"64.00",
        b"58.00",
        b"60.50",
        b"60.00",
    ]
    first, second, third, fourth, fifth = nodes
    assert first.get("TE") == 1 and second.get("BM") == 2 and third.get("BM") == 1
    assert fourth.has_property("DO") and not fifth.has_property("DO")
    assert "Cost 13.0 points. Better: B3 (B+1.0)" in second.get("C")
    assert [len(node) for node in (root, first, second, third, fourth)] == [1, 2, 2, 2, 1]
    better = first[1]
    assert better.get_move() == ("w", (2, 1)) and better[0].get_move() == ("b", (0, 4))


def test_the_originals_comments_variations_and_names_stay() -> None:
    data = ORIGINAL.encode()
    analysis = analyse(read_sgf(data), visits=12, evaluator=instant_evaluator())
    text = annotated_sgf(analysis, data, words=KOREAN)
    assert read_sgf(text) == read_sgf(data)
    game = sgf.Sgf_game.from_bytes(text)
    root, first, second, *_ = game.get_main_sequence()
    assert root.get("C").startswith("head\n") and first.get("C").startswith("a good start\n")
    assert root.get("C").split("\n")[1].startswith("흑 승률") and root.get("PB") == "김 <b>철수</b>"
    assert any(child.has_property("C") and child.get("C") == "another way" for child in second)


@pytest.mark.parametrize("words", list(LANGUAGES.values()), ids=list(LANGUAGES))
def test_a_second_review_replaces_what_the_first_one_wrote(words: ReviewWords) -> None:
    analysis = made_up()
    first = annotated_sgf(analysis, words=words)
    assert annotated_sgf(analysis, first, words=words) == first
    other = annotated_sgf(analysis, first, words=ENGLISH)
    assert other == annotated_sgf(analysis, words=ENGLISH)
    assert lead_in(words.winrate_line.format(20.0, words.lead(-2.5))) == -2.5
    assert own_text("흑 승률을 보면 좋다\n\nCost 3 points.") == (
        "흑 승률을 보면 좋다\n\nCost 3 points."
    )


@pytest.mark.parametrize("encoding", ["euc-kr", "utf-8", "utf-16"])
def test_other_encodings_end_in_utf_8(encoding: str) -> None:
    text = ORIGINAL.replace("CA[UTF-8]", f"CA[{encoding}]")
    data = text.encode(encoding)
    analysis = analyse(read_sgf(data), visits=2, evaluator=instant_evaluator())
    found = annotated_sgf(analysis, data)
    assert "김 <b>철수</b>" in found.decode("utf-8") and b"CA[UTF-8]" in found


@pytest.mark.parametrize(
    "text",
    [
        "(;SZ[5]HA[2];B[bb];B[dd];W[cc];B[cd])",
        "(;SZ[5];B[cc];W[bb];B[zz];W[dd])",
        "(;SZ[5];B[cc];W[bb]",
        "(;SZ[5]AB[bb][dd]HA[2];W[cc];B[cd])",
        "(;SZ[5])",
        "(;SZ[5]AB[bb]AW[dd])",
    ],
)
def test_unusual_files_are_written_as_their_record_reads(text: str) -> None:
    record = read_sgf(text)
    analysis = analyse(record, visits=2, evaluator=instant_evaluator())
    again = read_sgf(annotated_sgf(analysis, text.encode()))
    assert (again.moves, again.setup_black) == (record.moves, record.setup_black)


def test_a_game_that_is_read_in_part_keeps_what_follows() -> None:
    text = "(;SZ[5]KM[0];B[cc];W[bb];AB[dd]C[a diagram];B[dc];W[cb]C[later])"
    record = read_sgf(text)
    assert len(record.moves) == 2
    analysis = analyse(record, visits=2, evaluator=instant_evaluator())
    nodes = sgf.Sgf_game.from_bytes(annotated_sgf(analysis, text.encode())).get_main_sequence()
    assert [node.has_property("SBKV") for node in nodes] == [True] * 3 + [False] * 3
    assert (nodes[3].get("C"), nodes[5].get("C")) == ("a diagram", "later")


class Links(HTMLParser):
    """What a page links to, and what can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []
        self.resources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "id" in found:
            self.targets.add(f"#{found['id']}")
        if tag == "a":
            self.links.append(str(found["href"]))
        if "src" in found or tag in ("script", "link"):
            self.resources.append(tag)
        if tag not in ("meta", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_the_page_stands_alone_and_its_links_lead_somewhere(words: object) -> None:
    assert words in (ENGLISH, KOREAN)
    chosen = KOREAN if words is KOREAN else ENGLISH
    analysis = made_up()
    named = replace(analysis.record, black="<script>", white="Lee & Co")
    page = review_page(summarise(replace(analysis, record=named)), words=chosen)
    reader = Links()
    reader.feed(page)
    assert reader.resources == [] and "&lt;script&gt;" in page
    assert set(reader.links) == {"#move2", "#move3", "#move4"} <= reader.targets
    assert f'lang="{chosen.code}"' in page and chosen.costliest in page
    assert page.count('class="board"') == 3 and page.count('class="chart"') == 2
    assert page.count('class="chart narrow"') == 2
    assert chosen.komi.format("0.5") in page
    assert chosen.lost.format(13, 13) in page
    assert not re.search(r"\{[:.}]|nan", page.split("</style>")[1])


def test_the_players_table_has_a_column_each_so_that_a_phone_has_room_for_it() -> None:
    page = review_page(summarise(made_up()))
    table = page[page.index("<table>") : page.index("</table>")]
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in table.split("</tr>")[:-1]]
    assert [len(re.findall("<t[hd]", row)) for row in table.split("</tr>")[:-1]] == [3] * len(rows)
    assert rows[0] == ["Player", "A", "(Black)", "White"] and rows[1][0] == "Moves"
    assert ["Very", "bad", "0", "1"] in rows


def test_players_without_moves_have_no_accuracy() -> None:
    analysis = analyse(GameRecord(size=5), visits=2, evaluator=instant_evaluator())
    page = review_page(summarise(analysis))
    table = page[page.index("<table>") : page.index("</table>")]
    assert "%" not in table and table.count("<td>–</td>") == 6


def test_a_game_in_which_nothing_was_lost_says_so() -> None:
    analysis = made_up()
    calm = replace(analysis, positions=analysis.positions[:2])
    assert ENGLISH.nothing_lost in review_page(summarise(calm))
    assert score_span(()) == 10 and score_span(analysis.positions) == 20


def test_a_file_is_reviewed_and_its_review_is_not_reviewed_again(tmp_path: Path) -> None:
    game = tmp_path / "game.sgf"
    game.write_text(ORIGINAL, encoding="utf-8")
    plan = ReviewPlan(visits=4)
    told: list[tuple[int, int]] = []
    review_file(game, instantly, plan, progress=lambda *done: told.append(done))
    assert told == [(0, 6), *((done, 6) for done in range(1, 7))]
    files = files_of(game, plan)
    assert files.picture.read_bytes().startswith(b"\x89PNG")
    assert read_sgf(files.sgf.read_bytes()).moves == read_sgf(game.read_bytes()).moves
    assert list(find_games([tmp_path])) == [game] == list(find_games([game]))
    for wrong in (tmp_path / "none.sgf", tmp_path / "none"):
        with pytest.raises(GoError, match="does not exist"):
            list(find_games([wrong]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(GoError, match="holds no"):
        list(find_games([tmp_path / "empty"]))


def test_games_of_one_name_in_several_folders_are_kept_apart(tmp_path: Path) -> None:
    games = [tmp_path / "games" / place / "a.sgf" for place in ("", "x", "y/z")]
    for game in games:
        game.parent.mkdir(parents=True, exist_ok=True)
        game.write_text("(;SZ[5];B[cc])")
    plan = ReviewPlan(visits=1, folder=tmp_path / "out", roots=(tmp_path / "games",))
    pages = [files_of(game, plan).page.relative_to(tmp_path / "out") for game in games]
    assert pages == [Path(place) / "a.review.html" for place in ("", "x", "y/z")]
    check_apart(games, plan)
    review_file(games[2], instantly, plan)
    assert (tmp_path / "out" / pages[2]).is_file()
    with pytest.raises(GoError, match="would both become"):
        check_apart(games, replace(plan, roots=()))


def test_an_illegal_move_is_named_as_people_count_and_leaves_nothing(tmp_path: Path) -> None:
    game = tmp_path / "game.sgf"
    game.write_text("(;SZ[5];B[cc];W[cc])")
    with pytest.raises(GoError, match=r"move 2 \(white\)"):
        review_file(game, instantly, ReviewPlan(visits=1))
    assert list(tmp_path.iterdir()) == [game]


class Stopping(InstantBackend):
    """A backend that is interrupted after some batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def run(self, planes: np.ndarray) -> object:  # type: ignore[override]
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().run(planes)


def test_an_interrupted_review_goes_on_where_it_stopped(tmp_path: Path) -> None:
    game = tmp_path / "game.sgf"
    letters = [f"{x}{y}" for x in "aceg" for y in "bdfh"]
    moves = "".join(f";{'BW'[k % 2]}[{point}]" for k, point in enumerate(letters))
    game.write_text(f"(;SZ[9]KM[7]{moves})")
    plan = ReviewPlan(visits=20, folder=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        review_file(game, lambda _: ("x", Evaluator(Stopping(30))), plan)
    kept = files_of(game, plan).analysis
    lines = kept.read_text().splitlines()
    assert 2 <= len(lines) < 17 and not files_of(game, plan).page.exists()
    kept.write_text("\n".join(lines) + '\n{"turn": 16, "si')  # a line that was cut short
    told: list[int] = []
    summary = review_file(game, instantly, plan, progress=lambda done, _: told.append(done))
    assert told[0] == len(lines) - 1 and told[-1] == 17
    assert len(kept.read_text().splitlines()) == 18
    silent = InstantBackend()
    again = review_file(game, lambda _: ("x", Evaluator(silent)), plan)
    assert silent.batches == []
    assert [p.winrate for p in again.analysis] == [p.winrate for p in summary.analysis]
    ownership = again.analysis.at(3).ownership
    assert ownership is not None and ownership.shape == (9, 9)
    review_file(game, lambda _: ("x", Evaluator(silent)), replace(plan, visits=4))
    assert silent.batches  # other visits, another analysis
    assert json.loads(kept.read_text().splitlines()[0])["visits"] == 4


def test_one_player_is_named_by_colour_or_by_name(tmp_path: Path) -> None:
    game = tmp_path / "game.sgf"
    game.write_text(ORIGINAL, encoding="utf-8")

    def colours(player: str) -> list[int]:
        plan = ReviewPlan(visits=2, player=player)
        summary = review_file(game, instantly, plan)
        return [one.colour for one in summary.players]

    assert colours("black") == colours("철수") == [BLACK]
    assert colours("W") == colours("lee") == [WHITE]
    with pytest.raises(GoError, match="no player is called 'Kim'"):
        colours("Kim")
    game.write_text("(;SZ[5]PB[Kim Min]PW[Kim];B[cc])")
    assert (colours("kim"), colours("min")) == ([WHITE], [BLACK])
    with pytest.raises(GoError, match="both players are called 'Ki'"):
        colours("Ki")
