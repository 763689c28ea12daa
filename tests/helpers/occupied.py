"""A second process that holds a run's folder, as a training program does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import sys
from pathlib import Path
from cnncore.system.folder_lock import locked
with locked(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Let another process hold a folder in this block; at its end that process is killed."""
    command = [sys.executable, "-c", _HOLD, str(folder)]
    holder = subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == "True\n"
        try:
            yield
        finally:
            holder.kill()
