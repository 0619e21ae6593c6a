"""The public path of what is in `headwater.sdk.language.no_default`."""

from __future__ import annotations

from headwater.sdk.language.no_default import NoDefault, no_default

__all__ = ["NoDefault", "no_default"]
