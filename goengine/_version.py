"""The version of the engine, which is that of the whole tree."""

from __future__ import annotations

from cnncore.system.version import __version__ as __version__
