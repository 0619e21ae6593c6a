"""Runs as custom jobs of Google's Vertex AI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.sdk.run_configs.arguments import Variables, mapping, several, text
from headwater.sdk.run_configs.base import RunConfig


class VertexRun(RunConfig):
    """Runs as custom jobs of Vertex AI. There is no agent for them yet: such a flow runs by `flow.run()`, and is not registered.

    Args:
        env: environment variables of the job.
        labels: labels that an agent must have.
        image: the image's name.
        machine_type: the kind of machine.
        scheduling: time-out and restarts, as the Vertex API names them.
        service_account: the account under which the job runs.
        network: the network that it is in.
        worker_pool_specs: dicts of further machines.

    Raises:
        InvalidRunConfig: an argument has the wrong form.

    """

    needs_agent_of = "Vertex AI"

    def __init__(
        self,
        *,
        env: Variables | None = None,
        labels: Iterable[str] | None = None,
        image: str | None = None,
        machine_type: str = "e2-standard-4",
        scheduling: Mapping[str, Any] | None = None,
        service_account: str | None = None,
        network: str | None = None,
        worker_pool_specs: Iterable[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(env=env, labels=labels)
        self.image = text("image", image)
        self.machine_type = text("machine_type", machine_type)
        self.scheduling = mapping("scheduling", scheduling)
        self.service_account = text("service_account", service_account)
        self.network = text("network", network)
        self.worker_pool_specs = several("worker_pool_specs", worker_pool_specs, Mapping)
