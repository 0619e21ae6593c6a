"""Files by their address: on this machine, on the web, in a bucket."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

from headwater.core.errors import InvalidArgument

TIMEOUT_SECONDS = 30.0
_BUCKETS = {"s3": ("s3", "s3"), "gcs": ("gs", "gcs"), "gs": ("gs", "gcs")}


class ParsedPath(NamedTuple):
    """An address in its parts."""

    scheme: str
    netloc: str
    path: str


def parse_path(path: str) -> ParsedPath:
    """Return the parts of an address. A path without a scheme, and one of `local://`, is that of a file."""
    parsed = urlparse(path)
    # A single letter is a drive of Windows.
    if parsed.scheme in {"", "local", "file"} or len(parsed.scheme) == 1:
        return ParsedPath("file", "", f"{parsed.netloc}{parsed.path}" if parsed.scheme in {"local", "file"} else path)
    return ParsedPath(parsed.scheme, parsed.netloc, parsed.path)


def read_bytes_from_path(path: str) -> bytes:
    """Return what is at an address: of a file (`agent://` too), of `http` and `https`, of `s3`, `gcs` and `gs`.

    Raises:
        InvalidArgument: there are no addresses of this kind, or the library for them is not installed.
        OSError: it cannot be read.

    """
    parsed = parse_path(path)
    match parsed.scheme:
        case "file" | "agent":
            return Path(f"{parsed.netloc}{parsed.path}").read_bytes()
        case "http" | "https":
            with urllib.request.urlopen(path, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - of these two kinds
                data: bytes = answer.read()
            return data
        case "s3" | "gcs" | "gs":
            protocol, extra = _BUCKETS[parsed.scheme]
            try:
                import fsspec

                files = fsspec.filesystem(protocol, use_listings_cache=False)
            except ImportError as error:
                raise InvalidArgument(
                    f"{path!r} cannot be read: {error}.", hint=f"Install what is missing: pip install 'headwater[{extra}]'."
                ) from error
            found: bytes = files.cat_file(f"{parsed.netloc}{parsed.path}")
            return found
    raise InvalidArgument(f"{path!r} has an unknown scheme.", hint="Give a path, or an address of http, https, s3 or gcs.")
