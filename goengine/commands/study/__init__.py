"""The subcommands that study: positions as pictures, the analysis engine, whole games."""
