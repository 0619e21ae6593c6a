"""What rooms above the language do for a flow: register it, and run an agent that takes its runs.

The language must not know these rooms. `headwater`, the package around all of them, binds the two when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Outside:
    """The two actions, each given the flow first. `register` returns the id of the new version."""

    # No dataclass: `import headwater` is to cost nothing.
    def __init__(self, register: Callable[..., str], run_agent: Callable[..., None]) -> None:
        self.register = register
        self.run_agent = run_agent


def _unbound(*_: Any, **__: Any) -> Any:
    raise RuntimeError("headwater was not imported as a package, so its flows cannot be registered.")


outside = Outside(register=_unbound, run_agent=_unbound)
