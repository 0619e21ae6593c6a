"""The one connection that views of this process share."""

from __future__ import annotations

import threading

from headwater.core.program.settings import ConnectionSettings, connection_settings
from headwater.sdk.client import Client

_clients: dict[ConnectionSettings, Client] = {}
_lock = threading.Lock()


def shared_client() -> Client:
    """Return a client for the server that this process's environment, or its home, names."""
    settings = connection_settings()
    with _lock:
        client = _clients.get(settings)
        if client is None:
            client = _clients[settings] = Client(settings.nats_url, settings.key)
        return client
