"""What people do with backfills by buttons: request one whose times they have seen, and cancel it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from headwater.core.errors import CommandRejected
from headwater.web.actions import redirect, text
from headwater.web.app_state import at_least, headwater_of, site_of
from headwater.web.page_requests import page_context
from headwater.web.pages.flow import flow_page
from headwater.web.pages.page import PageViews, Selection, Sources
from headwater.web.rendering import render
from headwater.web.request_checks import checked_form
from headwater.web.schedules.backfill_form import BackfillForm, read_backfill_form, try_backfill


async def request_backfill(request: Request) -> Response:
    """Request the backfill that the form says, once its times were shown; until then show them, or what is wrong."""
    site = site_of(request)
    given = await checked_form(request, site.token)
    headwater = headwater_of(request)
    schedule_id = request.path_params["schedule_id"]
    definition = (await headwater.schedules.load(schedule_id)).state.definition
    assert definition is not None, "a schedule that is there is known"
    form = read_backfill_form(given)
    sources = Sources(log=site.log, views=PageViews(site.log, at_least=at_least(request)), heartbeats=site.heartbeats)
    await try_backfill(form, sources.views, headwater.backfills, definition, headwater.actor.clock())
    requests = text(given, "intent") == "request"
    wish, plan, ends = form.wish, form.plan, form.ends
    if requests and form.seal and text(given, "seal") == form.seal:
        assert wish is not None, "what has a seal was read"
        assert plan is not None, "and its times were looked up"
        assert ends is not None
        try:
            outcome = await headwater.backfills.request(
                definition, wish.since, ends, wish.choice, plan.times, limit=wish.limit, parameters=wish.parameters
            )
        except CommandRejected as error:
            form.errors[""] = str(error)
        else:
            return redirect(request, f"/default/backfill/{outcome.state.requested.backfill_id}", outcome.position)
    elif requests and not form.errors:
        form.notice = "These are other times than those that were shown last: look at them, then request their runs."
    return await _page_with(
        request, sources, definition.flow_group_id, definition.schedule_id, form, refused=requests and bool(form.errors)
    )


async def cancel_backfill(request: Request) -> Response:
    """Let no more times of the backfill have runs, cancel those that are unfinished, and show it."""
    form = await checked_form(request, site_of(request).token)
    backfill_id = request.path_params["backfill_id"]
    outcome = await headwater_of(request).backfills.cancel(backfill_id, reason=text(form, "reason"))
    requested = outcome.state.requested
    back = f"/default/flow/{requested.flow_group_id}?tab=schedule" if text(form, "back") else f"/default/backfill/{requested.backfill_id}"
    return redirect(request, back, outcome.position)


async def _page_with(request: Request, sources: Sources, group_id: str, schedule_id: str, form: BackfillForm, *, refused: bool) -> Response:
    """Return the flow's page with this form in the place of the one that was sent."""
    page = await flow_page(sources, {"flow_id": group_id}, Selection({"tab": "schedule"}))
    context: dict[str, Any] = {**page.context}
    context["backfill_forms"] = {**context["backfill_forms"], schedule_id: form}
    html = render(page.template, {**page_context(request, page), **context})
    return HTMLResponse(html, status_code=400 if refused else 200)
