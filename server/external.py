"""Whether a NATS that we did not start can be used, before anything is built on it."""

from __future__ import annotations

from functools import partial
from urllib.parse import unquote, urlsplit

from anyio import to_thread

from headwater.core.errors import AuthenticationFailed, LogUnavailable, SettingsError
from headwater.server.nats.nats_server import CredentialsRefused, NotReady, ask_jetstream, token

_DEFAULT_PORT = 4222
_TIMEOUT_SECONDS = 2.0
_EXAMPLE = "An address looks like nats://127.0.0.1:4222."
_SCHEMES = ("nats", "tls", "ws", "wss")


async def check_external_nats(url: str, key: str | None) -> None:
    """Returns when one of these addresses (comma-separated) lets us in with this key and has JetStream.

    Addresses that want TLS or a web socket are left to the log's own client.

    Raises:
        SettingsError: that is not an address of a NATS server.
        LogUnavailable: none of them answers with JetStream.
        AuthenticationFailed: they want a key, or another one.

    """
    reasons: list[NotReady] = []
    for address in [part.strip() for part in url.split(",")]:
        try:
            parts = urlsplit(address if "://" in address else f"nats://{address}")
            port = parts.port or _DEFAULT_PORT
        except ValueError as error:
            raise SettingsError(f"{address!r} is not the address of a NATS server: {error}.", hint=_EXAMPLE) from None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise SettingsError(f"{address!r} is not the address of a NATS server.", hint=_EXAMPLE)
        if parts.scheme != "nats":
            return
        credentials = token(key)
        if parts.password is not None:
            credentials = {"user": unquote(parts.username or ""), "pass": unquote(parts.password)}
        elif parts.username is not None:
            credentials = token(unquote(parts.username))
        question = partial(
            ask_jetstream,
            port,
            host=parts.hostname,
            credentials=credentials,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        try:
            await to_thread.run_sync(question)
        except NotReady as error:
            reasons.append(error)
        else:
            return
    if any(isinstance(reason, CredentialsRefused) for reason in reasons):
        raise AuthenticationFailed(url, sent=key is not None)
    raise LogUnavailable(url, "; ".join(dict.fromkeys(map(str, reasons))))
