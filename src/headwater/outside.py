"""What rooms below ask of rooms that they must not know: to register a flow, to run an agent that takes its runs, to name an action.

`headwater`, the package around all rooms, binds the three when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Outside:
    """`register` and `run_agent` are given the flow first; `register` returns the id of the new version.

    `name_action` says what an action of a hint is called where the people of this process read it: a terminal, or a traceback.
    """

    # No dataclass: `import headwater` is to cost nothing.
    def __init__(self, register: Callable[..., str], run_agent: Callable[..., None], name_action: Callable[[Any], str]) -> None:
        self.register = register
        self.run_agent = run_agent
        self.name_action = name_action


def _unbound(*_: Any, **__: Any) -> Any:
    raise RuntimeError("headwater was not imported as a package, so its flows cannot be registered.")


outside = Outside(register=_unbound, run_agent=_unbound, name_action=lambda action: type(action).__name__)
