"""Learning to play: game archives, supervised training, reinforcement."""
