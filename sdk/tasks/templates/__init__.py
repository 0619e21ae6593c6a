"""Tasks that fill templates in with the results of other tasks."""

from __future__ import annotations

from headwater.tasks.templates.jinja2 import JinjaTemplate
from headwater.tasks.templates.strings import StringFormatter

__all__ = ["JinjaTemplate", "StringFormatter"]
