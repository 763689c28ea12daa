"""Positions as the 48 feature planes of AlphaGo, and the eight symmetries of the board."""
