"""Where Headwater keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "HEADWATER_HOME"


def home_directory() -> Path:
    """Return Headwater's home: `HEADWATER_HOME`, or `~/.headwater`. It need not exist yet."""
    configured = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(configured).expanduser().absolute() if configured else Path.home() / ".headwater"
