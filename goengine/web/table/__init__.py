"""What lies on the table: a tree of moves, positions, players, clocks and the count."""
