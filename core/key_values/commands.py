"""Commands about a key of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SetKeyValue:
    project_id: str
    key: str
    value: Any


@dataclass(frozen=True)
class DeleteKeyValue:
    key: str


KeyValueCommand = SetKeyValue | DeleteKeyValue
