"""The public path of what is in `headwater.sdk.language.fingerprint`."""

from __future__ import annotations

from headwater.sdk.language.fingerprint import attributes, fingerprint

__all__ = ["attributes", "fingerprint"]
