"""Tasks that fill templates in with the results of other tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.templates import JinjaTemplate, StringFormatter

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.templates import jinja2 as jinja2
    from headwater.tasks.templates import strings as strings

__all__ = ["JinjaTemplate", "StringFormatter"]
