"""Lines of the protocol read into checked values."""
