"""Matches between two engines: entrants, games, openings, and the folder that keeps them."""
