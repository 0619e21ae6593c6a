"""Tasks whose results are secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.secrets import EnvVarSecret, PrefectSecret, SecretBase

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.secrets import base as base
    from headwater.tasks.secrets import env_var as env_var

__all__ = ["EnvVarSecret", "PrefectSecret", "SecretBase"]
