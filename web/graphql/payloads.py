"""What mutations answer."""

from __future__ import annotations

import strawberry

from headwater.web.graphql.scalars import Identifier


@strawberry.type(name="id_payload")
class IdPayload:
    """The id of what was made."""

    id: Identifier | None
    error: str | None = None


@strawberry.type(name="success_payload")
class SuccessPayload:
    """Whether it was done."""

    success: bool
    error: str | None = None
