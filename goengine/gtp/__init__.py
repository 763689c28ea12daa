"""The Go Text Protocol: what Sabaki, GoGui, Lizzie, KGS and OGS speak to the engine.

`protocol` parses and formats without I/O, `engine` answers lines, the `*_commands` modules
hold the commands by theme, `server` connects an engine to stdin and stdout, `cli` is
`goengine gtp`. Importing this package loads neither numba nor torch.
"""
