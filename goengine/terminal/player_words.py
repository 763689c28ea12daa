"""What is said of a player's moves: hints before them, and afterwards where it was weak."""

from __future__ import annotations

from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.players.player import Candidate, Player
from goengine.players.ranked.ranked_player import RankedPlayer
from goengine.players.ranked.weak_moves import described


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
