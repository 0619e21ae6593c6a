"""Tasks whose results are secrets."""

from __future__ import annotations

from headwater.tasks.secrets.base import PrefectSecret, SecretBase
from headwater.tasks.secrets.env_var import EnvVarSecret

__all__ = ["EnvVarSecret", "PrefectSecret", "SecretBase"]
