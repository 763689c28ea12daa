"""The layers and blocks that the networks are composed of, and how they are initialised."""
