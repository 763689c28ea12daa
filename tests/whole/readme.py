"""Read README.md: print its test command, or run every Python block in it.

Usage: python tests/whole/readme.py test-command | run-blocks
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    """Return the fenced code blocks of one language, in order."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return the two commands that README opens with: run, and test."""
    lines = [line.strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("pip install")][:2]


def run_blocks() -> int:
    """Run every Python block in an empty folder with the sample data in place; return how many."""
    count = 0
    for block in blocks("python"):
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(ROOT / "data", Path(folder) / "data", target_is_directory=True)
            result = subprocess.run([sys.executable, "-c", block], cwd=folder, check=False)
        if result.returncode:
            sys.exit(f"this block of README.md fails:\n{block}")
        count += 1
    return count


def main() -> None:
    """Do what the one argument says."""
    if sys.argv[1:] == ["test-command"]:
        print(commands()[1])
    elif sys.argv[1:] == ["run-blocks"]:
        count = run_blocks()
        if not count:
            sys.exit("README.md has no Python block")
        print(f"{count} blocks of README.md ran")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
