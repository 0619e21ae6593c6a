"""The public path of what is in `headwater.sdk.backend.tenant`."""

from __future__ import annotations

from headwater.sdk.backend.tenant import TENANT, TenantView

__all__ = ["TENANT", "TenantView"]
