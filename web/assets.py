"""The files that pages refer to: read once, addressed by their content so that browsers keep them, sent compressed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from headwater.web.state_styles import state_variables

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent. `url` changes with the content."""

    url: str
    media_type: str
    plain: bytes
    compressed: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files of `static/` by name. The stylesheet begins with the colours of the states."""
    found = {}
    for path in files("headwater.web").joinpath("static").iterdir():
        suffix = path.name[path.name.rfind(".") :]
        if suffix not in _TYPES:
            continue
        content = path.read_bytes()
        if suffix == ".css":
            content = state_variables().encode() + content
        version = hashlib.sha256(content).hexdigest()[:12]
        found[path.name] = Asset(
            f"/static/{path.name}?v={version}", _TYPES[suffix], content, gzip.compress(content, compresslevel=9, mtime=0)
        )
    return found


def asset_url(name: str) -> str:
    """Return the address of a file of `static/`."""
    return assets()[name].url


@cache
def asset_version() -> str:
    """Return what changes with any of the files: a page that was made with others must be loaded again."""
    return hashlib.sha256("".join(asset.url for asset in assets().values()).encode()).hexdigest()[:12]


@cache
def favicon() -> str:
    """Return the mark as an address that needs no request."""
    return f"data:image/svg+xml,{quote(assets()['mark.svg'].plain)}"


async def send_asset(request: Request) -> Response:
    """Send one file of `static/`."""
    asset = assets().get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("There is no such file.\n", status_code=404)
    headers = {"Cache-Control": _FOR_EVER if request.url.query else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.plain, media_type=asset.media_type, headers=headers)
