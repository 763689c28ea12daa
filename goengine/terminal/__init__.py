"""A game between a person and a player in a terminal: what is typed, what is drawn."""
