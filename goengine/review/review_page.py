"""A review as one HTML page: no script, no other file, for light and dark screens."""

from __future__ import annotations

from html import escape
from string import Template

from goengine.analysis.position_analysis import PositionAnalysis
from goengine.analysis.whole_games import MoveReview
from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.games.record import GameRecord
from goengine.pictures.svg import board_svg
from goengine.review.game_summary import GameSummary, Mark, PlayerSummary, mark_of
from goengine.review.review_charts import course_svg
from goengine.review.review_words import ENGLISH, ReviewWords
from goengine.types import BLACK

LIKED = 0.03
"""Share of the visits from which a move is drawn on a board."""
VARIATION = 8
"""Moves of a variation that are named."""

PAGE = Template("""<!doctype html>
<html lang="$code">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --paper: #fdfcf9; --card: #f4f1ea; --ink: #23211d; --soft: #6b665c; --grid: #dcd7cb;
  --line: #1f66b0; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #191a1d; --card: #232529; --ink: #eceae4;
  --soft: #a5a199; --grid: #3a3c41; --line: #6fb0f2; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.1rem 4rem; max-width: 1020px; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK KR",
  "Apple SD Gothic Neo", "Malgun Gothic", sans-serif; word-break: keep-all; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .3rem; }
p { margin: .35rem 0; max-width: 50rem; }
.soft { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; max-width: 40rem; }
th, td { text-align: right; padding: .3rem 0 .3rem 1rem; border-bottom: 1px solid var(--grid);
  vertical-align: bottom; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
th:first-child { text-align: left; padding-left: 0; }
th { font-weight: 600; }
th[scope=row] { color: var(--soft); font-weight: 400; white-space: nowrap; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
.chart .tick { font-size: 12px; fill: var(--soft); }
.chart .label { font-size: 13px; fill: var(--ink); }
.chart .grid { stroke: var(--grid); fill: none; }
.chart .line { stroke: var(--line); stroke-width: 2; fill: none; }
.chart .area { fill: var(--line); opacity: .16; }
.chart circle { stroke: var(--bad); stroke-width: 2; }
.chart .black { fill: #16161a; }
.chart .white { fill: #fbfbf8; }
.narrow { display: none; }
@media (max-width: 40rem) { .chart { display: none; } .narrow { display: block; } }
.moves { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.moves section { background: var(--card); border-radius: 10px; padding: .8rem; }
</style>
</head>
<body>
<h1>$title</h1>
<p class="soft">$facts</p>
$body
</body>
</html>
""")


def review_page(summary: GameSummary, *, words: ReviewWords = ENGLISH) -> str:
    """Return the page of a review."""
    record = summary.analysis.record
    cards = "".join(_card(summary, move, words) for move in summary.costliest)
    body = [
        _part(words.summary, _players(summary, words)),
        _part(words.graph, f'<p class="soft">{words.graph_note}</p>{course_svg(summary, words)}'),
        _part(
            words.costliest,
            f'<p class="soft">{words.board_note}</p><div class="moves">{cards}</div>'
            if cards
            else f"<p>{words.nothing_lost}</p>",
        ),
        f'<p class="soft">'
        f"{escape(words.method.format(summary.analysis.visits, summary.analysis.network))}</p>",
    ]
    return PAGE.substitute(
        code=words.code,
        title=escape(game_title(record, words)),
        facts=escape(_facts(record, words)),
        body="\n".join(body),
    )


def game_title(record: GameRecord, words: ReviewWords) -> str:
    """Return the players' names, or their colours where the record does not name them."""
    return words.title.format(record.black or words.black, record.white or words.white)


def _part(title: str, body: str) -> str:
    """Return a part of the page."""
    return f"<h2>{title}</h2>\n{body}"


def _facts(record: GameRecord, words: ReviewWords) -> str:
    """Return what the record says of the game."""
    komi = "" if record.komi is None else words.komi.format(f"{record.komi:g}")
    size = f"{record.size}×{record.size}"
    said = (record.event, record.date, size, record.rules, komi, record.result)
    return " · ".join(fact for fact in said if fact)


def _players(summary: GameSummary, words: ReviewWords) -> str:
    """Return the table of the players, a column each, which a phone has room for."""
    heads = [words.player, *(_player_name(player, words) for player in summary.players)]
    rows = [
        (words.moves, [str(player.moves) for player in summary.players]),
        (words.accuracy, [_said_of(one, f"{one.accuracy:.0f} %") for one in summary.players]),
        (words.points_lost, [_said_of(one, f"{one.points_lost:.2f}") for one in summary.players]),
        (
            words.agreement,
            [_said_of(one, f"{100 * one.agreement:.0f} %") for one in summary.players],
        ),
    ]
    rows += [
        (words.marks[mark], [str(player.marks[mark]) for player in summary.players])
        for mark in Mark
    ]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for label, cells in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _said_of(player: PlayerSummary, text: str) -> str:
    """Return what is said of a player's moves, a dash for one who made none."""
    return text if player.moves else "–"


def _player_name(player: PlayerSummary, words: ReviewWords) -> str:
    """Return a player's name and colour."""
    colour = words.colour(player.colour)
    return colour if player.name is None else f"{player.name} ({colour})"


def _card(summary: GameSummary, move: MoveReview, words: ReviewWords) -> str:
    """Return what a costly move was, what was better, and the position."""
    analysis = summary.analysis
    before = analysis.at(move.number - 1)
    board = analysis.record.board_at(move.number - 1)
    board.to_play = move.colour
    mark = mark_of(analysis, move)
    title = f"{words.move} {move.number}, {words.colour(move.colour)}"
    if mark is not None:
        title += f": {words.marks[mark]}"
    lost = words.lost.format(move.points_lost, 100 * move.winrate_lost)
    lines = [
        f'<p class="bad">{escape(lost)}</p>',
        f"<p>{words.played}: <b>{_vertex(move.move, board, words)}</b>, "
        f"{_value(move.colour, move.lead, move.winrate, words)}</p>",
    ]
    if move.best is not None:
        variation = " ".join(_vertex(step, board, words) for step in move.best.pv[:VARIATION])
        lines.append(
            f"<p>{words.better}: <b>{variation}</b>, "
            f"{_value(move.colour, move.best.lead, move.best.winrate, words)}</p>"
        )
    picture = board_svg(
        board,
        chances=_liked(before),
        played=None if move.move == board.size**2 else move.move,
        ownership=before.ownership,
        title=escape(title),
    )
    head = f'<section id="move{move.number}"><h3>{escape(title)}</h3>'
    return f"{head}{''.join(lines)}{picture}</section>"


def _liked(position: PositionAnalysis) -> dict[int, float]:
    """Return the points that the search looked at most, with their share of the visits."""
    total = max(1, sum(move.visits for move in position.moves))
    return {
        move.move: move.visits / total
        for move in position.moves
        if move.visits >= LIKED * total and move.move != position.size**2
    }


def _vertex(move: int, board: Board, words: ReviewWords) -> str:
    """Return a move as people write it."""
    return words.pass_word if move == board.size**2 else move_to_gtp(move, board.size)


def _value(colour: int, lead: float, winrate: float, words: ReviewWords) -> str:
    """Return a mover's lead and win rate as Black's lead and the mover's win rate."""
    black = lead if colour == BLACK else -lead
    return f"{words.lead(black)}, {100 * winrate:.0f} %"
