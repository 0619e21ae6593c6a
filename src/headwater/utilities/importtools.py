"""The public path of what is in `headwater.sdk.context.importtools`."""

from __future__ import annotations

from headwater.sdk.context.importtools import import_object

__all__ = ["import_object"]
