"""The application: which address is answered by what, behind the checks that every request passes."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from headwater.core.errors import HeadwaterError
from headwater.web import actions, backfill_actions, schedule_actions
from headwater.web.app_state import AppState
from headwater.web.assets import send_asset
from headwater.web.auth import AuthMiddleware, forget_key, send_login, take_key
from headwater.web.downloads import commit_as_json, log_as_json, log_as_text
from headwater.web.error_handlers import answer_broken, answer_error, answer_http_error
from headwater.web.graphql.endpoint import answer_graphql, send_explorer, subscriptions
from headwater.web.health import health, ready, send_metrics
from headwater.web.page_requests import send_page, send_updates
from headwater.web.pages.kinds import KINDS
from headwater.web.request_checks import RequestChecks
from headwater.web.task_run_addresses import to_task_run_page

_ACTIONS = {
    "/default/projects/create": actions.new_project,
    "/default/project/{project_id}/change": actions.change_project,
    "/default/project/{project_id}/delete": actions.remove_project,
    "/default/flow/{flow_id}/quick-run": actions.quick_run,
    "/default/flow/{flow_id}/run": actions.run,
    "/default/flow/{flow_id}/describe": actions.describe,
    "/default/flow/{flow_id}/defaults": actions.set_defaults,
    "/default/flow/{flow_id}/limits": actions.limit_flow,
    "/default/flow/{flow_id}/delete": actions.remove_flow,
    "/default/flow/{flow_id}/schedule": schedule_actions.set_times,
    "/default/schedule/{schedule_id}/pause": schedule_actions.pause,
    "/default/schedule/{schedule_id}/resume": schedule_actions.resume,
    "/default/schedule/{schedule_id}/delete": schedule_actions.delete,
    "/default/schedule/{schedule_id}/backfill": backfill_actions.request_backfill,
    "/default/backfill/{backfill_id}/cancel": backfill_actions.cancel_backfill,
    "/default/flow-run/{run_id}/cancel": actions.cancel,
    "/default/flow-run/{run_id}/delete": actions.delete,
    "/default/flow-run/{run_id}/rename": actions.rename,
    "/default/flow-run/{run_id}/restart": actions.restart,
    "/default/flow-run/{run_id}/start-now": actions.start_now,
    "/default/flow-run/{run_id}/resume": actions.resume,
    "/default/flow-run/{run_id}/set-state": actions.set_state,
    "/default/task-run/{run_id}/{slug:slug}/set-state": actions.set_task_state,
}


async def _to_dashboard(_: Request) -> Response:
    return RedirectResponse("/")


def routes() -> list[BaseRoute]:
    """Return every address there is."""
    return [
        Route("/default/task-run/{task_run_id:task_run_id}", to_task_run_page, methods=["GET"]),
        *(Route(kind.path, send_page, methods=["GET"]) for kind in KINDS),
        Route("/default", _to_dashboard),
        Route("/live", send_updates),
        Route("/login", send_login, methods=["GET"]),
        Route("/login", take_key, methods=["POST"]),
        Route("/logout", forget_key, methods=["POST"]),
        Route("/", answer_graphql, methods=["POST"]),
        Route("/graphql", answer_graphql, methods=["POST"]),
        Route("/graphql", send_explorer, methods=["GET"]),
        WebSocketRoute("/graphql", subscriptions()),
        *(Route(path, action, methods=["POST"]) for path, action in _ACTIONS.items()),
        Route("/default/log/{position}.json", commit_as_json),
        Route("/default/flow-run/{run_id}/logs.txt", log_as_text),
        Route("/default/flow-run/{run_id}/logs.json", log_as_json),
        Route("/static/{name}", send_asset),
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", send_metrics),
    ]


def make_app(site: AppState, *, hosts: Iterable[str]) -> Starlette:
    """Return the application of this site; `hosts` are the names with a domain that it answers for."""
    app = Starlette(
        routes=routes(),
        middleware=[
            Middleware(RequestChecks, hosts=frozenset(hosts)),
            Middleware(AuthMiddleware, signer=site.signer),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4),
        ],
        exception_handlers={HeadwaterError: answer_error, HTTPException: answer_http_error, Exception: answer_broken},
    )
    app.state.site = site
    return app
