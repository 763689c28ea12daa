"""The classic networks, one paper a file, its table as data."""
