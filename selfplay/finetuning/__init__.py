"""Fine-tuning a network on one's own games, and what it changed."""
