"""Answers to held-out positions, and the measures of them with intervals."""
