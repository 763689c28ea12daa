"""The subcommands of `cnncore`."""
