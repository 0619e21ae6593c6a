"""The public path of what is in `headwater.sdk.task_library.secrets.env_var`."""

from __future__ import annotations

from headwater.sdk.task_library.secrets.env_var import EnvVarSecret

__all__ = ["EnvVarSecret"]
