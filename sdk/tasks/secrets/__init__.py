"""Tasks whose results are secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.tasks.secrets.base import PrefectSecret, SecretBase
from headwater.tasks.secrets.env_var import EnvVarSecret

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.secrets import base as base
    from headwater.tasks.secrets import env_var as env_var

__all__ = ["EnvVarSecret", "PrefectSecret", "SecretBase"]
