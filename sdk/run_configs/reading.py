"""From the JSON values of a run config to the run config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.sdk.run_configs.base import RunConfig, UniversalRun
from headwater.sdk.run_configs.docker import DockerRun
from headwater.sdk.run_configs.ecs import ECSRun
from headwater.sdk.run_configs.errors import InvalidRunConfig
from headwater.sdk.run_configs.kubernetes import KubernetesRun
from headwater.sdk.run_configs.local import LocalRun
from headwater.sdk.run_configs.vertex import VertexRun

_KINDS: dict[str, type[RunConfig]] = {kind.__name__: kind for kind in (UniversalRun, LocalRun, DockerRun, ECSRun, KubernetesRun, VertexRun)}


def run_config_from(data: Mapping[str, Any] | None) -> RunConfig:
    """Return the run config that `serialize` wrote; a UniversalRun for nothing.

    Raises:
        InvalidRunConfig: no run config is of this type, or its values are not those of one.

    """
    if not data:
        return UniversalRun()
    kind = _KINDS.get(str(data.get("type")))
    if kind is None:
        raise InvalidRunConfig(f"No run config is of type {data.get('type')!r}; there are {', '.join(_KINDS)}.")
    try:
        return kind.deserialize(data)
    except TypeError as error:
        raise InvalidRunConfig(f"This is not a {kind.__name__}: {error}.") from None
