"""What is said of a player's moves and of what it sees: hints, who is ahead, where it was weak."""

from __future__ import annotations

from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.players.player import Candidate, Player, Snapshot
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.ranked.weak_moves import described
from goengine.scoring.counting import format_score
from goengine.types import BLACK


def weak_words(player: Player, game: Game) -> str:
    """Return where an opponent by rank was weak on purpose, once the game is over."""
    if not isinstance(player, RankedPlayer):
        return "this player is never weak on purpose: start with --rank, 8k for example"
    if not game.over:
        return "that is told when the game is over"
    found = described(player.weak_moves.of(game), game.size)
    return found or "no move was weak on purpose by a point or more"


def hint_line(one: Candidate, size: int) -> str:
    """Return a line about a move: win rate and points for the player to move, where known."""
    line = f"  {move_to_gtp(one.move, size):5}{100 * one.prior:5.1f} %"
    if one.winrate is None or one.lead is None:
        return line
    return (
        f"  {move_to_gtp(one.move, size):5} wins {100 * one.winrate:3.0f} %, "
        f"{one.lead:+.1f} points, visits {one.visits}, likely {100 * one.prior:.0f} %"
    )


def lead_words(seen: Snapshot | None, to_play: int) -> str:
    """Return who is ahead by what a player saw of a position; None is nothing."""
    if seen is None or seen.lead is None or seen.winrate is None:
        return "too early to say"
    sign = 1 if to_play == BLACK else -1
    black = seen.winrate if sign == 1 else 1 - seen.winrate
    return f"about {format_score(round(sign * seen.lead * 2) / 2)}, Black wins {100 * black:.0f} %"
