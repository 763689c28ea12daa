"""Whatever computes a network: each backend turns planes into raw outputs and knows no more."""
