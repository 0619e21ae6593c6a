"""The public path of what is in `headwater.sdk.language.mapped_pipeline`."""

from __future__ import annotations

from headwater.sdk.language.mapped_pipeline import build_mapped_pipeline as build_mapped_part

__all__ = ["build_mapped_part"]
