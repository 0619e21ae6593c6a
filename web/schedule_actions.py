"""What people do with schedules by buttons: pause, resume, take back, and set by a form whose next times they have seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from headwater.core.aggregates import CommandResult
from headwater.core.errors import CommandRejected, HeadwaterError, InvalidArgument
from headwater.core.operations.flow_lookup import active_version, flow_group
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import schedule_id, split_flow_id
from headwater.core.values.moments import assume_utc
from headwater.core.values.names import valid_name
from headwater.core.values.plain_values import shortened
from headwater.web.actions import redirect, text
from headwater.web.app_state import at_least, headwater_of, site_of
from headwater.web.page_requests import page_context
from headwater.web.pages.flow import flow_page
from headwater.web.pages.page import PageViews, Selection, Sources
from headwater.web.rendering import render
from headwater.web.request_checks import checked_form
from headwater.web.schedules.form import ScheduleForm, read_form
from headwater.web.schedules.preview import preview


async def pause(request: Request) -> Response:
    """Let times to come have no runs, until the schedule is resumed or a moment that the form names."""
    form = await checked_form(request, site_of(request).token)
    until = _moment(text(form, "until_utc") or text(form, "until"))
    outcome = await headwater_of(request).schedules.pause(request.path_params["schedule_id"], note=text(form, "note"), until=until)
    return _back(request, form, outcome)


async def resume(request: Request) -> Response:
    """Let times to come have runs again."""
    form = await checked_form(request, site_of(request).token)
    return _back(request, form, await headwater_of(request).schedules.resume(request.path_params["schedule_id"], note=text(form, "note")))


async def delete(request: Request) -> Response:
    """Take away the times that a user set: the registered ones hold again, where there are some."""
    form = await checked_form(request, site_of(request).token)
    return _back(request, form, await headwater_of(request).schedules.delete(request.path_params["schedule_id"]))


async def set_times(request: Request) -> Response:
    """Set the times that the form says, once their preview was shown; until then show it, or what is wrong with them."""
    site = site_of(request)
    given = await checked_form(request, site.token)
    group_id, _ = split_flow_id(request.path_params["flow_id"])
    headwater = headwater_of(request)
    group = await flow_group(site.log.events, group_id).refresh()
    flow = active_version(group, 0, group_id)
    form = read_form(given)
    is_new = bool(text(given, "new"))
    if is_new:
        await _check_slug(request, group_id, form)
    preview(form, flow, group.default_parameters, headwater.actor.clock())
    saves = text(given, "intent") == "save"
    if saves and form.data is not None and not form.errors and text(given, "seal") == form.seal:
        try:
            outcome = await headwater.schedules.set(group_id, form.data, slug=form.fields["slug"])
        except CommandRejected as error:
            form.errors[""] = str(error)
        else:
            return redirect(request, f"/default/flow/{group_id}?tab=schedule", outcome.position)
    elif saves and not form.errors:
        form.notice = "These are other times than those that were shown last: look at them, then save."
    return await _page_with(request, group_id, form, is_new=is_new, refused=saves and bool(form.errors))


async def _check_slug(request: Request, group_id: str, form: ScheduleForm) -> None:
    """Refuse a name that another schedule of the flow has: that one would be replaced."""
    slug = form.fields["slug"]
    try:
        if slug:
            valid_name(slug, kind="schedule")
    except HeadwaterError as error:
        form.errors["slug"] = str(error)
        return
    if (await headwater_of(request).schedules.of(schedule_id(group_id, slug)).refresh()).exists:
        form.errors["slug"] = (
            f"The flow has a schedule of the name {slug!r}." if slug else "Give it a name: the flow has a schedule of its own."
        )


async def _page_with(request: Request, group_id: str, form: ScheduleForm, *, is_new: bool, refused: bool) -> Response:
    """Return the flow's page with this form in the place of the one that was sent."""
    site = site_of(request)
    sources = Sources(log=site.log, views=PageViews(site.log, at_least=at_least(request)), heartbeats=site.heartbeats)
    page = await flow_page(sources, {"flow_id": group_id}, Selection({"tab": "schedule"}))
    context: dict[str, Any] = {**page.context}
    if is_new:
        context["new_form"] = form
        context["has_own"] = context["has_own"] or "slug" in form.errors or bool(form.fields["slug"])
    else:
        context["forms"] = {**context["forms"], form.fields["slug"]: form}
    html = render(page.template, {**page_context(request, page), **context})
    return HTMLResponse(html, status_code=400 if refused else 200)


def _back(request: Request, form: Mapping[str, Any], outcome: CommandResult[ScheduleState]) -> Response:
    definition = outcome.state.definition
    assert definition is not None, "a schedule that was changed is known"
    tab = "?tab=schedule" if text(form, "back") == "schedule" else ""
    return redirect(request, f"/default/flow/{definition.flow_group_id}{tab}", outcome.position)


def _moment(written: str) -> datetime | None:
    """Return the moment in the field. The page's script gives it in UTC; where none runs, the field says that it is UTC."""
    try:
        return assume_utc(datetime.fromisoformat(written)) if written else None
    except ValueError:
        raise InvalidArgument(f"{shortened(written)!r} is not a time.", hint="Write it like 2026-11-22T08:30.") from None
