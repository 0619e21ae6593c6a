"""What rooms below ask of rooms that they must not know: to run, store or register a flow, to run an agent for it, to name an action.

`headwater`, the package around all rooms, binds these when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Setting = Literal["environment", "executor", "storage"]


class Outside:
    """What is done for a flow is given the flow first, but for `load`, which returns one; `register` returns the id of the new version.

    `kind_of` returns the class that a setting of a flow must be of. `name_action` says what an action of a hint is called where the
    people of this process read it: a terminal, or a traceback.
    """

    # No dataclass: `import headwater` is to cost nothing.
    def __init__(self) -> None:
        self.run: Callable[..., Any] = _unbound
        self.save: Callable[..., Any] = _unbound
        self.load: Callable[..., Any] = _unbound
        self.register: Callable[..., str] = _unbound
        self.run_agent: Callable[..., None] = _unbound
        self.kind_of: Callable[[Setting], type] = _unbound
        self.name_action: Callable[[Any], str] = lambda action: type(action).__name__


def _unbound(*_: Any, **__: Any) -> Any:
    raise RuntimeError("headwater was not imported as a package, so its flows cannot be run, stored or registered.")


outside = Outside()
