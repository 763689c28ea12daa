"""Opponents of a person's own rank: weaker on purpose, without nonsense, and measured."""
