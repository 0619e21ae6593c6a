"""`headwater set`: settings of a flow that hold for its runs from here on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import examples

if TYPE_CHECKING:
    from headwater.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True)

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")]
Project = Annotated[str, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")]
Limit = Annotated[str, typer.Argument(metavar="N", help="A number from 1, or `none`.")]


@app.callback()
def settings() -> None:
    """Set how the runs of a flow are executed."""


@app.command(epilog=examples("headwater set concurrency nightly-load 1 --project etl", "headwater set concurrency etl none -p nightly"))
def concurrency(context: typer.Context, flow: FlowName, limit: Limit, project: Project) -> None:
    """Let at most N runs of the flow be executed at once; others wait until one of them ends. `none` takes the limit away."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flows import find_flow
        from headwater.core.operations.slots import set_concurrency

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return (await set_concurrency(client.log.events, found.flow_group_id, number, client.author)).changed

    changed = with_client(context, work)
    words = "as many runs as come" if number is None else f"at most {number} {'run' if number == 1 else 'runs'}"
    print(f"{flow}: {words} at once{'' if changed else ', as before'}.")


@app.command("max-attempts", epilog=examples("headwater set max-attempts nightly-load 5 --project etl"))
def max_attempts(context: typer.Context, flow: FlowName, limit: Limit, project: Project) -> None:
    """Let new runs of the flow fail when N of their attempts were lost: their process died, or their agent. `none`: 3, as ever."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flows import find_flow, limit_attempts

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return (await limit_attempts(client.log.events, found.flow_group_id, number, client.author)).changed

    changed = with_client(context, work)
    words = "fail as runs of other flows do" if number is None else f"fail when {number} attempts were lost"
    print(f"{flow}: new runs {words}{'' if changed else ', as before'}.")


@app.command("queue-limit", epilog=examples("headwater set queue-limit 4 --label gpu", "headwater set queue-limit none --label gpu"))
def queue_limit(
    context: typer.Context,
    limit: Limit,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="A label of the runs; may repeat.")] = None,
) -> None:
    """Let at most N runs with exactly these labels be executed at once, over all agents. Without --label: runs without labels."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.queues import limit_queue

        return (await limit_queue(client.log.events, label or (), number, client.author)).changed

    changed = with_client(context, work)
    runs = f"runs with labels {', '.join(sorted(set(label)))}" if label else "runs without labels"
    words = "as many as agents take" if number is None else f"at most {number}"
    print(f"{runs}: {words} at once{'' if changed else ', as before'}.")


def _number(text: str) -> int | None:
    if text.lower() == "none":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither a number from 1 nor `none`.", param_hint="N")
    return int(text)
