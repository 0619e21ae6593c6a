"""Secrets in environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from headwater.sdk.context.secrets import SecretNotFound
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.task_library.secrets.base import SecretBase


class EnvVarSecret(SecretBase):
    """A task whose result is an environment variable of the process that runs it, as `cast` reads it; None if it is unset.

    With `raise_if_missing`, the task fails where it is unset.
    """

    def __init__(
        self, name: str | None = None, cast: Callable[[str], Any] | None = None, raise_if_missing: bool = False, **settings: Any
    ) -> None:
        self.secret_name = name
        self.cast = cast
        self.raise_if_missing = raise_if_missing
        super().__init__(name=name or "EnvVarSecret", **settings)

    def run(self, name: str | None = None) -> Any:
        chosen = name or self.secret_name
        if chosen is None:
            raise InvalidTask("A secret task needs the variable's name.", hint="Write EnvVarSecret('NAME').")
        value = os.environ.get(chosen)
        if value is None:
            if self.raise_if_missing:
                raise SecretNotFound(chosen)
            return None
        return self.cast(value) if self.cast is not None else value
