"""The version, as one constant: reading package metadata would slow the answer to GTP `version`.

Lizzie wants a second number of at least 15 (it reads Leela Zero's version numbers), so it never
goes below `0.15`.
"""

from __future__ import annotations

__version__ = "0.15.0"
