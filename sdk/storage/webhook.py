"""Flows behind the API of another service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.errors import UnknownHttpMethod
from headwater.sdk.storage.remote import IN_A_BUCKET, RemoteStorage, optional, place_of, settings_of

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


METHODS = ("GET", "PATCH", "POST", "PUT")


class Webhook(RemoteStorage):
    """A service that keeps flows behind its own API. Flows cannot be kept there yet.

    Args:
        build_request_kwargs: arguments of the request that stores a flow.
        build_request_http_method: its method.
        get_flow_request_kwargs: arguments of the request that fetches one.
        get_flow_request_http_method: its method.
        stored_as_script: whether the flow's script is kept, and not a pickle.
        flow_script_path: the script.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        UnknownHttpMethod: a method is not one of GET, PATCH, POST and PUT.

    """

    place = "a service with an API of its own"
    instead = IN_A_BUCKET

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        build_request_kwargs: Mapping[str, Any],
        build_request_http_method: str,
        get_flow_request_kwargs: Mapping[str, Any],
        get_flow_request_http_method: str,
        stored_as_script: bool = False,
        flow_script_path: str | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=stored_as_script, **options)
        for method in (build_request_http_method, get_flow_request_http_method):
            if method not in METHODS:
                raise UnknownHttpMethod(f"HTTP method {method!r} not recognized.", hint=f"Write one of {', '.join(METHODS)}.")
        self.build_request_kwargs = settings_of("Webhook", "build_request_kwargs", build_request_kwargs)
        self.build_request_http_method = build_request_http_method
        self.get_flow_request_kwargs = settings_of("Webhook", "get_flow_request_kwargs", get_flow_request_kwargs)
        self.get_flow_request_http_method = get_flow_request_http_method
        self.flow_script_path = optional("Webhook", "flow_script_path", flow_script_path)

    def _location_for(self, flow: Flow) -> str:
        return self.flow_script_path or place_of(flow)
