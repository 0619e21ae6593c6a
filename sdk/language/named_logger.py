"""The loggers of flows and tasks as attributes of theirs."""

from __future__ import annotations

import logging
from typing import Any

from headwater.sdk.context.logging import get_logger


class NamedLogger:
    """An attribute that is the logger `headwater.<name of the object>`; nothing of it is pickled. An object may have another instead."""

    def __get__(self, owner: Any, kind: type | None = None) -> logging.Logger:
        return get_logger(None if owner is None else owner.name)
