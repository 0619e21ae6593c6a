"""The public path of what is in `headwater.sdk.context.secrets`."""

from __future__ import annotations

from headwater.sdk.context.secrets import Secret, SecretNotFound

__all__ = ["Secret", "SecretNotFound"]
