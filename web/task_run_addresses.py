"""Addresses of task runs' pages: a slug may hold anything, and a user who has only a task run's id finds the page by it."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import quote

from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import parsed_task_run_id


class _Slug(Convertor[str]):
    """What names a task in a path: servers decode `%2F` before paths are matched, so it may hold slashes."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


class _PrintedId(_Slug):
    """The id of a task run as GraphQL prints it."""

    regex = "[^/:]+:(?s:.+)"


register_url_convertor("slug", _Slug())
register_url_convertor("task_run_id", _PrintedId())


def task_run_page_path(run_id: str, slug: str, map_index: int) -> str:
    """Return the path of a task run's page; the index of a task that is not mapped is -1."""
    child = "" if map_index < 0 else f"?index={map_index}"
    return f"/default/task-run/{quote(run_id, safe='')}/{quote(slug, safe='')}{child}"


async def to_task_run_page(request: Request) -> Response:
    """Send on to the page of the task run whose id, as GraphQL prints it, stands in the path."""
    try:
        send_on(request.path_params["task_run_id"])
    except InvalidArgument:
        raise HTTPException(404) from None


def send_on(task_run_id: str) -> NoReturn:
    """Send on to the page of the task run of this id.

    Raises:
        HTTPException: always, with the address.
        InvalidArgument: this is not the id of a task run.

    """
    raise HTTPException(307, headers={"Location": task_run_page_path(*parsed_task_run_id(task_run_id))})
