"""Finding a schedule that a person names: by its flow, or by its flow and its own name behind a slash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from headwater.cli.lookup import is_uuid, with_latest_views
from headwater.command_lines import command_line
from headwater.core.errors import Ambiguous, HeadwaterError, InvalidArgument, NotFound, ViewsError
from headwater.core.operations.flow_lookup import flow_group
from headwater.core.operations.project_lookup import find_project, project
from headwater.core.program.settings import PROJECT
from headwater.core.queries.requests import ListFlows, ListSchedules
from headwater.core.values.identifiers import flow_group_id, schedule_id
from headwater.core.values.names import NAME_LENGTH_MAX

if TYPE_CHECKING:
    from headwater.core.queries.rows import ScheduleRow
    from headwater.sdk.client.async_client import AsyncClient


@dataclass(frozen=True)
class NamedSchedule:
    """A schedule as a person names it. It need not be there: a flow has one that is called so, once it is set."""

    group_id: str
    flow: str
    slug: str
    project: str

    @property
    def id(self) -> str:
        return schedule_id(self.group_id, self.slug)

    @property
    def called(self) -> str:
        """What commands call it."""
        return f"{self.flow}/{self.slug}" if self.slug else self.flow


def split_names(called: str) -> Iterator[tuple[str, str]]:
    """Yield what may be meant by FLOW/SLUG: flow and slug, the whole as the name of a flow first, since that may hold slashes itself."""
    yield called, ""
    for index in reversed(range(1, len(called) - 1)):
        if called[index] == "/":
            yield called[:index], called[index + 1 :]


async def find_schedule(client: AsyncClient, called: str, project_name: str | None) -> NamedSchedule:
    """Return the schedule that is meant by FLOW, FLOW/SLUG or an id, and is there.

    Raises:
        NotFound: there is no such project or flow, or it has no such schedule.
        Ambiguous: the flow has several, and none of them is its own one; or several projects have such a flow.

    """
    if is_uuid(called):
        return await _of_id(client, called)
    found = await find_flow_of(client, called, project_name)
    if await _exists(client, found):
        return found
    rows = await _schedules_of(client, found.group_id)
    if found.slug:
        listed = ", ".join(row.called for row in rows)
        raise NotFound("schedule", called, hint=f"Flow {found.flow!r} has {listed or 'no schedule'}.")
    if not rows:
        example = command_line("schedules set", found.flow, "0 6 * * MON-FRI", options=[("--project", found.project)])
        raise NotFound("schedule", called, hint=f"The flow has none; `{example}` gives it one.")
    if len(rows) > 1:
        listed = ", ".join(row.called for row in rows)
        raise Ambiguous(f"Flow {found.flow!r} has several schedules.", hint=f"Name one of them: {listed}.")
    return NamedSchedule(found.group_id, found.flow, rows[0].slug, found.project)


async def find_flow_of(client: AsyncClient, called: str, project_name: str | None) -> NamedSchedule:
    """Return the schedule that is meant by FLOW or FLOW/SLUG, of a flow that is there; the schedule need not be.

    Raises:
        NotFound: there is no such project or flow.
        Ambiguous: several projects have such a flow.

    """
    name = project_name or PROJECT.value()
    if name is None:
        return await _in_any_project(client, called)
    project_id = await find_project(client.log.events, name)
    for flow, slug in split_names(called):
        if not flow.strip() or len(flow) > NAME_LENGTH_MAX:
            continue
        group_id = flow_group_id(project_id, flow)
        group = await flow_group(client.log.events, group_id).refresh()
        if group.versions and not group.deleted:
            return NamedSchedule(group_id, flow, slug, name)
    raise await _no_such_flow(client, called, name)


async def _in_any_project(client: AsyncClient, called: str) -> NamedSchedule:
    for flow, slug in split_names(called):
        query = ListFlows(name=flow, include_archived=True)
        rows = await with_latest_views(client, lambda views, at_least, query=query: views.flows(query, at_least=at_least))  # type: ignore[misc]
        if len(rows) > 1:
            listed = ", ".join(repr(row.project_name) for row in rows)
            raise Ambiguous(f"Several projects have a flow {flow!r}: {listed}.", hint="Say which one with --project.")
        if rows:
            return NamedSchedule(rows[0].flow_group_id, flow, slug, rows[0].project_name)
    raise await _no_such_flow(client, called, None)


async def _of_id(client: AsyncClient, wanted: str) -> NamedSchedule:
    state = (await client.headwater.schedules.load(wanted)).state
    assert state.definition is not None
    definition = state.definition
    flow = await flow_group(client.log.events, definition.flow_group_id).refresh()
    owner = await project(client.log.events, definition.project_id).refresh()
    return NamedSchedule(definition.flow_group_id, flow.name, definition.slug, owner.name)


async def _exists(client: AsyncClient, named: NamedSchedule) -> bool:
    return (await client.headwater.schedules.of(named.id).refresh()).exists


async def _schedules_of(client: AsyncClient, group_id: str) -> list[ScheduleRow]:
    """Return the schedules of the flow; none where the views, which alone know them all, do not answer."""
    query = ListSchedules(flow_group_ids=(group_id,))
    try:
        return await with_latest_views(client, lambda views, at_least: views.schedules(query, at_least=at_least))
    except ViewsError:
        return []


async def _no_such_flow(client: AsyncClient, called: str, project_name: str | None) -> HeadwaterError:
    """Return the error that says so, with the names that are like it."""
    try:
        rows = await client.views.flows(ListFlows(project=project_name, limit=None))
    except (ViewsError, InvalidArgument):
        rows = []
    names = {row.name for row in rows}
    near = get_close_matches(called, names, n=3) or get_close_matches(called.partition("/")[0], names, n=3)
    suggestion = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    options = [] if project_name is None else [("--project", project_name)]
    return NotFound("flow", called, hint=f"{suggestion}`{command_line('get flows', options=options)}` lists flows.")
