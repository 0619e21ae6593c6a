"""Files that are written whole or not at all, and names for them."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

_NAME_BYTES_MAX = 255
_PLAIN_CHARACTERS_MAX = 100


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, and the folders above it, so that no reader ever sees a part of it and no crash leaves one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def file_name(text: str) -> str:
    """Return `text` as the name of a file or folder: lower-case letters of any script, digits and single hyphens.

    Where the file system cannot hold that, as it is too long in bytes or has letters that the locale lacks, the ASCII of it and a hash.
    """
    name = re.sub(r"[\W_]+", "-", text.lower()).strip("-") or "unnamed"
    if _fits(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name)[:_PLAIN_CHARACTERS_MAX].strip("-")
    return f"{plain}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}".strip("-")


def _fits(name: str) -> bool:
    try:
        return len(os.fsencode(name)) <= _NAME_BYTES_MAX
    except UnicodeEncodeError:
        return False
