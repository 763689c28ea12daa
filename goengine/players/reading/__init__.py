"""What a player that searches does around its tree: time, choices, endings, analysis."""
