"""Finding what a person names: a run by its id or name, views as new as the log where they can be had."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from headwater.cli.output import warn
from headwater.core.errors import Ambiguous, NotFound, ViewsBehind
from headwater.core.operations.project_lookup import find_project
from headwater.core.queries.requests import ListFlows, ListRuns
from headwater.core.queries.rows import FlowRow
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import flow_version_id, split_flow_id

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

Answer = TypeVar("Answer")

_STEP_SECONDS = 3.0
"""How long a listing waits for the views before it looks whether they move at all."""
_STEPS = 10


async def with_latest_views(client: AsyncClient, ask: Callable[[ViewsClient, int], Awaitable[Answer]]) -> Answer:
    """Ask the views, once they show everything that the log holds now.

    Where they lag it says so: it waits (at most half a minute) while they come nearer, and takes what they have when they stand still.

    Raises:
        ViewsUnavailable: no server answers.

    """
    tail = await client.log.events.tail()
    views = ViewsClient(client.log, wait_seconds=_STEP_SECONDS)
    reached = -1
    for step in range(_STEPS):
        try:
            return await ask(views, tail.position)
        except ViewsBehind as behind:
            if behind.reached <= reached:
                break
            reached = behind.reached
            if step == 0:
                warn(f"The views lag behind the log: they show position {behind.reached} of {behind.asked}. Waiting for them.")
    warn(f"The views still lag behind the log: they show position {reached} of {tail.position}.")
    return await ask(views, 0)


async def find_run_id(client: AsyncClient, run: str) -> str:
    """Return the id of the run that is meant by an id or a name.

    Raises:
        NotFound: no run has this name.
        Ambiguous: several have; the hint lists them.
        ViewsUnavailable: a name was given, and the views, which alone know names, do not answer.

    """
    if is_uuid(run):
        return str(UUID(run))
    found = await with_latest_views(client, lambda views, at_least: views.runs(ListRuns(name=run, limit=6), at_least=at_least))
    if not found:
        raise NotFound("run", run, hint="`headwater get flow-runs` lists runs with their ids.")
    if len(found) > 1:
        listed = "".join(f"\n  {row.id}  {row.flow_name}  {row.state}" for row in found[:5])
        raise Ambiguous(f"Several runs are called {run!r}.", hint=f"Give the id of the one you mean:{listed}")
    return found[0].id


def is_uuid(text: str) -> bool:
    """Tell whether the text is an id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


async def find_flow_row(client: AsyncClient, flow: str, *, version: int | None, project: str | None) -> FlowRow:
    """Return the flow version that is meant by a name or an id; without a version the newest, archived only if none other is there.

    Raises:
        NotFound: no flow has this name or id, or it has no such version.
        Ambiguous: several projects have such a flow.
        ViewsUnavailable: the views do not answer.

    """
    if is_uuid(flow):
        group_id, number = split_flow_id(flow)
        wanted = version or number or None
        if wanted is None:
            return await with_latest_views(client, lambda views, at_least: views.flow(flow, at_least=at_least))
        flow_id = flow_version_id(group_id, wanted)
        return await with_latest_views(client, lambda views, at_least: views.flow(flow_id, at_least=at_least))
    found = await with_latest_views(
        client,
        lambda views, at_least: views.flows(
            ListFlows(name=flow, project=project, version=version, include_archived=version is None), at_least=at_least
        ),
    )
    if not found:
        if project is not None:
            await find_project(client.log.events, project)
        wanted_version = "" if version is None else f" (version {version})"
        raise NotFound("flow", f"{flow}{wanted_version}", hint="`headwater get flows --all-versions` lists flows and their versions.")
    return one_of_several_projects(flow, found)


def one_of_several_projects(flow: str, found: Sequence[FlowRow]) -> FlowRow:
    """Return the only one.

    Raises:
        Ambiguous: there are several.

    """
    if len(found) > 1:
        listed = ", ".join(repr(row.project_name) for row in found)
        raise Ambiguous(f"Several projects have a flow {flow!r}: {listed}.", hint="Say which one with --project, or give an id with --id.")
    return found[0]
