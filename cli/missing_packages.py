"""Packages that only servers need, and that are not there: said in a sentence, with the command that installs them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

from headwater.core.errors import HeadwaterError

_SERVERS = frozenset({"cluster", "server"})
_REQUIREMENT = re.compile(r"""(?P<name>[A-Za-z0-9._-]+).*;.*\bextra\s*==\s*["'](?P<extra>[^"']+)""")


class PackageMissing(HeadwaterError):
    """A package that a server needs is not installed here."""

    def __init__(self, module: str) -> None:
        super().__init__(
            f"This needs {module}, which is not installed in this environment.",
            hint="A server needs more packages than agents and clients do: `pip install 'headwater[server]'`.",
        )


def missing_package(error: Exception) -> PackageMissing | None:
    """Return what to say where the error is that a package is missing which only servers need; None for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    module = error.name.partition(".")[0]
    # A module is called as its package, or as the beginning of that: `graphql` of `graphql-core`.
    wanted = module.lower().replace("_", "-")
    return PackageMissing(module) if any(name == wanted or name.startswith(f"{wanted}-") for name in packages_of_servers()) else None


def packages_of_servers() -> frozenset[str]:
    """Return the names of the packages that the extras for servers ask for."""
    try:
        requirements = requires("headwater") or []
    except PackageNotFoundError:
        return frozenset()
    found = (_REQUIREMENT.match(each) for each in requirements)
    # The extra of a server includes that of a cluster.
    return frozenset(match["name"].lower().replace("_", "-") for match in found if match is not None and match["extra"] in _SERVERS) - {
        "headwater"
    }
