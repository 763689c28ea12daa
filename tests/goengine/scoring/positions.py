"""Finished and unfinished positions that the scoring tests share."""

SPLIT = """
. X . O .
X X . O O
. X X O .
X X . O O
. X . O .
"""

DEAD = """
. . . . X O . . .
. . . . X O . . .
. . O . X O . X .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
"""

OPEN = """
. . . . . . .
. X X . O O .
X X X . O O O
. . X . O . .
. . X . O . .
X X X . O O O
. X X . O O .
"""
