"""The public path of what is in `headwater.sdk.client.printing`."""

from __future__ import annotations

from headwater.sdk.client.printing import print_escaped

__all__ = ["print_escaped"]
