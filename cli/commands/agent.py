"""`headwater agent ...`: starting agents."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.connection import connection, given_options
from headwater.cli.output import examples
from headwater.core.errors import InvalidArgument

app = typer.Typer(add_completion=False, no_args_is_help=True)
local = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(local, name="local", help="Agents that execute runs as processes on this machine.")


@app.callback()
def agent() -> None:
    """Start agents, which execute runs."""


@local.callback()
def local_agents() -> None:
    """Agents that execute runs as processes on this machine."""


@local.command(
    epilog=examples(
        "headwater agent local start",
        "headwater agent local start --name nights --label gpu --label night --limit 4",
        "headwater agent local start --no-hostname-label --env STAGE=production --show-flow-logs",
    )
)
def start(
    context: typer.Context,
    *,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="The agent's name; this machine's by default.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="A label: runs are taken whose labels it has; may repeat.")
    ] = None,
    hostname_label: Annotated[
        bool, typer.Option("--hostname-label/--no-hostname-label", help="Whether this machine's name is one of its labels.")
    ] = True,
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", metavar="NAME=VALUE", help="An environment variable for its runs; may repeat.")
    ] = None,
    import_path: Annotated[
        list[str] | None, typer.Option("--import-path", "-p", metavar="DIR", help="A folder its runs can import from; may repeat.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="How many runs at once; as many as come by default.", show_default=False),
    ] = None,
    spares: Annotated[
        int | None,
        typer.Option(
            "--spares",
            metavar="N",
            min=0,
            help="How many processes are kept ready for runs; by default twice the processors.",
            show_default=False,
        ),
    ] = None,
    show_flow_logs: Annotated[bool, typer.Option("--show-flow-logs", "-f", help="Show what runs log and print.")] = False,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="The agent's and its runs' level: DEBUG, INFO, WARNING or ERROR.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", "-k", metavar="KEY", help="The server's key. [env: HEADWATER_KEY]")] = None,
    token: Annotated[str | None, typer.Option("--token", "-t", metavar="KEY", help="The same as --key.")] = None,
) -> None:
    """Start an agent that executes runs on this machine.

    Ctrl-C lets what runs finish and then stops it; a second Ctrl-C hands the runs back to other agents.
    """
    from headwater.agents.local import LocalAgent

    if key is not None and token is not None and key != token:
        raise InvalidArgument("--key and --token are two words for one thing, and differ.", hint="Give one of them.")
    if key or token:
        given_options(context).key = key or token
    settings = connection(context)
    LocalAgent(
        name=name,
        labels=label or (),
        hostname_label=hostname_label,
        env=_variables(env or []),
        import_paths=import_path or (),
        limit=limit,
        spares=spares,
        show_flow_logs=show_flow_logs,
        log_level=log_level,
        key=settings.key,
        # Where the home's server says where it is, it may be elsewhere later: the agent is to ask it again.
        nats_url=None if settings.found_in_home else settings.nats_url,
        home=settings.home if settings.found_in_home else None,
    ).start()


def _variables(pairs: list[str]) -> dict[str, str]:
    variables = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidArgument(f"--env takes NAME=VALUE, and {pair!r} is not that.", hint="Such as --env STAGE=production.")
        variables[name] = value
    return variables
