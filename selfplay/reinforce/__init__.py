"""A network's games against itself: played in lockstep, scored, kept in shards."""
