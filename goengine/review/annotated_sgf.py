"""A reviewed game as SGF: comments, win rates, marks and better variations in the file itself.

The original's own comments, variations and properties stay; what an earlier run wrote into a
comment is replaced, and stands below the original's own text. Every move gets Black's win rate as
Sabaki keeps it (`SBKV`, per cent) and a comment; a move that cost much gets SGF's mark (`DO`, `BM`)
and what was better as a variation; a hard move that was found gets `TE`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sgfmill import sgf
from sgfmill.sgf import Tree_node

from goengine.analysis.position_analysis import PositionAnalysis
from goengine.analysis.whole_games import GameAnalysis, MoveReview
from goengine.coords import move_to_gtp, move_to_sgf
from goengine.games.record import GameRecord
from goengine.games.sgf import SgfError, utf8_text, write_sgf
from goengine.review.game_summary import DOUBTFUL, Mark, mark_of
from goengine.review.review_words import ENGLISH, LANGUAGES, ReviewWords
from goengine.types import BLACK, opponent

SGF_MARKS = {
    Mark.GOOD: ("TE", b"1"),
    Mark.DOUBTFUL: ("DO", b""),
    Mark.BAD: ("BM", b"1"),
    Mark.VERY_BAD: ("BM", b"2"),
}
"""Property and value of each mark."""
LONGEST = 10
"""Moves of a variation."""


def annotated_sgf(
    analysis: GameAnalysis, original: bytes | None = None, *, words: ReviewWords = ENGLISH
) -> bytes:
    """Return a game with its review as SGF; `original` is the file that it was read from."""
    game, nodes = _tree(analysis, original)
    by_turn = {position.turn: position for position in analysis.positions}
    if 0 in by_turn:
        describe_position(game.get_root(), by_turn[0], None, words)
    reviews = {move.number: move for move in analysis.moves}
    for number, node in enumerate(nodes, start=1):
        if number in by_turn:
            describe_position(node, by_turn[number], reviews.get(number), words)
        if number in reviews:
            judge_move(node, analysis, reviews[number])
    found: bytes = game.serialise()
    return found


def _tree(analysis: GameAnalysis, original: bytes | None) -> tuple[sgf.Sgf_game, list[Tree_node]]:
    """Return the tree to write into, and the node of each move of the record."""
    if original is not None:
        found = _matched(utf8_text(original), analysis)
        if found is not None:
            return found
    found = _matched(write_sgf(analysis.record), analysis)
    if found is None:
        raise SgfError("the game cannot be written as SGF")
    return found


def _matched(text: bytes, analysis: GameAnalysis) -> tuple[sgf.Sgf_game, list[Tree_node]] | None:
    """Return the tree of a text and the nodes of the record's moves; None where they differ."""
    try:
        game = sgf.Sgf_game.from_bytes(text, override_encoding="UTF-8")
    except ValueError:
        return None
    game.get_root().set_raw("CA", b"UTF-8")
    line = game.get_main_sequence()
    nodes = [node for node in line if node.has_property("B") or node.has_property("W")]
    count = len(analysis.record.moves)
    last = nodes[max(0, len(nodes) - count) :]  # after a handicap that is written as moves
    for played in (last, nodes[:count]):  # and the beginning of a game that was read in part
        if _agree(played, analysis.record):
            return game, played
    return None


def _agree(nodes: Sequence[Tree_node], record: GameRecord) -> bool:
    """Tell whether nodes hold the moves of a record."""
    if len(nodes) != len(record.moves):
        return False
    for node, (colour, move) in zip(nodes, record.moves, strict=True):
        name = "B" if colour == BLACK else "W"
        if not node.has_property(name):
            return False
        point = node.get_raw(name).decode("ascii", "replace").strip()
        expected = move_to_sgf(move, record.size)
        if point != expected and not (expected == "" and point == "tt"):
            return False
    return True


def describe_position(
    node: Tree_node, position: PositionAnalysis, review: MoveReview | None, words: ReviewWords
) -> None:
    """Write win rate and comment of the position at a node."""
    percent = 100 * position.black_winrate
    node.set_raw("SBKV", f"{percent:.2f}".encode("ascii"))
    lines = [words.winrate_line.format(percent, words.lead(position.black_lead))]
    if review is not None and review.best is not None and review.points_lost >= DOUBTFUL:
        vertex = move_to_gtp(review.best.move, position.size)
        mine = review.best.lead if review.colour == BLACK else -review.best.lead
        lines.append(words.cost_line.format(review.points_lost, vertex, words.lead(mine)))
    old = own_text(node.get("C")) if node.has_property("C") else ""
    node.set("C", "\n".join([*([old] if old else []), *lines]))


def own_text(comment: str) -> str:
    """Return a comment without the lines that an earlier review wrote into it."""
    lines = comment.split("\n")
    kept = [line for line in lines if not any(form.fullmatch(line) for form in _WRITTEN)]
    return comment if len(kept) == len(lines) else "\n".join(kept).strip("\n")


def lead_in(comment: str) -> float | None:
    """Return Black's lead that an earlier review wrote into a comment, None where it wrote none."""
    for line in reversed(comment.split("\n")):
        for form in _WINRATE_LINES:
            found = form.fullmatch(line)
            if found is not None:
                side, _, points = found[1].partition("+")
                return 0.0 if not points else float(points) * (1.0 if side == "B" else -1.0)
    return None


def _form_of(sentence: str, words: ReviewWords) -> re.Pattern[str]:
    """Return what the lines of a sentence look like in a file."""
    number, lead = r"-?\d+(?:\.\d+)?", rf"([BW]\+\d+(?:\.\d+)?|{re.escape(words.even)})"
    parts = [re.escape(part) for part in re.split(r"\{:\.1f\}|\{\}", sentence)]
    fields = re.findall(r"\{:\.1f\}|\{\}", sentence)
    forms = [number if one != "{}" else rf"(?:{lead}|[A-Z]\d+|pass)" for one in fields]
    if len(fields) == 2:
        forms[1] = lead
    return re.compile("".join(a + b for a, b in zip(parts, [*forms, ""], strict=True)))


_WINRATE_LINES = [_form_of(words.winrate_line, words) for words in LANGUAGES.values()]
_WRITTEN = _WINRATE_LINES + [_form_of(words.cost_line, words) for words in LANGUAGES.values()]


def judge_move(node: Tree_node, analysis: GameAnalysis, review: MoveReview) -> None:
    """Mark a move, and add what was better as a variation beside it."""
    mark = mark_of(analysis, review)
    if mark is None:
        return
    if not any(node.has_property(name) for name in ("TE", "BM", "DO", "IT")):
        name, value = SGF_MARKS[mark]
        node.set_raw(name, value)
    if mark is Mark.GOOD or review.best is None:
        return
    place = node.parent
    colour = review.colour
    for move in review.best.pv[:LONGEST]:
        name = "B" if colour == BLACK else "W"
        point = move_to_sgf(move, analysis.record.size).encode("ascii")
        known = (one for one in place if one.has_property(name) and one.get_raw(name) == point)
        there = next(known, None)
        if there is None:
            there = place.new_child()
            there.set_raw(name, point)
        place = there
        colour = opponent(colour)
