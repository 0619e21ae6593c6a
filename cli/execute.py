"""`headwater run --execute`: an agent for this one run, in this terminal, which ends with it."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from typing import TYPE_CHECKING

from headwater.cli.connection import connection, with_client
from headwater.cli.output import coloured, say, step

if TYPE_CHECKING:
    import typer

    from headwater.cli.run_wish import FlowChoice, RunWish
    from headwater.core.rules.run import Run
    from headwater.sdk.client.async_client import AsyncClient

LABEL_PREFIX = "agentless-run-"


def execute_here(context: typer.Context, choice: FlowChoice, wish: RunWish, *, quiet: bool, logs: bool) -> int:
    """Create the run, execute it with an agent of its own, and return 0 where it succeeded, else 1.

    The run bears one label only, which no other agent has: it is nobody else's, also where this process dies.
    """
    from headwater.agents.console import LOGGER_NAME
    from headwater.agents.local import LocalAgent
    from headwater.core.states import SUCCESSFUL

    label = f"{LABEL_PREFIX}{secrets.token_hex(4)}"
    settings = connection(context)
    agent = LocalAgent(
        name=label, labels=[label], hostname_label=False, limit=1, log_level=wish.level, key=settings.key, nats_url=settings.nats_url
    )
    # The terminal is for the run; its agent speaks up only when something is wrong.
    logging.getLogger(LOGGER_NAME).setLevel(logging.ERROR)
    created: list[str] = []

    async def work(client: AsyncClient) -> Run:
        import anyio

        async with anyio.create_task_group() as group:
            run_id = await _create(client, choice, dataclasses.replace(wish, labels=[label]), quiet=quiet)
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
    """Cancel the run that is left: nobody else could ever take it."""
    with_client(context, lambda client: client.cancel_flow_run(run_id, "Interrupted in the terminal that executed it."))


async def _create(client: AsyncClient, choice: FlowChoice, wish: RunWish, *, quiet: bool) -> str:
    from headwater.cli.run_wish import create_wished, find_flow_version, print_created

    if quiet:
        _, created = await create_wished(client, choice, wish)
        print(created.run_id, flush=True)
        return created.run_id
    with step("Looking up flow metadata..."):
        version = await find_flow_version(client, choice)
    with step(f"Creating run for flow {version.name!r}..."):
        created = await client.create_run(version.flow_id, wish.request(version))
    print_created(created, client.run_url(created.run_id))
    say("Executing flow run...")
    return created.run_id


async def _watch(client: AsyncClient, run_id: str, *, quiet: bool, logs: bool) -> Run:
    from headwater.cli.watch import RunLine, RunWatch, print_line

    def show(line: RunLine) -> None:
        if not quiet:
            print_line(line)

    return await RunWatch(client, run_id, show, logs=logs).watch()
