"""Secrets: values that are at hand where a flow runs, and that are written down nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.context.configuration import PREFIX, config
from headwater.sdk.context.values import current_values


class SecretNotFound(InvalidArgument, KeyError, ValueError):
    """No secret of this name is configured where the code runs. `name` is the secret's."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"No secret {name!r} is configured here.",
            hint=f"Set {PREFIX}CONTEXT__SECRETS__{name} where the flow runs, or write it to config.toml under [context.secrets].",
        )

    __str__ = InvalidArgument.__str__


class Secret:
    """A secret, known by its name.

    Its value is found in `headwater.context.secrets`: what the configuration holds under `[context.secrets]`, and what
    `HEADWATER__CONTEXT__SECRETS__<name>` says. A value that is JSON is read as such. It is nowhere else: not in events, log
    lines or views.

    Raises:
        InvalidArgument: the name is empty.

    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name.strip():
            raise InvalidArgument(f"A secret needs a name, and {name!r} is none.")
        self.name = name

    def get(self) -> Any:
        """Return the value.

        Raises:
            InvalidArgument: called while a flow is being built, where the value would become part of the flow.
            SecretNotFound: there is no such secret here.

        """
        if _is_flow(current_values.get().get("flow")):
            raise InvalidArgument(
                f"Secret {self.name!r} was asked for while a flow is being built; its value would become a part of the flow.",
                hint="Use the task PrefectSecret, or call Secret(...).get() inside a task.",
            )
        known = _known()
        if self.name not in known:
            raise SecretNotFound(self.name)
        value = known[self.name]
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    def exists(self) -> bool:
        """Tell whether there is such a secret here."""
        return self.name in _known()

    def __repr__(self) -> str:
        return f"<Secret: {self.name}>"


def _is_flow(value: Any) -> bool:
    # By its name: what results and states are made of knows nothing of flows.
    return any((kind.__module__, kind.__name__) == ("headwater.sdk.language.flow", "Flow") for kind in type(value).__mro__)


def _known() -> Mapping[str, Any]:
    in_context = current_values.get().get("secrets")
    known: Mapping[str, Any] = in_context if in_context is not None else config["context"]["secrets"]
    return known
