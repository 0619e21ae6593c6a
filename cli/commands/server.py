"""`headwater server`: start, status, stop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from headwater.cli.connection import ConnectionOptions, given_options
from headwater.cli.output import Output, OutputForm, coloured, echo_stderr, examples, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headwater.core.log.health import ServerHealth
    from headwater.core.log.protocol import StreamSize
    from headwater.core.program.server_file import ServerFile
    from headwater.server.options import LogLevel, ServerOptions
    from headwater.server.status import ServerStatus

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Start, stop and look at the server.")

HomeOption = Annotated[str | None, typer.Option("--home", metavar="DIR", help="Where the server keeps its data; ~/.headwater by default.")]


@app.command(
    epilog=examples(
        "headwater server start",
        "headwater server start --detach --key-file ~/.headwater.key",
        "headwater server start --nats-url nats://nats-1:4222,nats://nats-2:4222 --database-url postgresql://headwater@db/headwater",
    )
)
def start(
    context: typer.Context,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address the web listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="The web's port; 0 picks a free one.")] = 8080,
    nats_port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="The embedded NATS server's port; 0 picks a free one.")
    ] = 4222,
    nats_monitor_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Open the embedded NATS server's own monitoring there.")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Demand this key of everyone. [env: HEADWATER_KEY]")] = None,
    key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read the key from this file.")] = None,
    nats_url: Annotated[str | None, typer.Option(metavar="URL", help="Use the NATS servers there, and start none.")] = None,
    database_url: Annotated[str | None, typer.Option(metavar="URL", help="Use the PostgreSQL there, and start none.")] = None,
    replicas: Annotated[int, typer.Option(min=1, max=5, metavar="N", help="Copies of the log, on a NATS cluster.")] = 1,
    log_retention_days: Annotated[float, typer.Option(metavar="DAYS", help="How long the log lines of runs are kept.")] = 7.0,
    accept_new_log: Annotated[
        bool, typer.Option("--accept-new-log", help="Rebuild the views from a log that is shorter than what they show.")
    ] = False,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="The server's own log: DEBUG, INFO, WARNING or ERROR.")] = "INFO",
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave the server running in the background.")] = False,
) -> None:
    """Start a server: a real NATS server, a real PostgreSQL, the projector, queries and the web. Ctrl-C ends all of it."""
    from headwater.core.errors import SettingsError
    from headwater.core.program import settings
    from headwater.server.options import ServerOptions, read_key_file

    given = given_options(context)
    if key is not None and key_file is not None:
        raise SettingsError("Both --key and --key-file were given.", hint="Give one of them.")
    chosen_key = read_key_file(key_file) if key_file is not None else key or given.key or settings.KEY.value()
    if log_level.upper() not in settings.LOG_LEVELS:
        raise SettingsError(f"{log_level!r} is not a log level.", hint=f"Choose one of {', '.join(settings.LOG_LEVELS)}.")
    options = ServerOptions(
        home=_home(context, home),
        host=host,
        port=port,
        nats_port=nats_port,
        nats_monitor_port=nats_monitor_port,
        key=chosen_key,
        nats_url=nats_url or given.nats_url or settings.NATS_URL.value(),
        database_url=database_url or settings.DATABASE_URL.value(),
        replicas=replicas,
        log_retention_days=log_retention_days,
        accept_new_log=accept_new_log,
        log_level=cast("LogLevel", log_level.upper()),
    )
    if detach:
        _start_in_background(options)
    else:
        _start_here(options)


def _start_here(options: ServerOptions) -> None:
    import logging

    import anyio

    from headwater.core.program.logging_setup import configure_logging
    from headwater.server.program import serve_headwater
    from headwater.server.services import server_services

    configure_logging(options.log_level, logging.getLogger("headwater"))
    echo_stderr(f"Starting Headwater in {options.home} ...")

    async def main() -> None:
        await serve_headwater(options, server_services, on_ready=lambda content: _announce(options, content))

    anyio.run(main)
    echo_stderr("Stopped.")


def _start_in_background(options: ServerOptions) -> None:
    import os

    from headwater.server.supervision.daemonize import start_detached

    words = [word for word in sys.argv[1:] if word not in {"--detach", "-d"}]
    content = start_detached([sys.executable, "-P", "-m", "headwater.cli", *words], options.home, environment=dict(os.environ))
    _announce(options, content, background=True)


def _announce(options: ServerOptions, content: ServerFile, *, background: bool = False) -> None:
    from headwater.server.home import Home

    ready = coloured("ready", "green")
    print(f"Headwater {content.version} is {ready}.")
    rows = [("UI", content.http_url), ("NATS", content.nats_url), ("Home", str(options.home))]
    if options.key is not None:
        rows.append(("Key", "demanded of everyone"))
    if background:
        rows += [("PID", str(content.pid)), ("Log", str(Home(options.home).server_log))]
    for name, value in rows:
        print(f"  {name:<6}{value}")
    print("`headwater server stop` ends it." if background else "Ctrl-C ends it.", flush=True)


@app.command(
    epilog=examples(
        "headwater server status", "headwater server status --output json", "headwater server status --nats-url nats://nats-1,nats://nats-2"
    )
)
def status(
    context: typer.Context,
    home: HomeOption = None,
    nats_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Tell of the server at these NATS servers. [env: HEADWATER_NATS_URL]")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The server's key. [env: HEADWATER_KEY]")] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Tell how the server is, of this home or at this address, and how far its views are. Exit code 1 where none runs."""
    from headwater.core.program import settings

    given = given_options(context)
    key = key or given.key or settings.KEY.value()
    found = _found_status(_home(context, home), _address(given, home, nats_url), key)
    views, streams, health = _views_streams_health(found.nats_url, key) if found.state == "running" and found.nats_url else (None,) * 3
    if output is OutputForm.JSON:
        import msgspec

        told = {"home": None if found.home is None else str(found.home), "views": views, "streams": streams, "health": health}
        print_json({**msgspec.to_builtins(found, enc_hook=str), **told})
    else:
        print(f"Headwater is {coloured(found.state, 'green' if found.state == 'running' else 'yellow')}.")
        for name, value in [*_status_rows(found, views), *_health_rows(health), *_stream_rows(streams or ())]:
            print(f"  {name:<9}{value}")
    if found.state != "running":
        if found.state == "stopped" and found.home is not None:
            echo_stderr("`headwater server start` starts one.")
        elif found.nats_url is not None and found.home is None:
            from headwater.command_lines import command_line

            start = command_line("server start", options=[("--nats-url", found.nats_url)])
            echo_stderr(f"No server answers at {found.nats_url}. `{start}` starts one.")
        raise typer.Exit(1)


def _address(given: ConnectionOptions, home: str | None, nats_url: str | None) -> str | None:
    """Return the address that was given; the environment's only where no home was, as everywhere."""
    from headwater.core.program import settings

    return nats_url or given.nats_url or (settings.NATS_URL.value() if not (home or given.home) else None)


def _found_status(home: Path, address: str | None, key: str | None) -> ServerStatus:
    """Return what is known of the home's server; of one elsewhere, at this address, where that is not the home's."""
    from headwater.server.status import status as server_status
    from headwater.server.status import status_elsewhere

    if address is None:
        return server_status(home, key=key)
    of_home = server_status(home, key=key)
    return of_home if of_home.nats_url == address else status_elsewhere(address, key=key)


def _status_rows(found: ServerStatus, views: dict[str, Any] | None) -> list[tuple[str, str]]:
    def place(address: str, health: str | None) -> str:
        return address if health in {None, "ok"} else f"{address} {coloured(f'({health})', 'red')}"

    rows = [("Home", str(found.home))] if found.home is not None else []
    if found.http_url is not None:
        rows.append(("UI", found.http_url))
    if found.nats_url is not None:
        rows.append(("NATS", place(found.nats_url, found.nats)))
    if found.database_url is not None:
        rows.append(("Views in", place(found.database_url, found.database)))
    if found.pid is not None:
        rows.append(("PID", f"{found.pid}, version {found.version or 'not told yet'}"))
    if views is None:
        return rows
    if views.get("problem"):
        return [*rows, ("Views", coloured(str(views["problem"]), "red"))]
    behind = f"{views['lag']} commits behind" if views["lag"] else "up to date"
    rows.append(("Views", f"at position {views['position']}, {behind}"))
    if letters := views["set_aside_count"] + views["log_dead_letters"] + views["work_dead_letters"]:
        rows.append(("", coloured(f"{letters} dead letters; `headwater projections dead-letters list` names them", "yellow")))
    return rows


def _health_rows(health: ServerHealth | None) -> list[tuple[str, str]]:
    """Say whether the log takes writes, how much room it has, and which parts of the server are away."""
    from headwater.core.values.amounts import size_words

    if health is None:
        return []
    rows = [("", coloured(f"{part}: {why}", "red")) for part, why in health.problems.items() if not health.parts.get(part, True)]
    room = f"{size_words(health.log.free_bytes)} free where it is stored" if health.log.free_bytes is not None else ""
    limit = f"JetStream's limit is {size_words(health.log.limit_bytes)}" if health.log.limit_bytes is not None else ""
    if health.log.problem is not None:
        rows.append(("Log", coloured(f"takes no writes: {health.log.problem}", "red")))
        rows += [("", limit)] if limit else []
    else:
        rows.append(("Log", ", ".join(words for words in ("takes writes", room, limit) if words)))
    return rows


def _stream_rows(streams: Sequence[StreamSize]) -> list[tuple[str, str]]:
    """Say what the log holds, stream by stream."""
    from headwater.core.values.amounts import size_words, span_words

    rows = []
    for size in streams:
        limits = [size_words(size.bytes_max)] if size.bytes_max is not None else []
        limits += [span_words(size.age_seconds_max)] if size.age_seconds_max is not None else []
        since = f", since {size.first.astimezone():%Y-%m-%d %H:%M}" if size.first is not None else ""
        at_most = f" (at most {', '.join(limits)})" if limits else ""
        rows.append(
            (size.name, f"{size.messages} {'message' if size.messages == 1 else 'messages'}, {size_words(size.bytes)}{since}{at_most}")
        )
    return rows


def _views_streams_health(nats_url: str, key: str | None) -> tuple[dict[str, Any], tuple[StreamSize, ...] | None, ServerHealth | None]:
    """What the views say of themselves, or why they say nothing; what the log holds; how the server fares. None is what does not answer."""
    import anyio
    import msgspec

    from headwater.core.errors import HeadwaterError
    from headwater.core.log.health import ask_health
    from headwater.core.log.jetstream import open_log
    from headwater.core.queries.views_client import ViewsClient

    streams: tuple[StreamSize, ...] | None = None
    health: ServerHealth | None = None

    async def ask() -> dict[str, Any]:
        nonlocal streams, health
        async with open_log(nats_url, key=key, name="cli") as log:
            health = await ask_health(log)
            streams = await log.sizes()
            if health is None:
                return {"problem": "no server answers, so they cannot be asked: it starts, or it hangs"}
            if health.views_away is not None:
                return {"problem": health.views_away}
            answer: dict[str, Any] = msgspec.to_builtins(await ViewsClient(log).status())
            return answer

    try:
        return anyio.run(ask), streams, health
    except HeadwaterError as error:
        return {"problem": str(error)}, streams, health


@app.command(epilog=examples("headwater server stop"))
def stop(context: typer.Context, home: HomeOption = None) -> None:
    """Stop the server of this home, and all it started. Runs go on; their agents wait for the server to come back."""
    from headwater.server.status import stop as stop_server

    pid = stop_server(_home(context, home))
    print(f"Stopped (PID {pid}).")


def _home(context: typer.Context, home: str | None) -> Path:
    from headwater.core.program import settings

    chosen = home or given_options(context).home
    return settings.directory(chosen) if chosen else settings.HOME.value()
