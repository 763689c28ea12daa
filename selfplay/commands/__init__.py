"""The subcommands of `selfplay`."""
