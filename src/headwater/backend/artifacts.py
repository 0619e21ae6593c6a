"""The public path of what is in `headwater.sdk.backend.artifacts`."""

from __future__ import annotations

from headwater.sdk.backend.artifacts import (
    create_link,
    create_link_artifact,
    create_markdown,
    create_markdown_artifact,
    create_table,
    create_table_artifact,
    delete_artifact,
    update_link,
    update_link_artifact,
    update_markdown,
    update_markdown_artifact,
    update_table,
    update_table_artifact,
)

__all__ = [
    "create_link",
    "create_link_artifact",
    "create_markdown",
    "create_markdown_artifact",
    "create_table",
    "create_table_artifact",
    "delete_artifact",
    "update_link",
    "update_link_artifact",
    "update_markdown",
    "update_markdown_artifact",
    "update_table",
    "update_table_artifact",
]
