"""The GTP commands by theme; each module holds one group of them."""
