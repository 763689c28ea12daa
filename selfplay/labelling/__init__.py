"""What the end of a game says about its positions: who owned which point."""
