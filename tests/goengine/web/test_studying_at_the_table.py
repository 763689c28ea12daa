"""Trees, SGF, live analysis, hints, reviews and planes at the table."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

from goengine.feature_table import POLICY_PLANES
from goengine.games.sgf import read_sgf, read_variations
from tests.helpers.web_client import PageClient, WebServer

STUDY = (
    "(;FF[4]GM[1]SZ[9]KM[6.5]RU[Japanese]PB[Ann]PW[Bob]GN[A study]XY[kept]"
    "AB[cc]AW[gg]PL[W]C[root \\] here]"
    ";W[ee]TR[ee:gg]SQ[cc]LB[aa:A\\:1]N[named]ZZ[also][kept]"
    "(;B[cg];W[gc](;B[bb])(;B[hh]))(;B[gc]))"
)


@pytest.fixture
def study(page: PageClient) -> PageClient:
    """A client at a table with a small tree."""
    assert page.do("load_sgf", text=STUDY, name="study.sgf") is None
    return page


def follow(page: PageClient, *turns: int) -> str:
    """Return the node that is reached by taking these children from the root."""
    name = page.table["root"]
    for turn in turns:
        name = page.nodes[name]["children"][turn]
    return str(name)


def sgf(page: PageClient, **fields: Any) -> str:
    """Return the table as SGF."""
    page.do("get_sgf", **fields)
    return str(page.event("sgf")["text"])


def test_a_tree_is_loaded_with_all_that_it_says(study: PageClient) -> None:
    table, root = study.table, study.nodes[study.table["root"]]
    assert (table["size"], table["komi"], table["rules"]) == (9, 6.5, "japanese")
    assert table["players"]["B"] == {"kind": "human", "name": "Ann"}
    assert table["name"] == "study.sgf" and table["cursor"] == table["root"]
    assert root["setup"] == {"B": ["C7"], "W": ["G3"]} and root["to_play"] == "W"
    assert root["comment"] == "root ] here"
    first = study.nodes[follow(study, 0)]
    assert first["move"] == ["W", "E5"] and first["name"] == "named"
    assert first["marks"]["C7"] == "square" and first["marks"]["A9"] == "A:1"
    assert first["marks"]["F4"] == "triangle" and len(first["marks"]) == 11
    assert len(first["children"]) == 2


def test_what_nobody_knows_is_saved_as_it_came(study: PageClient) -> None:
    text = sgf(study)
    assert "XY[kept]" in text and "ZZ[also][kept]" in text and "GN[A study]" in text
    lines = [record.moves for record in read_variations(text)]
    assert lines == [record.moves for record in read_variations(STUDY)]
    assert read_sgf(text) == read_sgf(STUDY)


def test_comments_and_marks_are_written_and_read_again(study: PageClient) -> None:
    node = follow(study, 0)
    marks = {"A1": "circle", "B2": "cross", "C3": "x:y]", "D4": "triangle"}
    study.do("annotate", node=node, comment="한국어 \\ ] [", marks=marks, name="")
    assert study.nodes[node]["comment"] == "한국어 \\ ] [" and study.nodes[node]["marks"] == marks
    assert "name" not in study.nodes[node]
    text = sgf(study)
    study.do("load_sgf", text=text)
    again = study.nodes[follow(study, 0)]
    assert again["comment"] == "한국어 \\ ] [" and again["marks"] == marks
    refusal = study.do("annotate", marks={"Z1": "circle"})
    assert refusal is not None and refusal["key"] == "bad_field"


def test_variations_are_promoted_and_deleted(study: PageClient) -> None:
    other = follow(study, 0, 1)
    study.do("promote", node=other)
    assert follow(study, 0, 0) == other
    study.do("goto", node=other)
    study.do("delete", node=follow(study, 0))
    assert study.table["cursor"] == study.table["root"]
    assert len(study.nodes) == 1
    refusal = study.do("delete", node=study.table["root"])
    assert refusal is not None
    refusal = study.do("goto", node=other)
    assert refusal is not None and refusal["key"] == "no_such_node"


def test_playing_on_makes_a_variation_and_a_known_move_is_visited(study: PageClient) -> None:
    before = set(study.nodes)
    study.do("play", move="E5", at=study.table["root"])
    assert study.table["cursor"] == follow(study, 0) and set(study.nodes) == before
    study.do("play", move="A1")
    assert study.nodes[follow(study, 0)]["children"][-1] == study.table["cursor"]
    assert study.line() == ["WE5", "BA1"]


def test_bytes_of_any_encoding_are_loaded(page: PageClient) -> None:
    data = "(;SZ[9]CA[gb2312]PB[常昊]PW[李昌镐];B[ee]C[好棋])".encode("gb2312")
    page.do("load_sgf", base64=base64.b64encode(data).decode())
    assert page.table["players"]["B"]["name"] == "常昊"
    assert page.nodes[follow(page, 0)]["comment"] == "好棋"
    assert "常昊" in sgf(page)


def test_moves_that_cannot_be_played_cut_their_line_only(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9];B[ee](;W[ee];B[aa])(;W[cc];B[zz];W[dd]))")
    assert page.table["notices"], "what was cut is said"
    assert {one["key"] for one in page.table["notices"]} == {"lines_cut"}
    assert len(page.nodes) == 3
    assert page.nodes[follow(page, 0, 0)]["move"] == ["W", "C7"]


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("(;SZ[9];B[ee];W[ee];B[aa])", "lines_cut", {"nodes": 2}),
        ("(;SZ[9];B[ee])(;SZ[9];B[aa])", "first_game_only", {}),
        ("(;SZ[9]AB[aa][zz];B[ee])", "sgf", {"text": None}),
    ],
)
def test_what_was_left_out_has_a_name(
    page: PageClient, text: str, key: str, values: dict[str, Any]
) -> None:
    page.do("load_sgf", text=text)
    (said,) = page.table["notices"]
    assert said["key"] == key and said["text"] and set(said["args"]) == set(values)
    assert values == {"text": None} or said["args"] == values


def test_a_damaged_file_says_why_only_its_main_line_was_read(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9];B[ee];W[cc](;B[gg]")
    named = {one["key"]: one["args"] for one in page.table["notices"]}
    assert named["main_line_only"]["reason"]


def test_an_analysis_in_the_file_is_shown_and_written_once(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9]KM[7];B[ee]C[mine];W[cc]SBKV[wrong];B[gg]SBKV[25.5])")
    assert "values" not in page.nodes[follow(page, 0, 0)]
    plain = page.nodes[follow(page, 0, 0, 0)]["values"]
    assert plain == {"winrate": 0.255, "visits": 0, "candidates": []}
    page.do("review", visits=2)
    page.event("review", lambda event: not event["running"])
    found = page.nodes[follow(page, 0)]["values"]
    first = sgf(page, analysis=True)
    page.do("load_sgf", text=first)
    again = page.nodes[follow(page, 0)]
    assert again["comment"].startswith("mine\nBlack's win rate")
    assert again["values"]["winrate"] == pytest.approx(found["winrate"], abs=1e-4)
    assert again["values"]["lead"] == pytest.approx(found["lead"], abs=0.06)
    page.do("review", visits=2)
    page.event("review", lambda event: not event["running"])
    page.do("load_sgf", text=sgf(page, analysis=True))
    assert page.nodes[follow(page, 0)]["comment"].count("win rate") == 1


def test_stones_are_set_up_in_the_middle(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9];B[ee];W[cc];AB[aa][ab]AE[ee]PL[W];W[gg];B[ba])")
    end = follow(page, 0, 0, 0, 0, 0)
    page.do("goto", node=follow(page, 0, 0, 0))
    assert page.table["to_play"] == "W"
    assert page.here["setup"] == {"B": ["A9", "A8"], "E": ["E5"]}
    page.do("goto", node=end)
    assert page.do("play", move="E5") is None, "the stone there was taken off"
    page.do("goto", node=end)
    page.do("analyse", on=True, visits=10)
    assert page.event("analysis", lambda event: event["done"])["node"] == end
    page.do("review", visits=2)
    page.event("review", lambda event: not event["running"])
    page.do("analyse", on=False)


@pytest.mark.parametrize(
    "text", ["", "no game", "(;SZ[25];B[aa])", "(;GM[2])", "\x00\x01", "(" * 99]
)
def test_garbage_is_refused_and_the_table_stays(page: PageClient, text: str) -> None:
    page.do("play", move="E5")
    refusal = page.do("load_sgf", text=text)
    assert refusal is not None and refusal["key"] == "not_sgf"
    assert page.line() == ["BE5"]


@pytest.mark.parametrize("fields", [{}, {"base64": "???"}, {"text": 3}, {"text": "(;)", "name": 1}])
def test_requests_without_a_game_are_refused(page: PageClient, fields: dict[str, Any]) -> None:
    refusal = page.do("load_sgf", **fields)
    assert refusal is not None and refusal["key"] == "bad_field"


def test_the_live_analysis_follows_the_cursor_and_fills_the_tree(page: PageClient) -> None:
    page.do("analyse", on=True, visits=30)
    found = page.event("analysis", lambda event: event["done"])
    assert found["node"] == page.table["root"] and found["visits"] >= 30
    assert len(found["ownership"]) == 81 and len(found["policy"]) == 82
    best = found["candidates"][0]
    assert best["order"] == 0 and best["lost"] == 0 and best["pv"][0] == best["move"]
    page.wait(lambda: "values" in page.nodes[page.table["root"]])
    page.do("play", move="E5")
    found = page.event("analysis", lambda event: event["done"])
    assert found["node"] == page.table["cursor"]
    page.wait(lambda: "lost" in page.here.get("values", {}))
    assert page.here["values"]["lost"] >= 0 and page.here["values"]["best"]
    page.do("analyse", on=False)
    assert page.table["analysing"]["on"] is False
    page.do("play", move="A1")
    page.do("get_sgf")
    assert "values" not in page.here


def test_values_are_from_blacks_side(page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9]KM[0.5]RU[NZ]AB[cc][gc][cg][gg][ee]PL[W];W[aa];B[ac])")
    page.do("analyse", on=True, visits=20)
    for node in (page.table["root"], follow(page, 0), follow(page, 0, 0)):
        page.do("goto", node=node)
        found = page.event("analysis", lambda e, node=node: e["node"] == node and e["done"])
        assert found["winrate"] > 0.5 and found["lead"] > 0
        assert sum(found["ownership"]) > 0
    page.do("analyse", on=False)


def test_a_hint_is_for_who_asked(server: WebServer, page: PageClient) -> None:
    other = server.client()
    page.do("hint")
    found = page.event("hint")
    assert found["move"] == found["pv"][0] and 0 <= found["winrate"] <= 1
    other.do("get_sgf")
    assert not [event for event in other.others if event.get("event") == "hint"]
    other.close()


def test_a_review_fills_the_line_and_lists_mistakes(study: PageClient) -> None:
    study.do("review", visits=12)
    found = study.event("review", lambda event: not event["running"])
    assert found["done"] == found["total"] == 5
    summary = found["summary"]
    assert summary["B"]["name"] == "Ann" and 0 <= summary["B"]["accuracy"] <= 100
    for mistake in summary["mistakes"]:
        node = study.nodes[mistake["node"]]
        assert node["move"] == [mistake["colour"], mistake["move"]]
        assert node["values"]["lost"] == pytest.approx(mistake["lost"], abs=1e-3)
    for turns in ((), (0,), (0, 0), (0, 0, 0), (0, 0, 0, 0)):
        assert study.nodes[follow(study, *turns)]["values"]["visits"] >= 12
    text = sgf(study, analysis=True)
    assert text.count("SBKV[") == 5 and "win rate" in text
    assert "XY[kept]" in text and "SBKV" not in sgf(study)


def test_a_review_can_be_stopped(page: PageClient) -> None:
    moves = "".join(f";{'BW'[n % 2]}[{chr(97 + n % 9)}{chr(97 + n // 9)}]" for n in range(60))
    page.do("load_sgf", text=f"(;SZ[9]{moves})")
    page.do("review", visits=1000)
    page.do("review", stop=True)
    found = page.event("review", lambda event: not event["running"])
    assert found["done"] < found["total"] == 61
    page.do("review", visits=2)
    assert page.event("review", lambda e: not e["running"] and e["visits"] == 2)["summary"]


def test_the_planes_are_explained(page: PageClient) -> None:
    page.do("play", move="E5")
    page.do("planes")
    found = page.event("planes")
    planes = [plane for group in found["groups"] for plane in group["planes"]]
    assert [plane["index"] for plane in planes] == list(range(POLICY_PLANES))
    assert all(len(plane["bits"]) == 81 and plane["text"] for plane in planes)
    assert sum(planes[1]["bits"]) == 1 and planes[1]["bits"][40] == 1, "the opponent's stone"
    answer = found["answer"]
    assert len(answer["policy"]) == 82 and answer["top"][0]["prior"] == max(answer["policy"])
    assert len(answer["ownership"]) == 81


def test_a_large_tree_is_loaded_and_told(page: PageClient) -> None:
    lines = "".join(f"(;W[{chr(97 + n // 9)}{chr(97 + n % 9)}];B[])" for n in range(81) if n != 40)
    page.do("load_sgf", text=f"(;SZ[9];B[ee]{lines})")
    assert len(page.nodes) == 2 + 160
    many = ";B[];W[]" * 11_000
    refusal = page.do("load_sgf", text=f"(;SZ[9]{many})")
    assert refusal is not None and "20000 nodes" in refusal["text"]


@pytest.mark.parametrize("sgf", ["(;SZ[9];B[ee];B[cc])", "(;SZ[9];B[ee]PL[B])"])
def test_the_analysis_is_for_whom_the_board_says_to_be_to_move(page: PageClient, sgf: str) -> None:
    page.do("load_sgf", text=sgf)
    first = page.nodes[page.table["root"]]["children"][0]
    page.do("goto", node=first)
    assert page.table["to_play"] == "B"
    page.do("analyse", on=True, visits=20)
    page.event("analysis", lambda event: event["done"] and event["node"] == first)
    page.do("analyse", on=False)
    page.do("hint")
    hint = page.event("hint")["move"]
    page.do("play", move=hint)
    assert page.line() == ["BE5", f"B{hint}"]


def test_a_review_asks_for_whose_move_came(server: WebServer, page: PageClient) -> None:
    page.do("load_sgf", text="(;SZ[9]KM[0.5];B[ee];B[cc];B[gg];W[cg];B[gc])")
    page.do("review", visits=4)
    event = page.event("review", lambda event: not event["running"])
    assert event["done"] == event["total"] == 6
    node = server.desk.table.tree.root
    while node.children:
        following = node.children[0]
        assert node.analysis is not None and following.move is not None
        assert node.analysis.to_play == following.move[0]
        node = following


def test_of_many_looks_inside_the_last_one_is_answered(server: WebServer, page: PageClient) -> None:
    page.do("play", move="E5")
    names = list(page.nodes)
    busy = threading.Event()
    server.desk.thread.post(lambda: busy.wait(20))
    for name in names * 5:
        page.send(do="planes", node=name)
    page.do("clock_claim")
    busy.set()
    assert page.event("planes")["node"] == names[-1]
    page.send(do="planes", node=names[0])
    assert page.event("planes")["node"] == names[0]
