"""What `flow.register()` calls: registering a flow from a script or notebook, by a client of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.client.client import Client
from headwater.sdk.language.flow import Flow


def register_flow(
    flow: Flow,
    project_name: str | None,
    *,
    build: bool = True,
    labels: Iterable[str] | None = None,
    set_schedule_active: bool | None = None,
    version_group_id: str | None = None,
    idempotency_key: str | None = None,
    no_url: bool = False,
    **storage_kwargs: Any,
) -> str:
    """Register a flow from a script or notebook; what `flow.register` calls. Returns the version's id.

    Raises:
        InvalidArgument: no project was named, the arguments contradict each other, or the script registered another flow of this name.
        InvalidFlow: the flow cannot run.
        NotFound: there is no such project.
        StorageError: the code cannot be stored.
        NoAgentForRunConfig: no agent could run it.
        LogUnavailable, AuthenticationFailed: no server answers, or it wants another key.

    """
    if not project_name:
        raise InvalidArgument(
            "'project_name' is needed to register a flow: every flow is in a project.",
            hint="Write flow.register(project_name='...'); `headwater create project NAME` creates one.",
        )
    with Client() as client:
        return client.register(
            flow,
            project_name,
            build=build,
            set_schedule_active=set_schedule_active,
            version_group_id=version_group_id,
            idempotency_key=idempotency_key,
            no_url=no_url,
            labels=labels,
            **storage_kwargs,
        )
