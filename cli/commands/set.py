"""`headwater set`: settings of a flow that hold for its runs from here on, and states of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import echo_stderr, examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headwater.core.aggregates import CommandResult
    from headwater.core.runs.state import Run
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True)

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")]
Project = Annotated[str, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")]
Limit = Annotated[str, typer.Argument(metavar="N", help="A number from 1, or `none`.")]

_NUMBER_DIGITS_MAX = 9
"""More than anybody runs at once, and less than what the views cannot hold."""


@app.callback()
def settings() -> None:
    """Set what a flow is for, what its runs get, and how they are executed; set states of runs manually."""


@app.command(epilog=examples("headwater set concurrency nightly-load 1 --project etl", "headwater set concurrency etl none -p nightly"))
def concurrency(context: typer.Context, flow: FlowName, limit: Limit, project: Project) -> None:
    """Let at most N runs of the flow be executed at once; others wait until one of them ends. `none` takes the limit away."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flow_lookup import find_flow

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return (await client.headwater.slots.limit(found.flow_group_id, number)).changed

    changed = with_client(context, work)
    words = "as many runs as come" if number is None else f"at most {number} {'run' if number == 1 else 'runs'}"
    print(f"{flow}: {words} at once{'' if changed else ', as before'}.")


@app.command("max-attempts", epilog=examples("headwater set max-attempts nightly-load 5 --project etl"))
def max_attempts(context: typer.Context, flow: FlowName, limit: Limit, project: Project) -> None:
    """Let new runs of the flow fail when N of their attempts were lost: their process died, or their agent. `none`: 3, the default."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flow_lookup import find_flow

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return (await client.headwater.flows.limit_attempts(found.flow_group_id, number)).changed

    changed = with_client(context, work)
    words = "fail as runs of other flows do" if number is None else f"fail when {number} attempts were lost"
    print(f"{flow}: new runs {words}{'' if changed else ', as before'}.")


@app.command(epilog=examples("headwater set description nightly-load 'Loads the orders of the day.' --project etl"))
def description(
    context: typer.Context,
    flow: FlowName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the flow is for; an empty text takes the description away.")],
    project: Project,
) -> None:
    """Say what a flow is for, over all its versions."""

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flow_lookup import find_flow

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return await client.describe_flow(found.flow_id, text)

    changed = with_client(context, work)
    print(f"{flow}: {'described' if text else 'no description'}{'' if changed else ', as before'}.")


@app.command(
    epilog=examples("headwater set labels nightly-load gpu linux --project etl", "headwater set labels nightly-load --reset --project etl")
)
def labels(
    context: typer.Context,
    *,
    flow: FlowName,
    label: Annotated[list[str] | None, typer.Argument(metavar="[LABEL]...", help="The labels; none at all: runs without labels.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Those again that each version was registered with.")] = False,
    project: Project,
) -> None:
    """Give new runs of a flow these labels, whatever it was registered with; a run may still be given others."""
    if reset and label:
        context.fail("--reset takes the labels away that were set; name none with it.")

    async def work(client: AsyncClient) -> bool:
        from headwater.core.operations.flow_lookup import find_flow

        found = await find_flow(client.log.events, project_name=project, name=flow)
        return await client.set_flow_labels(found.flow_id, None if reset else label or [])

    changed = with_client(context, work)
    listed = f"labels {', '.join(sorted(set(label)))}" if label else "no labels"
    print(f"{flow}: new runs get {'the labels of their version' if reset else listed}{'' if changed else ', as before'}.")


@app.command(
    "default-parameters",
    epilog=examples(
        "headwater set default-parameters nightly-load --param day=yesterday --project etl",
        "headwater set default-parameters nightly-load --unset day --project etl",
    ),
)
def default_parameters(
    context: typer.Context,
    *,
    flow: FlowName,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter and its value, JSON or a bare word; may repeat.")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="A parameter that gets the version's default again; may repeat.")
    ] = None,
    project: Project,
) -> None:
    """Give new runs of a flow these values where they are not given others. What was set before and is not named stays."""
    if not param and not unset:
        context.fail("Say what to set with --param NAME=VALUE, or what to take away with --unset NAME.")

    async def work(client: AsyncClient) -> tuple[bool, Mapping[str, Any]]:
        from headwater.cli.values import parsed_pairs
        from headwater.core.errors import InvalidParameters
        from headwater.core.operations.flow_lookup import find_flow, flow_group

        given = parsed_pairs(param or (), option="--param")
        found = await find_flow(client.log.events, project_name=project, name=flow)
        before = (await flow_group(client.log.events, found.flow_group_id).refresh()).default_parameters
        for name in unset or ():
            if name not in before:
                raise InvalidParameters(f"No default is set for {name!r}.", hint=f"Set are: {', '.join(before) or 'none'}.")
        after = {name: value for name, value in before.items() if name not in (unset or ())} | given
        return await client.set_flow_default_parameters(found.flow_id, after), after

    changed, after = with_client(context, work)
    listed = ", ".join(f"{name}={value!r}" for name, value in after.items())
    print(f"{flow}: new runs get {listed or 'the defaults of their version'}{'' if changed else ', as before'}.")


@app.command("queue-limit", epilog=examples("headwater set queue-limit 4 --label gpu", "headwater set queue-limit none --label gpu"))
def queue_limit(
    context: typer.Context,
    limit: Limit,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="A label of the runs; may repeat.")] = None,
) -> None:
    """Let at most N runs with exactly these labels be executed at once, over all agents. Without --label: runs without labels."""
    number = _number(limit)

    async def work(client: AsyncClient) -> bool:

        return (await client.headwater.queues.limit(label or (), number)).changed

    changed = with_client(context, work)
    runs = f"runs with labels {', '.join(sorted(set(label)))}" if label else "runs without labels"
    words = "as many as agents take" if number is None else f"at most {number}"
    print(f"{runs}: {words} at once{'' if changed else ', as before'}.")


@app.command(
    epilog=examples(
        "headwater set state quiet-heron Success --reason 'loaded manually'",
        "headwater set state quiet-heron Skipped --task 'load[3]' --reason 'this page is empty'",
    )
)
def state(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name; or the id of a task run, instead of --task.")],
    state: Annotated[
        str, typer.Argument(metavar="STATE", help="Success, Failed, Cancelled or Scheduled; of a task run also Skipped, Pending, Resume.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")],
    task: Annotated[
        str | None, typer.Option("--task", metavar="NAME", help="Of this task, by name or slug, instead; NAME[3] is a mapped child.")
    ] = None,
    result: Annotated[
        str | None, typer.Option("--result", metavar="JSON", help="With --task and Success: what tasks find that take its value.")
    ] = None,
) -> None:
    """Set the state of a run, or of one of its task runs, manually. While an agent executes the run, it can only be cancelled."""
    from headwater.cli.task_run_lookup import task_run_of_id

    named = task_run_of_id(run) if task is None else None
    if named is not None:
        task = named[1] if named[2] < 0 else f"{named[1]}[{named[2]}]"
    if result is not None and task is None:
        raise typer.BadParameter("Only a task run has a result: give --task.", param_hint="--result")
    value = None if result is None else _json(result)

    async def work(client: AsyncClient) -> tuple[str, CommandResult[Run]]:
        from headwater.cli.lookup import find_run_id
        from headwater.core.runs.inline_result import inline_result

        run_id = named[0] if named is not None else await find_run_id(client, run)
        runs = client.headwater.runs
        if task is None:
            return run_id, await runs.set_state(run_id, state, reason=reason)
        given = None if result is None else inline_result(value)
        if named is not None:
            _, slug, index = named
            return run_id, await runs.set_task_run_state(run_id, slug, state, map_index=index, reason=reason, result=given)
        return run_id, await runs.set_task_run_state(run_id, task, state, reason=reason, result=given)

    run_id, outcome = with_client(context, work)
    after = outcome.state
    if outcome.commit is None:
        print(f"{after.name} ({run_id}): {'it' if task is None else task} was in this state already.")
        return
    what = f"is {after.state} now" if task is None else f"{task} was set to {state}; the run is {after.state}"
    print(f"{after.name} ({run_id}): {what}.")
    if task is not None and after.ended:
        echo_stderr(
            f"hint: `headwater restart {run_id}` goes on from there, `headwater set state {run_id} STATE` sets the run's own state."
        )


def _json(text: str) -> Any:
    from headwater.core.values.plain_values import NotPlain, decoded, shortened

    try:
        return decoded(text)
    except NotPlain as error:
        words = f"{shortened(text)!r} is not JSON: {error}. Texts need quotes of their own."
        raise typer.BadParameter(words, param_hint="--result") from error


def _number(text: str) -> int | None:
    if text.lower() == "none":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX and int(text)):
        raise typer.BadParameter(f"{text!r} is neither a number from 1 nor `none`.", param_hint="N")
    return int(text)
