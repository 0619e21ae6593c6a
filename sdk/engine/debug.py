"""Finding mistakes in flows: exceptions that reach the debugger, and whether a flow can be stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headwater.sdk.context.context import context


@contextmanager
def raise_on_exception() -> Iterator[None]:
    """Let exceptions of tasks end `flow.run()` and reach its caller, instead of making the task Failed.

    For looking into them with a debugger: with the executor that runs tasks one after the other, the default.
    """
    with context(raise_on_exception=True):
        yield


def is_serializable(value: Any, raise_on_error: bool = False) -> bool:
    """Tell whether a flow, or anything else, can be stored and loaded again, as registration does it.

    Raises:
        HeadwaterError: it cannot, and `raise_on_error` is set; the sentence says why.

    """
    import cloudpickle

    from headwater.sdk.context.pickling import dumps
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.storage.pickled import pickled, unpickled

    try:
        if isinstance(value, Flow):
            unpickled(pickled(value), value.name, "memory")
        else:
            cloudpickle.loads(dumps(value))
    except Exception:  # pickling runs the code of whatever is in it
        if raise_on_error:
            raise
        return False
    return True
