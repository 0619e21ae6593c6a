"""The tenant of a server, for flows that ask for it: there is one, named `default`, as in the addresses of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from headwater.core.errors import NotFound

TENANT = "default"


@dataclass(frozen=True)
class TenantView:
    """What there is to know of a tenant. Id, name and slug are the same word."""

    tenant_id: str
    name: str
    slug: str

    @classmethod
    def from_current_tenant(cls) -> Self:
        """Return the one tenant that there is."""
        return cls(TENANT, TENANT, TENANT)

    @classmethod
    def from_tenant_id(cls, tenant_id: str) -> Self:
        """Return the tenant with this id.

        Raises:
            NotFound: there is no such tenant.

        """
        if tenant_id != TENANT:
            raise NotFound("tenant", tenant_id, hint=f"A server has one tenant, {TENANT!r}; projects keep flows apart.")
        return cls.from_current_tenant()
