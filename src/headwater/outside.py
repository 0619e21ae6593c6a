"""What rooms above the language do for a flow: run it, store it, register it, run an agent that takes its runs.

The language must not know these rooms. `headwater`, the package around all of them, binds what they do when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Setting = Literal["environment", "executor", "storage"]


class Outside:
    """What is done elsewhere, each given the flow first, but for `load`, which returns one.

    `register` returns the id of the new version. `kind_of` returns the class that a setting of a flow must be of.
    """

    # No dataclass: `import headwater` is to cost nothing.
    def __init__(self) -> None:
        self.run: Callable[..., Any] = _unbound
        self.save: Callable[..., Any] = _unbound
        self.load: Callable[..., Any] = _unbound
        self.register: Callable[..., str] = _unbound
        self.run_agent: Callable[..., None] = _unbound
        self.kind_of: Callable[[Setting], type] = _unbound


def _unbound(*_: Any, **__: Any) -> Any:
    raise RuntimeError("headwater was not imported as a package, so its flows cannot be run, stored or registered.")


outside = Outside()
