"""Who chooses a move, and what that takes."""
