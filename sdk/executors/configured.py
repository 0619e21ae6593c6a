"""The executor of flows that have none."""

from __future__ import annotations

from headwater.core.errors import InvalidArgument
from headwater.sdk.context.configuration import DEFAULTS, config
from headwater.sdk.context.importtools import import_object
from headwater.sdk.executors.base import Executor
from headwater.sdk.executors.local import LocalExecutor


def configured_executor() -> Executor:
    """Return an executor of the class that `engine.executor.default_class` of the configuration names.

    Raises:
        InvalidArgument: there is no such class, or it is not one of executors.

    """
    named = str(config["engine"]["executor"]["default_class"])
    if named == DEFAULTS["engine"]["executor"]["default_class"]:
        return LocalExecutor()
    try:
        kind = import_object(named)
    except (ImportError, AttributeError) as error:
        raise InvalidArgument(f"engine.executor.default_class names {named!r}, which is not there: {error}.", hint=_HINT) from error
    if not (isinstance(kind, type) and issubclass(kind, Executor)):
        raise InvalidArgument(f"engine.executor.default_class names {named!r}, which is not a class of executors.", hint=_HINT)
    executor: Executor = kind()
    return executor


_HINT = "Name one as headwater.executors.LocalDaskExecutor."
