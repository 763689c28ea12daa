"""What analyses say of the tree on the table: what moves cost, and the tree as SGF with it all.

It is written as `goengine review` writes it; Sabaki draws its graph from the win rates (`SBKV`).
"""

from __future__ import annotations

from dataclasses import replace

from sgfmill import sgf
from sgfmill.sgf import Tree_node

from goengine.analysis.whole_games import GameAnalysis, MoveReview
from goengine.games.record import GameRecord
from goengine.review.annotated_sgf import describe_position, judge_move
from goengine.review.review_words import ENGLISH, ReviewWords
from goengine.web.table.game_tree import GameTree, Node


def analysed_sgf(tree: GameTree, *, words: ReviewWords = ENGLISH) -> bytes:
    """Return a tree as SGF, each node that was analysed with what was found."""
    game = sgf.Sgf_game.from_bytes(tree.serialise(), override_encoding="UTF-8")
    pairs: list[tuple[Node, Tree_node]] = [(tree.root, game.get_root())]
    for node, written in pairs:
        pairs.extend(zip(node.children, list(written), strict=True))
    for node, written in pairs:
        if node.analysis is None:
            continue
        review = move_review(node)
        describe_position(written, node.analysis, review, words)
        cost = pair_analysis(node)
        if review is not None and cost is not None:
            judge_move(written, cost, review)
    found: bytes = game.serialise()
    return found


def pair_analysis(node: Node) -> GameAnalysis | None:
    """Return the positions before and after the move of a node as a game of one move.

    None where one of them was not analysed.
    """
    parent = node.parent
    if parent is None or node.move is None or node.analysis is None or parent.analysis is None:
        return None
    before, after = parent.analysis, node.analysis
    record = GameRecord(size=before.size, moves=(node.move,), to_play=node.move[0])
    positions = (replace(before, turn=0), replace(after, turn=1))
    return GameAnalysis(record, before.visits, "", positions)


def move_review(node: Node) -> MoveReview | None:
    """Return what the move of a node cost, None where that is not known."""
    pair = pair_analysis(node)
    return None if pair is None else pair.moves[0]
