"""What all run configs have: environment variables and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from headwater.core.errors import InvalidArgument
from headwater.core.values.labels import label_set
from headwater.sdk.run_configs.arguments import Variables, variable
from headwater.sdk.run_configs.errors import NoAgentForRunConfig


class RunConfig:
    """With which environment variables and labels runs are started.

    In `env`, numbers and booleans are kept as their text (`"False"`). A variable that is None is taken out of the run's environment,
    also where the agent has one of this name.

    Raises:
        InvalidArgument: `env` is not a mapping of names to such values, or `labels` is one text.
        InvalidName: a label is empty, too long or holds control characters.

    """

    needs_agent_of: ClassVar[str | None] = None
    """The platform whose agents alone could run this; None where a local agent does."""

    def __init__(self, env: Variables | None = None, labels: Iterable[str] | None = None) -> None:
        if isinstance(labels, str):
            raise InvalidArgument(f"labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
        if env is not None and not isinstance(env, Mapping):
            raise InvalidArgument(f"env takes a dict, not {env!r}.", hint="Write env={'NAME': 'value'}.")
        self.env: dict[str, str | None] | None = None if env is None else {name: variable(name, value) for name, value in env.items()}
        self.labels = set(label_set(labels or ()))

    def check_supported(self) -> None:
        """Do nothing if there are agents that run this.

        Raises:
            NoAgentForRunConfig: there are none yet; the hint says what works instead.

        """
        if self.needs_agent_of is not None:
            raise NoAgentForRunConfig(type(self).__name__, self.needs_agent_of)

    def serialize(self) -> dict[str, Any]:
        """Return the run config as JSON values; `reading.run_config_from` reads them."""
        chosen = {name: value for name, value in vars(self).items() if name not in ("env", "labels")}
        return {"type": type(self).__name__, "env": dict(sorted((self.env or {}).items())), "labels": sorted(self.labels), **chosen}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> Self:
        """Return the run config that `serialize` wrote, of this class."""
        return cls(**{name: value for name, value in data.items() if name != "type"})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunConfig):
            return NotImplemented
        return self.serialize() == other.serialize()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={_shown(value)}" for name, value in self.serialize().items() if name != "type" and value)
        return f"{type(self).__name__}({settings})"


def _shown(value: Any) -> str:
    """Return a setting as people may see it: the values of variables, and what lies deep in templates, may be secrets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: ..." for name in value) + "}"
    return repr(value)


class UniversalRun(RunConfig):
    """Runs on any kind of agent."""
