"""The options of commands that create a run, and the run created from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headwater.core.queries.requests import ListFlows

if TYPE_CHECKING:
    from headwater.core.events import FlowRegistered
    from headwater.core.operations.run_creation import CreatedRun, RunRequest
    from headwater.sdk.client.async_client import AsyncClient


@dataclass(frozen=True, kw_only=True)
class FlowSelector:
    """How the person named the flow."""

    flow_id: str | None = None
    project: str | None = None
    name: str | None = None
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the person wants of the run."""

    parameters: dict[str, Any]
    context: dict[str, Any]
    labels: list[str] | None = None
    name: str | None = None
    level: str | None = None
    idempotency_key: str | None = None
    due_at: Any = None
    attempts_max: int | None = None

    def request(self, version: FlowRegistered) -> RunRequest:
        """Return it as the request for a run of this flow version."""
        from headwater.core.operations.run_creation import RunRequest

        run_config = None
        if self.level is not None:
            environment = {**version.run_config.get("env", {}), "HEADWATER_LOG_LEVEL": self.level}
            run_config = {**version.run_config, "env": environment}
        return RunRequest(
            parameters=self.parameters,
            labels=self.labels,
            name=self.name,
            context=self.context,
            run_config=run_config,
            due_at=self.due_at,
            idempotency_key=self.idempotency_key,
            attempts_max=self.attempts_max,
        )


async def find_flow_version(client: AsyncClient, selector: FlowSelector) -> FlowRegistered:
    """Return the flow version that is meant. Needs the views only for a name without a project.

    Raises:
        NotFound, FlowArchived, Ambiguous, InvalidArgument: as the choice is wrong.

    """
    from headwater.core.operations.flow_lookup import find_flow
    from headwater.core.values.identifiers import flow_version_id

    catalogue = client.headwater.catalogue
    if selector.flow_id is not None:
        return await catalogue.version(selector.flow_id)
    name = selector.name or ""
    if selector.project is not None:
        found = await find_flow(client.log.events, project_name=selector.project, name=name)
    else:
        found = await catalogue.version(await _only_flow_named(client, name))
    return found if selector.version is None else await catalogue.version(flow_version_id(found.flow_group_id, selector.version))


async def _only_flow_named(client: AsyncClient, name: str) -> str:
    from headwater.cli.lookup import one_of_several_projects, with_latest_views
    from headwater.core.errors import NotFound, ViewsUnavailable

    try:
        found = await with_latest_views(client, lambda views, at_least: views.flows(ListFlows(name=name), at_least=at_least))
    except ViewsUnavailable as error:
        error.hint = "With --project the flow is found without the views."
        raise
    if not found:
        raise NotFound("flow", name, hint="`headwater get flows` lists the flows that take runs.")
    return one_of_several_projects(name, found).id


async def create_run(client: AsyncClient, selector: FlowSelector, options: RunOptions) -> tuple[FlowRegistered, CreatedRun]:
    """Find the flow and create the run. Raises as both do."""
    version = await find_flow_version(client, selector)
    return version, await client.create_run(version.flow_id, options.request(version))


def print_created(created: CreatedRun, url: str) -> None:
    """Print what was chosen for a run."""
    for heading, value in {
        "Name": created.name,
        "UUID": created.run_id,
        "Labels": list(created.labels),
        "Parameters": dict(created.parameters),
        "Context": dict(created.context),
        "URL": url,
    }.items():
        print(f"└── {heading}: {value}", flush=True)
