"""What people do with buttons: the same operations as everywhere else. Each ends with the page that shows what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headwater.core.errors import InvalidArgument
from headwater.core.log.commit import Position
from headwater.core.operations.run_creation import RunRequest
from headwater.core.runs.parameters import with_defaults
from headwater.core.values.identifiers import split_flow_id
from headwater.core.values.labels import label_set
from headwater.web.app_state import headwater_of, seen_cookie, site_of
from headwater.web.request_checks import checked_form
from headwater.web.run_form import chosen_labels, default_parameters, run_request
from headwater.web.task_run_addresses import task_run_page_path

_SEEN_SECONDS = 60


def redirect(request: Request, address: str, position: Position) -> Response:
    """Send the browser on, and remember what it wrote, so that the next page shows it."""
    response = RedirectResponse(address, status_code=303)
    if position:
        response.set_cookie(seen_cookie(request), str(position), max_age=_SEEN_SECONDS, httponly=True, samesite="strict")
    return response


def text(form: Mapping[str, Any], name: str) -> str:
    """Return what is in a field, without the space around it."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _run_address(run_id: str) -> str:
    return f"/default/flow-run/{quote(run_id, safe='')}"


async def new_project(request: Request) -> Response:
    """Create a project and show it."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    change = await headwater_of(request).projects.create(text(form, "name"), description=text(form, "description"))
    return redirect(request, f"/?project={change.project_id}", change.position)


async def change_project(request: Request) -> Response:
    """Rename and describe a project."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    project_id = request.path_params["project_id"]
    renamed = await headwater_of(request).projects.rename(project_id, text(form, "name"))
    described = await headwater_of(request).projects.describe(project_id, text(form, "description"))
    return redirect(request, "/default/projects", max(renamed.position, described.position))


async def remove_project(request: Request) -> Response:
    """Delete a project whose name was written to confirm it."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    project_id = request.path_params["project_id"]
    name = (await site.headwater.projects.aggregate(project_id).refresh()).name
    if name and text(form, "confirm") != name.strip():
        raise InvalidArgument(
            f"The project was not deleted: its name {name!r} was not written to confirm it.", hint="Go back and try again."
        )
    change = await headwater_of(request).projects.delete(project_id)
    return redirect(request, "/default/projects", change.position)


async def quick_run(request: Request) -> Response:
    """Create a run with the flow's defaults and go to its page."""
    site = site_of(request)
    await checked_form(request, site.token)
    created = await headwater_of(request).runs.create(request.path_params["flow_id"], RunRequest())
    return redirect(request, _run_address(created.run_id), created.position)


async def run(request: Request) -> Response:
    """Create a run as the form asks and go to its page."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    version = await site.headwater.catalogue.version(request.path_params["flow_id"])
    group = await site.headwater.catalogue.group(version.flow_group_id)
    wanted = run_request(form, with_defaults(version.parameters, group.default_parameters))
    created = await headwater_of(request).runs.create(version.flow_id, wanted)
    return redirect(request, _run_address(created.run_id), created.position)


async def remove_flow(request: Request) -> Response:
    """Delete a flow and show the others."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    group_id, _ = split_flow_id(request.path_params["flow_id"])
    outcome = await headwater_of(request).flows.delete(group_id, reason=text(form, "reason"))
    return redirect(request, "/default/flows", outcome.position)


async def limit_flow(request: Request) -> Response:
    """Set how many runs of a flow are executed at once, and how often a run may lose its attempt."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    group_id, _ = split_flow_id(request.path_params["flow_id"])
    at_once, attempts = _whole_number(form, "concurrency"), _whole_number(form, "attempts_max")
    limited = await headwater_of(request).flows.limit_attempts(group_id, attempts)
    set_to = await headwater_of(request).slots.limit(group_id, at_once)
    return redirect(request, f"/default/flow/{group_id}?tab=settings", max(limited.position, set_to.position))


async def describe(request: Request) -> Response:
    """Say what a flow is for."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    group_id, _ = split_flow_id(request.path_params["flow_id"])
    described = await headwater_of(request).flows.describe(group_id, text(form, "description").replace("\r\n", "\n"))
    return redirect(request, f"/default/flow/{group_id}?tab=settings", described.position)


async def set_defaults(request: Request) -> Response:
    """Set the labels and parameters of a flow's new runs."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    group_id, _ = split_flow_id(request.path_params["flow_id"])
    chosen = chosen_labels(form)
    labels = None if chosen is None else label_set(chosen)  # what is refused is refused before anything is done
    parameters = await headwater_of(request).flows.set_default_parameters(group_id, default_parameters(form))
    labelled = await headwater_of(request).flows.set_labels(group_id, labels)
    return redirect(request, f"/default/flow/{group_id}?tab=settings", max(parameters.position, labelled.position))


def _whole_number(form: Mapping[str, Any], name: str) -> int | None:
    """Return the number in a field; None where it is empty.

    Raises:
        InvalidArgument: it is none.

    """
    given = text(form, name)
    if given and not (given.isascii() and given.isdigit() and len(given) < 10):  # noqa: PLR2004 - larger ones are not limits
        raise InvalidArgument(f"{given!r} is not a whole number.", hint="Leave the field empty for no limit.")
    return int(given) if given else None


async def cancel(request: Request) -> Response:
    """Ask that the run ends, and show it."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    outcome = await headwater_of(request).runs.cancel(run_id, reason=text(form, "reason"))
    return redirect(request, _run_address(run_id), outcome.position)


async def delete(request: Request) -> Response:
    """Take a run that has ended off the lists, and show what is left of its flow's."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    outcome = await headwater_of(request).runs.delete(request.path_params["run_id"], reason=text(form, "reason"))
    return redirect(request, f"/default/flow/{outcome.state.created.flow_group_id}?tab=runs", outcome.position)


async def rename(request: Request) -> Response:
    """Give the run another name."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    outcome = await headwater_of(request).runs.rename(run_id, text(form, "name"))
    return redirect(request, _run_address(run_id), outcome.position)


async def restart(request: Request) -> Response:
    """Execute a run that ended once more, from what failed, or from the task that the form names."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    outcome = await headwater_of(request).runs.restart(run_id, from_task=text(form, "from_task") or None, reason=text(form, "reason"))
    return redirect(request, _run_address(run_id), outcome.position)


async def resume(request: Request) -> Response:
    """Let what is paused of a run go on: the task run that the form names, or all."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    task = text(form, "task")
    outcome = await headwater_of(request).runs.resume(run_id, tasks=(task,) if task else (), reason=text(form, "reason"))
    return redirect(request, _run_address(run_id), outcome.position)


async def set_state(request: Request) -> Response:
    """Set the state of a run manually."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    reason = _reason(form)
    outcome = await headwater_of(request).runs.set_state(run_id, text(form, "state"), reason=reason)
    return redirect(request, _run_address(run_id), outcome.position)


async def set_task_state(request: Request) -> Response:
    """Set the state of a task run manually."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id, slug = request.path_params["run_id"], request.path_params["slug"]
    index = _whole_number(form, "index")
    reason = _reason(form)
    outcome = await headwater_of(request).runs.set_task_run_state(
        run_id, slug, text(form, "state"), map_index=-1 if index is None else index, reason=reason
    )
    return redirect(request, task_run_page_path(run_id, slug, -1 if index is None else index), outcome.position)


def _reason(form: Mapping[str, Any]) -> str:
    reason = text(form, "reason")
    if not reason:
        raise InvalidArgument("No reason was given: people who look later will want to know why.", hint="Go back and say why.")
    return reason


async def start_now(request: Request) -> Response:
    """Let a run that is due later start now."""
    await checked_form(request, site_of(request).token)
    run_id = request.path_params["run_id"]
    headwater = headwater_of(request)
    outcome = await headwater.runs.reschedule(run_id, headwater.actor.clock())
    return redirect(request, _run_address(run_id), outcome.position)
