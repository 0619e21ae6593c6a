"""Tasks that fill templates in with the results of other tasks."""

from __future__ import annotations

from headwater.sdk.task_library.templates.jinja2 import JinjaTemplate
from headwater.sdk.task_library.templates.strings import StringFormatter

__all__ = ["JinjaTemplate", "StringFormatter"]
