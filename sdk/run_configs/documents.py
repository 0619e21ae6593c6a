"""Job templates and task definitions: documents of YAML or JSON, in files of this machine or as texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from headwater.core.program.user_paths import user_path
from headwater.sdk.run_configs.arguments import mapping, text
from headwater.sdk.run_configs.errors import InvalidRunConfig

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def document(name: str, given: Any) -> dict[str, Any] | None:
    """Return a document that was given as a dict or as a text of YAML, as a dict.

    Raises:
        InvalidRunConfig: it is neither, or the text cannot be read.

    """
    return _read(name, given) if isinstance(given, str) else mapping(name, given)


def document_at(name: str, path: Any) -> tuple[str | None, dict[str, Any] | None]:
    """Return the document in a file of this machine, or the address of one that lies elsewhere (`s3://...`), unread.

    Raises:
        InvalidRunConfig: there is no such file here, or it cannot be read.

    """
    address = text(name, str(path) if isinstance(path, Path) else path)
    if address is None:
        return None, None
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme.group(1).lower() not in ("file", "local"):
        return address, None
    file = user_path(address[scheme.end() :] if scheme else address)
    try:
        written = file.read_text()
    except OSError as error:
        raise InvalidRunConfig(
            f"{name} names the file {file}, which cannot be read: {error.strerror or error}.",
            hint="It is read here and now, and travels with the run config.",
        ) from None
    except UnicodeDecodeError:
        raise InvalidRunConfig(f"{name} names the file {file}, which is not a text.") from None
    return None, _read(name, written)


def _read(name: str, written: str) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise InvalidRunConfig(
            f"{name} is written in YAML, and PyYAML is not installed.", hint="Install headwater[yaml], or give it as a dict."
        ) from None
    try:
        found = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise InvalidRunConfig(f"{name} cannot be read as YAML: {error}") from None
    if not isinstance(found, dict):
        raise InvalidRunConfig(f"{name} holds {type(found).__name__}, and a document of keys and values is needed.")
    return found
