"""Errors as answers: the right status, what happened in words, and what to do; as a page or, where a program asks, as JSON."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from headwater.core.errors import (
    AlreadyExists,
    Ambiguous,
    CommandRejected,
    FlowArchived,
    HeadwaterError,
    IllegalTransition,
    LogError,
    NotFound,
    VersionConflict,
    ViewsError,
)
from headwater.web.action_names import worded
from headwater.web.page_requests import page_context
from headwater.web.pages.page import Page
from headwater.web.rendering import render
from headwater.web.request_checks import BodyTooLarge, CrossSiteRequest

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[HeadwaterError], int, str], ...] = (
    (NotFound, 404, "Not found"),
    (CrossSiteRequest, 403, "Refused"),
    (BodyTooLarge, 413, "Too large"),
    (AlreadyExists, 409, "Already there"),
    (Ambiguous, 409, "Not unique"),
    (FlowArchived, 409, "Archived"),
    (IllegalTransition, 409, "Not possible now"),
    (VersionConflict, 409, "Changed meanwhile"),
    (CommandRejected, 400, "Not possible"),
    (ViewsError, 503, "The views do not answer"),
    (LogError, 503, "The log does not answer"),
    (HeadwaterError, 500, "Something went wrong"),
)


def status_of(error: HeadwaterError) -> tuple[int, str]:
    """Return the HTTP status and the headline for an error."""
    return next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that was raised on purpose."""
    assert isinstance(error, HeadwaterError)
    status, title = status_of(error)
    return _answer(request, status, title, str(error), _capitalised(worded(error.advice)))


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what the routing refuses: no such address, no such method."""
    assert isinstance(error, HTTPException)
    if error.headers is not None and "Location" in error.headers:
        return RedirectResponse(error.headers["Location"], error.status_code)
    if error.status_code == 404:  # noqa: PLR2004
        return _answer(request, 404, "Not found", "There is no page at this address.", None)
    return _answer(request, error.status_code, "Not possible", error.detail, None)


async def answer_broken(request: Request, error: Exception) -> Response:
    """Answer an error of Headwater, without telling the browser what it need not know."""
    if not isinstance(error, ClientDisconnect):
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(request, 500, "Something went wrong", "This is an error of Headwater; the server's log tells more.", None)


def _answer(request: Request, status: int, title: str, message: str, hint: str | None) -> Response:
    if "text/html" not in request.headers.get("accept", "text/html"):
        return JSONResponse({"error": message, "hint": hint}, status_code=status)
    page = Page(template="problem.html", title=title, context={"message": message, "hint": hint})
    return HTMLResponse(render(page.template, page_context(request, page)), status_code=status)


def _capitalised(sentence: str | None) -> str | None:
    return sentence and sentence[0].upper() + sentence[1:]
