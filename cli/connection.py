"""Which server a command talks to, and how it does: the connection options of all commands, and the client they open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from headwater.cli.readable import as_typed, require_text

if TYPE_CHECKING:
    from headwater.core.program.settings import ConnectionSettings
    from headwater.sdk.client.async_client import AsyncClient

Answer = TypeVar("Answer")

INTERRUPTED_SECONDS = 4.0
"""How long what is under way may take to end when Ctrl-C came."""


@dataclass
class ConnectionOptions:
    """What was given before or after the command; None means the environment's, or the default."""

    nats_url: str | None = None
    key: str | None = None
    home: str | None = None


def given_options(context: typer.Context) -> ConnectionOptions:
    """Return the connection options of this call."""
    options: ConnectionOptions = context.find_root().ensure_object(ConnectionOptions)
    return options


def _remember(context: typer.Context, option: typer.CallbackParam, value: str | None) -> None:
    if value is not None and option.name is not None:
        value = as_typed(value) if option.name != "home" else value
        require_text(value, what=option.opts[0])
        setattr(given_options(context), option.name, value)


def declare(
    nats_url: Annotated[
        str | None,
        typer.Option("--nats-url", metavar="URL", help="Address of the server's NATS.", callback=_remember, expose_value=False),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="The server's key.", callback=_remember, expose_value=False),
    ] = None,
    home: Annotated[
        str | None,
        typer.Option("--home", metavar="DIR", help="The home of the server to use.", callback=_remember, expose_value=False),
    ] = None,
) -> None:
    """Declare the connection options: for the top level, and once for all commands."""


@lru_cache(maxsize=1)
def _declared() -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(declare)
    return [option for option in typer.main.get_command(app).params if option.name != "help"]


def add_connection_options(command: Any) -> None:
    """Let the command take the connection options behind its name too, but for those it declares itself."""
    own = {word for option in command.params for word in option.opts}
    command.params.extend(option for option in _declared() if not own.intersection(option.opts))


def connection(context: typer.Context) -> ConnectionSettings:
    """Return the address, key and home that hold for this call.

    Raises:
        SettingsError: a variable or the home's `server.json` cannot be used.

    """
    from headwater.core.program.settings import connection_settings

    given = given_options(context)
    return connection_settings(given.nats_url, given.key, given.home)


def with_client(
    context: typer.Context, work: Callable[[AsyncClient], Awaitable[Answer]], *, ends_within: float | None = INTERRUPTED_SECONDS
) -> Answer:
    """Open a client, do the work with it, close it, and return the work's answer.

    Ctrl-C ends it within `ends_within` seconds, whatever the server does; None where the work has an end of its own to take care of.

    Raises:
        LogUnavailable, AuthenticationFailed: there is no server there, or it wants another key.
        KeyboardInterrupt: Ctrl-C came.

    """
    import anyio

    from headwater.cli.interrupts import interruptible
    from headwater.core.program.exception_groups import unwrap_exception_group
    from headwater.sdk.client.async_client import AsyncClient

    settings = connection(context)

    async def main() -> Answer:
        async with AsyncClient.of(settings, program="cli") as client:
            return await work(client)

    with unwrap_exception_group():
        return anyio.run(interruptible, main, ends_within)
