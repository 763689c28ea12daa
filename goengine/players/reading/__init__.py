"""What players do around their networks and trees: time, choices, endings, analysis."""
