"""The public path of what is in `headwater.sdk.context.files`."""

from __future__ import annotations

from headwater.sdk.context.files import file_name, write_whole

__all__ = ["file_name", "write_whole"]
