"""What rooms above the language do for a flow: register it, and run an agent that takes its runs.

The language must not know these rooms. `headwater`, the package around all of them, binds the two when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Outside:
    """The two actions, each given the flow first. `register` returns the id of the new version."""

    register: Callable[..., str]
    run_agent: Callable[..., None]


def _unbound(*_: Any, **__: Any) -> Any:
    raise RuntimeError("headwater was not imported as a package, so its flows cannot be registered.")


outside = Outside(register=_unbound, run_agent=_unbound)
