"""Positions to priors and values: the one place where a network runs."""
