"""The public path of what is in `headwater.sdk.task_library.secrets.base`."""

from __future__ import annotations

from headwater.sdk.task_library.secrets.base import PrefectSecret, SecretBase

__all__ = ["PrefectSecret", "SecretBase"]
