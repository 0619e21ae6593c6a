"""Where Headwater keeps things on this machine."""

from __future__ import annotations

from pathlib import Path


def home_directory() -> Path:
    """Return Headwater's home: `HEADWATER_HOME`, or `~/.headwater`. It need not exist yet."""
    from headwater.core.settings import HOME

    return HOME.value()
