"""The public path of what is in `headwater.sdk.storage.docker`."""

from __future__ import annotations

from headwater.sdk.storage.docker import Docker

__all__ = ["Docker"]
