"""Hashes of the inputs of tasks: what a cache remembers of them, since the values themselves may be large or private."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def hash_of_input(value: Any) -> str:
    """Return a SHA-256 of the value, as 64 hex digits.

    Equal JSON values have equal hashes in every process. Other values are compared as they are pickled, so equal ones may
    differ (a set has no order): then a result is made again, never taken wrongly.
    """
    if _is_plain(value):
        data = b"json:" + json.dumps(value, sort_keys=True).encode()
    else:
        import cloudpickle

        data = b"pickle:" + cloudpickle.dumps(value, protocol=5)
    return hashlib.sha256(data).hexdigest()


def _is_plain(value: Any) -> bool:
    """Tell whether JSON tells the value apart from all others: tuples, keys that are not texts and subclasses would be lost."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and _is_plain(each) for key, each in value.items())
    if kind is list:
        return all(_is_plain(each) for each in value)
    return kind in {str, int, float, bool, type(None)}
