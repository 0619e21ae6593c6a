"""JSON, sent to an address that waits for it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 15.0
_ANSWER_BYTES = 500
"""So much of a refusal is shown: Slack says in a word what is wrong."""


def post_json(url: str, value: Any, *, proxies: Mapping[str, str] | None = None) -> None:
    """Send a value as JSON; raise OSError where the address cannot be reached or refuses, also by an HTTP status of 400 or more."""
    request = urllib.request.Request(  # noqa: S310 - the address is the user's own
        url, data=json.dumps(value).encode(), headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(None if proxies is None else dict(proxies)))
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        # The answer hangs on the error, and on the answer the connection.
        with error:
            error.add_note(f"It answered: {error.read(_ANSWER_BYTES).decode(errors='backslashreplace')}")
        raise
