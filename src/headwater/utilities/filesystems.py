"""The public path of what is in `headwater.sdk.storage.filesystems`."""

from __future__ import annotations

from headwater.sdk.storage.filesystems import TIMEOUT_SECONDS, ParsedPath, parse_path, read_bytes_from_path

__all__ = ["TIMEOUT_SECONDS", "ParsedPath", "parse_path", "read_bytes_from_path"]
