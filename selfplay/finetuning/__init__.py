"""Fine-tuning a network on one's own games, and the comparison before and after."""
