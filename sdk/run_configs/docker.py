"""Runs in containers of Docker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.sdk.run_configs.arguments import Variables, mapping, several, text
from headwater.sdk.run_configs.base import RunConfig


class DockerRun(RunConfig):
    """Runs in containers made from `image`. There is no agent for them yet: such a flow runs by `flow.run()`, and is not registered.

    Args:
        image: the image's name; that of Docker storage by default.
        env: environment variables of the container.
        labels: labels that an agent must have.
        ports: numbers of ports that the container exposes.
        host_config: settings of the container's host, as the Docker API names them.

    Raises:
        InvalidRunConfig: an argument has the wrong form.

    """

    needs_agent_of = "Docker"

    def __init__(
        self,
        *,
        image: str | None = None,
        env: Variables | None = None,
        labels: Iterable[str] | None = None,
        ports: Iterable[int] | None = None,
        host_config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(env=env, labels=labels)
        self.image = text("image", image)
        self.ports = several("ports", ports, int)
        self.host_config = mapping("host_config", host_config)
