"""What secret tasks have in common, and the one that reads the configuration."""

from __future__ import annotations

from typing import Any, ClassVar

from headwater.sdk.context.secrets import Secret
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task


class SecretBase(Task):
    """A task whose result is a secret: never kept, never recorded. A run that is taken up again asks for it again."""

    made_by_each_run: ClassVar[bool] = True

    def __init__(self, **settings: Any) -> None:
        if settings.get("result") is not None or settings.get("checkpoint") or settings.get("target") or settings.get("cache_for"):
            raise InvalidTask(
                f"Secret task {settings.get('name')!r}: the result of a secret task is never kept.",
                hint="Leave result, checkpoint, target and cache_for away.",
            )
        settings["checkpoint"] = False
        super().__init__(**settings)


class PrefectSecret(SecretBase):
    """A task whose result is the secret of this name, as `headwater.client.Secret` finds it where the task runs."""

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        self.secret_name = name
        settings.setdefault("max_retries", 0)
        super().__init__(name=name or "PrefectSecret", **settings)

    def run(self, name: str | None = None) -> Any:
        chosen = name or self.secret_name
        if chosen is None:
            raise InvalidTask("A secret task needs the secret's name.", hint="Write PrefectSecret('NAME').")
        return Secret(chosen).get()
