"""The public path of what is in `headwater.sdk.language.users_line`."""

from __future__ import annotations

from headwater.sdk.language.users_line import UsersLine, given_to_constructor, users_line, warn_at

__all__ = ["UsersLine", "given_to_constructor", "users_line", "warn_at"]
