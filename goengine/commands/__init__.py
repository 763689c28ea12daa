"""The subcommands of `goengine`, one file each with `configure(parser)` and `run(args)`."""
