"""`headwater run --execute`: an agent for this one run, in this terminal, which ends with it."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from typing import TYPE_CHECKING

from headwater.cli.connection import connection, with_client
from headwater.cli.output import coloured, echo_stderr, progress

if TYPE_CHECKING:
    import typer

    from headwater.cli.run_options import FlowSelector, RunOptions
    from headwater.core.runs.state import Run
    from headwater.sdk.client.async_client import AsyncClient

LABEL_PREFIX = "agentless-run-"


def run_with_own_agent(context: typer.Context, selector: FlowSelector, options: RunOptions, *, quiet: bool, logs: bool) -> int:
    """Create the run, execute it with an agent of its own, and return 0 where it succeeded, else 1.

    The run has one label only, which no other agent has: no other agent takes it, also where this process dies.
    """
    from headwater.agents.agent.console import LOGGER_NAME
    from headwater.agents.local import LocalAgent
    from headwater.core.states import SUCCESSFUL

    label = f"{LABEL_PREFIX}{secrets.token_hex(4)}"
    settings = connection(context)
    agent = LocalAgent(
        name=label, labels=[label], hostname_label=False, limit=1, log_level=options.level, key=settings.key, nats_url=settings.nats_url
    )
    # The terminal is for the run; its agent speaks up only when something is wrong.
    logging.getLogger(LOGGER_NAME).setLevel(logging.ERROR)
    created: list[str] = []

    async def work(client: AsyncClient) -> Run:
        import anyio

        async with anyio.create_task_group() as group:
            run_id = await _create(client, selector, dataclasses.replace(options, labels=[label]), quiet=quiet)
            created.append(run_id)
            await group.start(agent.serve)
            ended = await _watch(client, run_id, quiet=quiet, logs=logs)
            group.cancel_scope.cancel()
        return ended

    try:
        # The agent ends the run's processes first, and that takes its grace.
        ended = with_client(context, work, ends_within=None)
    except KeyboardInterrupt:
        for run_id in created:
            _cancel(context, run_id)
        raise
    succeeded = ended.state in SUCCESSFUL
    if not quiet:
        print(coloured("Flow run succeeded!" if succeeded else "Flow run failed!", "green" if succeeded else "red"))
    return 0 if succeeded else 1


def _cancel(context: typer.Context, run_id: str) -> None:
    """Cancel the run that is left: no other agent could ever take it."""
    with_client(context, lambda client: client.cancel_flow_run(run_id, "Interrupted in the terminal that executed it."))


async def _create(client: AsyncClient, selector: FlowSelector, options: RunOptions, *, quiet: bool) -> str:
    from headwater.cli.run_options import create_run, find_flow_version, print_created

    if quiet:
        _, created = await create_run(client, selector, options)
        print(created.run_id, flush=True)
        return created.run_id
    with progress("Looking up flow metadata..."):
        version = await find_flow_version(client, selector)
    with progress(f"Creating run for flow {version.name!r}..."):
        created = await client.create_run(version.flow_id, options.request(version))
    print_created(created, client.run_url(created.run_id))
    echo_stderr("Executing flow run...")
    return created.run_id


async def _watch(client: AsyncClient, run_id: str, *, quiet: bool, logs: bool) -> Run:
    from headwater.cli.watch import RunLine, RunWatch, print_line

    def show(line: RunLine) -> None:
        if not quiet:
            print_line(line)

    return await RunWatch(client, run_id, show, logs=logs).watch()
