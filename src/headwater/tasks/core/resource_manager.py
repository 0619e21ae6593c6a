"""The public path of what is in `headwater.sdk.language.resource_manager`."""

from __future__ import annotations

from headwater.sdk.language.resource_manager import (
    ResourceCleanupTask,
    ResourceContext,
    ResourceInitTask,
    ResourceManager,
    ResourceSetupTask,
    cleanup_trigger,
    resource_manager,
)

__all__ = [
    "ResourceCleanupTask",
    "ResourceContext",
    "ResourceInitTask",
    "ResourceManager",
    "ResourceSetupTask",
    "cleanup_trigger",
    "resource_manager",
]
