"""The public path of what is in `headwater.sdk.language.collections`."""

from __future__ import annotations

from headwater.sdk.language.collections import Container, Dict, List, Set, Tuple

__all__ = ["Container", "Dict", "List", "Set", "Tuple"]
