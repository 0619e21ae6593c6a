"""What all run configs have: environment variables and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from headwater.core.errors import InvalidArgument
from headwater.core.labels import label_set


class RunConfig:
    """With which environment variables and labels runs are started.

    Raises:
        InvalidArgument: `env` is no mapping of texts, or `labels` is one text.
        InvalidName: a label is empty, too long or holds control characters.

    """

    def __init__(self, *, env: Mapping[str, str] | None = None, labels: Iterable[str] | None = None) -> None:
        if isinstance(labels, str):
            raise InvalidArgument(f"labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
        if env is not None and not isinstance(env, Mapping):
            raise InvalidArgument(f"env takes a dict, not {env!r}.", hint="Write env={'NAME': 'value'}.")
        self.env = dict(env or {})
        for name, value in self.env.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise InvalidArgument(f"Environment variables are texts, and {name!r}: {value!r} is not.")
        self.labels = set(label_set(labels or ()))

    def serialize(self) -> dict[str, Any]:
        """Return the run config as JSON values; `run_config_from` reads them."""
        return {"type": type(self).__name__, "env": dict(sorted(self.env.items())), "labels": sorted(self.labels)}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: value for name, value in data.items() if name != "type"})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunConfig) and self.serialize() == other.serialize()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.serialize().items() if name != "type" and value)
        return f"{type(self).__name__}({settings})"


class UniversalRun(RunConfig):
    """Runs on any kind of agent."""


def run_config_from(data: Mapping[str, Any] | None) -> RunConfig:
    """Return the run config that `serialize` wrote; a UniversalRun for nothing.

    Raises:
        InvalidArgument: no run config is of this type.

    """
    from headwater.run_configs.local import LocalRun

    if not data:
        return UniversalRun()
    kinds: dict[str, type[RunConfig]] = {"UniversalRun": UniversalRun, "LocalRun": LocalRun}
    kind = kinds.get(str(data.get("type")))
    if kind is None:
        raise InvalidArgument(f"No run config is of type {data.get('type')!r}; there are {', '.join(kinds)}.")
    return kind.deserialize(data)
