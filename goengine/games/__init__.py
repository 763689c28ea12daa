"""Games: finished ones as records and SGF, and the one in progress."""
