"""The one thread that computes: opponents, analysis, and what a network sees."""
