"""The marker for a default that was not given, since None may be one."""

from __future__ import annotations


class NoDefault:
    """The kind of `no_default`, of which there is one; it stays that one when it is pickled."""

    def __reduce__(self) -> str:
        return "no_default"

    def __repr__(self) -> str:
        return "<no default>"


no_default = NoDefault()
