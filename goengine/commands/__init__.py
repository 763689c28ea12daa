"""The subcommands of `goengine`, one file each with `configure(parser)` and `run(args)`.

A board beside the engine is the normal case, so threads that wait for work must leave the cores to
others: OpenMP lets them turn in circles unless told otherwise before torch is imported, and with
two busy programs a move then takes ten times as long.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
