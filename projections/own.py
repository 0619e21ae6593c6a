"""The name under which projections of users were imported first: `headwater.projections.custom` has them."""

from __future__ import annotations

from headwater.projections.custom import CustomProjector, Projection

OwnProjector = CustomProjector

__all__ = ["OwnProjector", "Projection"]
