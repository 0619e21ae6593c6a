"""The public path of what is in `headwater.sdk.run_configs.documents`."""

from __future__ import annotations

from headwater.sdk.run_configs.documents import document, document_at

__all__ = ["document", "document_at"]
