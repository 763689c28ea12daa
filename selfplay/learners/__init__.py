"""What networks learn of a position, from which batches, and how a run measures them."""
