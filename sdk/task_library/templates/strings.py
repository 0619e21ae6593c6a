"""A task that fills in a format string."""

from __future__ import annotations

from typing import Any

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.task import Task


class StringFormatter(Task):
    """Fills `{name}` in a template in, as `str.format` does: with its arguments, and with the values of `headwater.context`.

    Args:
        template: the template; `run` may be given another one.
        settings: the settings of every task.

    """

    def __init__(self, template: str | None = None, **settings: Any) -> None:
        self.template = template or ""
        super().__init__(**settings)

    @defaults_from_attrs("template")
    def run(self, template: str | None = None, **format_kwargs: Any) -> str:
        """Return the template with the values of these names in it; raise KeyError where it names another."""
        with context(**format_kwargs) as values:
            return str(template).format(**values)
