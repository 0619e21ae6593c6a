"""Loads the client library without its web socket transport, which we do not use. Imported before all else of this package.

Where aiohttp is installed, loading that for the transport takes longer than all the rest of a command's start.
"""

from __future__ import annotations

import importlib
import sys

_HTTP_CLIENT = "aiohttp"

if _HTTP_CLIENT not in sys.modules:
    # None says "cannot be imported", which the library is prepared for.
    sys.modules[_HTTP_CLIENT] = None  # type: ignore[assignment]
    try:
        importlib.import_module("nats.aio.transport")
    finally:
        del sys.modules[_HTTP_CLIENT]
