"""What people do with buttons: the same operations as everywhere else. Each ends with the page that shows what it did."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headwater.core.commit import Position
from headwater.core.operations.projects import create_project
from headwater.core.operations.runs import RunRequest, cancel_run
from headwater.web.safety import checked_form
from headwater.web.site import author, seen_cookie, site_of

_SEEN_SECONDS = 60


def _go(request: Request, address: str, position: Position) -> Response:
    """Send the browser on, and remember what it wrote, so that the next page shows it."""
    response = RedirectResponse(address, status_code=303)
    if position:
        response.set_cookie(seen_cookie(request), str(position), max_age=_SEEN_SECONDS, httponly=True, samesite="strict")
    return response


async def new_project(request: Request) -> Response:
    """Create a project and show it."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    change = await create_project(
        site.log.events, str(form.get("name", "")).strip(), author(request), description=str(form.get("description", "")).strip()
    )
    return _go(request, f"/?project={change.project_id}", change.position)


async def quick_run(request: Request) -> Response:
    """Create a run with the flow's defaults and go to its page."""
    site = site_of(request)
    await checked_form(request, site.token)
    created = await site.creation.create(request.path_params["flow_id"], RunRequest(), author(request))
    return _go(request, f"/default/flow-run/{created.run_id}", created.position)


async def cancel(request: Request) -> Response:
    """Ask that the run ends, and show it."""
    site = site_of(request)
    form = await checked_form(request, site.token)
    run_id = request.path_params["run_id"]
    outcome = await cancel_run(site.log.events, site.log.queues, run_id, author(request), reason=str(form.get("reason", "")).strip())
    return _go(request, f"/default/flow-run/{run_id}", outcome.position)
