"""A task that fills in a template of Jinja."""

from __future__ import annotations

from typing import Any

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task


class JinjaTemplate(Task):
    """Fills `{{ name }}` in a template of Jinja in: with its arguments, and with the values of `headwater.context`.

    Names that are not there are left empty. Needs `headwater[templates]`.

    Args:
        template: the template; `run` may be given another one.
        settings: the settings of every task.

    Raises:
        InvalidTask: jinja2 is not installed.

    """

    def __init__(self, template: str | None = None, **settings: Any) -> None:
        _jinja2()
        self.template = template or ""
        super().__init__(**settings)

    @defaults_from_attrs("template")
    def run(self, template: str | None = None, **format_kwargs: Any) -> str:
        """Return the template with the values of these names in it."""
        with context(**format_kwargs) as values:
            text: str = _jinja2().Template(template).render(**values)
            return text


def _jinja2() -> Any:
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise InvalidTask("JinjaTemplate needs jinja2, which is not installed.", hint="pip install 'headwater[templates]'") from error
    return jinja2
