"""Values of tasks that give secrets."""

from __future__ import annotations

from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.results.result import Result


class SecretResult(Result):
    """The result of a task that gives a secret. It is never written; `read` has the task ask for it again.

    Raises:
        InvalidArgument: on writing, and for a serializer.

    """

    def __init__(self, secret_task: Any, **settings: Any) -> None:
        if "serializer" in settings:
            raise InvalidArgument("A SecretResult takes no serializer: a secret is never written.")
        super().__init__(**{"location": secret_task.name, **settings})
        self.secret_task = secret_task

    @property
    def keeps_values(self) -> bool:
        return False

    def write(self, value_: Any, **kwargs: Any) -> Result:  # noqa: ARG002 - what each kind is given
        raise InvalidArgument("A SecretResult cannot be written: a secret stays where it is.")

    def read(self, location: str) -> Result:
        return self.at(location, self.secret_task.run(name=location))

    def exists(self, location: str, **kwargs: Any) -> bool:  # noqa: ARG002 - whether it is there, asking tells
        return True
