"""Whatever computes a network: each backend turns planes into raw outputs, no more."""
