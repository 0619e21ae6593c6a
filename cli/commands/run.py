"""`headwater run`: create a run and watch it, or run a flow here; and the older form `headwater run flow`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import echo_stderr, examples, progress, warn
from headwater.cli.run_options import FlowSelector, RunOptions, create_run, find_flow_version, print_created

if TYPE_CHECKING:
    from headwater.core.operations.run_creation import CreatedRun
    from headwater.sdk.client.async_client import AsyncClient

Label = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="Labels of the run, instead of the flow's; may repeat.")
]
RunName = Annotated[str | None, typer.Option("--run-name", "-rn", metavar="NAME", help="The run's name; two words are chosen otherwise.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show states and log lines as they come, until the run ends.")]

_WARNING_SECONDS = 3.0
"""How long the command waits at most for views that lag, to warn of a run that no agent takes."""

app = typer.Typer(add_completion=False)


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "headwater run --name hello-flow --project tutorial --watch",
        "headwater run -n etl --param day=2026-11-21 --param retries=3 --scheduled-at 2026-11-22T06:00",
        "headwater run --path hello_flow.py",
    ),
)
def run(
    context: typer.Context,
    *,
    flow_id: Annotated[
        str | None, typer.Option("--id", "-i", metavar="ID", help="The id of a flow version, or of a flow: its newest version.")
    ] = None,
    project: Annotated[str | None, typer.Option("--project", metavar="NAME", help="The flow's project.")] = None,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="The flow's name.")] = None,
    path: Annotated[
        Path | None, typer.Option("--path", "-p", metavar="FILE", help="Run the flow of this file here, without a server.")
    ] = None,
    module: Annotated[
        str | None, typer.Option("--module", "-m", metavar="MODULE", help="Run the flow of this module here, without a server.")
    ] = None,
    label: Label = None,
    run_name: RunName = None,
    context_values: Annotated[
        list[str] | None, typer.Option("--context", metavar="NAME=JSON", help="A value of the run's context; may repeat.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=JSON", help="A parameter; bare words need no quotes; may repeat.")
    ] = None,
    param_file: Annotated[Path | None, typer.Option("--param-file", metavar="FILE", help="A JSON file of parameters.")] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", metavar="LEVEL", help="The level from which the run logs.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", metavar="KEY", help="The same key names the same run.")
    ] = None,
    scheduled_at: Annotated[
        str | None,
        typer.Option(
            "--scheduled-at", metavar="TIME", help="When the run is due; now by default. Without a zone it is this machine's time."
        ),
    ] = None,
    max_attempts: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="So many lost attempts fail the run; 3 unless the flow says otherwise.")
    ] = None,
    execute: Annotated[bool, typer.Option("--execute", help="Execute the run in this terminal, so that no other agent is needed.")] = False,
    watch: Watch = False,
    no_logs: Annotated[bool, typer.Option("--no-logs", help="With --watch: show states only.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the run's id alone.")] = False,
) -> None:
    """Create a run of a flow; an agent executes it.

    Name the flow by --id, by --name with --project, or by --name alone where only one project has it. With --path or --module the flow
    runs right here, and no server is asked.
    """
    if context.invoked_subcommand is not None:
        return
    from headwater.cli.values import echoed, parameters_from, parsed_pairs, parsed_time

    ways = [flow_id is not None, path is not None, module is not None, name is not None and path is None and module is None]
    if sum(ways) != 1 or (flow_id is not None and (name or project)) or (project is not None and (path or module)):
        context.fail("Say which flow in one way: --id; --name, with or without --project; --path or --module, with or without --name.")
    level = _level(log_level)
    values = {**(parameters_from(param_file) if param_file is not None else {}), **parsed_pairs(param or [], option="--param")}
    contexts = parsed_pairs(context_values or [], option="--context")
    if path is not None or module is not None:
        _refuse_with_local(
            context,
            label=label,
            run_name=run_name,
            idempotency_key=idempotency_key,
            scheduled_at=scheduled_at,
            max_attempts=max_attempts,
            watch=watch,
            execute=execute,
        )
        from headwater.cli.commands.run_local import run_local

        raise typer.Exit(run_local(path=path, module=module, name=name, parameters=values, context=contexts, level=level))
    due_at = None if scheduled_at is None else parsed_time(scheduled_at, option="--scheduled-at")
    if due_at is not None and not quiet:
        echo_stderr(echoed("The run is due at", due_at))
    options = RunOptions(
        parameters=values,
        context=contexts,
        labels=label,
        name=run_name,
        level=level,
        idempotency_key=idempotency_key,
        due_at=due_at,
        attempts_max=max_attempts,
    )
    selector = FlowSelector(flow_id=flow_id, project=project, name=name)
    if execute:
        from headwater.cli.commands.run_with_own_agent import run_with_own_agent

        raise typer.Exit(run_with_own_agent(context, selector, options, quiet=quiet, logs=not no_logs))
    created = with_client(context, lambda client: _create(client, selector, options, quiet=quiet))
    if watch:
        from headwater.cli.watch import watch_to_the_end

        raise typer.Exit(watch_to_the_end(context, created.run_id, logs=not no_logs, quiet=quiet))


@app.command("flow", epilog=examples("headwater run flow --name hello-flow --project tutorial", "headwater run flow --id ID --watch"))
def run_flow(
    context: typer.Context,
    *,
    flow_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="The id of a flow version.")] = None,
    version_group_id: Annotated[
        str | None, typer.Option("--version-group-id", metavar="ID", help="The id of a flow: its newest version.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="The flow's name.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")] = None,
    version: Annotated[int | None, typer.Option("--version", "-v", metavar="N", help="This version, if it still takes runs.")] = None,
    parameters_file: Annotated[
        Path | None, typer.Option("--parameters-file", "-pf", metavar="FILE", help="A JSON file of parameters.")
    ] = None,
    parameters_string: Annotated[
        str | None, typer.Option("--parameters-string", "-ps", metavar="JSON", help="Parameters as a JSON object.")
    ] = None,
    run_name: RunName = None,
    context_string: Annotated[str | None, typer.Option("--context", "-c", metavar="JSON", help="Context values as a JSON object.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", metavar="LABEL", help="Labels of the run, instead of the flow's.")] = None,
    watch: Watch = False,
    logs: Annotated[bool, typer.Option("--logs", "-l", help="With --watch: show log lines too.")] = False,
    no_url: Annotated[bool, typer.Option("--no-url", help="Print the run's id instead of its address.")] = False,
) -> None:
    """Create a run of a flow and print the address of its page: the older form of `headwater run`."""
    from headwater.cli.values import parameters_from, parsed_object

    if sum(each is not None for each in (flow_id, version_group_id, name)) != 1:
        context.fail("Say which flow in one way: --id, --version-group-id, or --name with --project.")
    values = parameters_from(parameters_file) if parameters_file is not None else {}
    if parameters_string is not None:
        values |= parsed_object(parameters_string, source="--parameters-string")
    options = RunOptions(
        parameters=values,
        context={} if context_string is None else parsed_object(context_string, source="--context"),
        labels=label,
        name=run_name,
    )
    selector = FlowSelector(flow_id=flow_id or version_group_id, project=project, name=name, version=version)

    async def work(client: AsyncClient) -> tuple[CreatedRun, str]:
        _, created = await create_run(client, selector, options)
        return created, client.run_url(created.run_id)

    created, url = with_client(context, work)
    print(f"Flow Run: {created.run_id if no_url else url}")
    if watch:
        from headwater.cli.watch import watch_to_the_end

        raise typer.Exit(watch_to_the_end(context, created.run_id, logs=logs, quiet=False))


async def _create(client: AsyncClient, selector: FlowSelector, options: RunOptions, *, quiet: bool) -> CreatedRun:
    if quiet:
        _, created = await create_run(client, selector, options)
        print(created.run_id, flush=True)
        return created
    with progress("Looking up flow metadata..."):
        version = await find_flow_version(client, selector)
    with progress(f"Creating run for flow {version.name!r}..."):
        created = await client.create_run(version.flow_id, options.request(version))
    if not created.new:
        echo_stderr("A run with this idempotency key was there already; this is it.")
    print_created(created, client.run_url(created.run_id))
    await _warn_if_no_agent_takes(client, created)
    return created


async def _warn_if_no_agent_takes(client: AsyncClient, created: CreatedRun) -> None:
    import anyio

    from headwater.cli.agent_matching import no_agent_words

    with anyio.move_on_after(_WARNING_SECONDS):
        words = await no_agent_words(client, created.labels)
        if words is not None:
            warn(words)


def _level(level: str | None) -> str | None:
    from headwater.core.program.settings import LOG_LEVELS

    if level is not None and level.upper() not in LOG_LEVELS:
        raise typer.BadParameter(f"{level!r} is not a level; the levels are {', '.join(LOG_LEVELS)}.", param_hint="--log-level")
    return None if level is None else level.upper()


def _refuse_with_local(context: typer.Context, **options: Any) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if given:
        context.fail(f"{', '.join(given)} mean{'s' if len(given) == 1 else ''} nothing with --path or --module: no run is created.")
