"""The public path of what is in `headwater.sdk.task_library.templates.jinja2`."""

from __future__ import annotations

from headwater.sdk.task_library.templates.jinja2 import JinjaTemplate

__all__ = ["JinjaTemplate"]
