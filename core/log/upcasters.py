"""How the shapes of older events are lifted to today's.

When an event's stored shape changes, raise `CATALOGUE_VERSION` and add here, under the new number, a function per changed type that
takes the older event as a plain dictionary (with its "type") and returns the newer one. Old golden files stay; new ones join them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[int, Mapping[str, Upcaster]] = {}
"""Catalogue version that brought the change → stored event type → function that lifts the version before."""
