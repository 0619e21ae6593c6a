"""What every log record tells of the run it was made in: `%(flow_run_id)s` in a format, `record.task_slug` in a handler."""

from __future__ import annotations

import logging
from typing import Any

from headwater.sdk.context.configuration import config
from headwater.sdk.context.values import current_values

ATTRIBUTES = ("flow_name", "flow_run_id", "task_name", "task_slug", "task_run_id")
"""What is logged where the context has it; `logging.log_attributes` of the configuration names more, which are None where it has not."""


def log_attributes() -> tuple[str, ...]:
    """Return the further names, as the configuration lists them."""
    listed = config["logging"]["log_attributes"]
    return (listed,) if isinstance(listed, str) else tuple(map(str, listed))


def add_run_to_records() -> None:
    """Let records of all loggers, made from here on in this process, tell of the run. Once is enough."""
    make = logging.getLogRecordFactory()
    if isinstance(make, _Factory):
        return
    logging.setLogRecordFactory(_Factory(make))


class _Factory:
    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        values = current_values.get()
        # A run may log tens of thousands of lines: what is not there costs nothing.
        attributes = record.__dict__
        for name in ATTRIBUTES:
            if name in values and (value := values[name]):
                attributes[name] = value
        if config._values["logging"].get("log_attributes"):  # noqa: SLF001 - as `config.logging`, without an object for each line
            for name in log_attributes():
                attributes[name] = values.get(name)
        return record
