"""Paths as users write them: `~` stands for a home, which not every user has, such as one in a container."""

from __future__ import annotations

from pathlib import Path

from headwater.core.errors import SettingsError

SET_HOME = "Set HEADWATER_HOME to a directory."


class HomeUnavailable(SettingsError, OSError):
    """There is no home where one is needed, or it cannot be written. An OSError too: that is what reading and writing files may raise."""


def user_path(path: str | Path, *, hint: str = "Write the path out, or set HOME.") -> Path:
    """Return the path with the home in place of `~`.

    Raises:
        HomeUnavailable: this user has no home, or there is no such user.

    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        who = "this user has none" if str(path)[:2] in {"~", "~/"} else "there is no such user"
        raise HomeUnavailable(f"{path} names a home directory, and {who}.", hint=hint) from None
