"""What is wrong with an environment.

InvalidEnvironment          its arguments have the wrong form, or it asks for what is not done here
EnvironmentFailed           what it calls before or after a run raised an error
"""

from __future__ import annotations

from headwater.core.errors import HeadwaterError, InvalidArgument


class InvalidEnvironment(InvalidArgument, TypeError, ValueError):
    """An argument of an environment has the wrong form, or asks for what is not done here."""


class EnvironmentFailed(HeadwaterError):
    """`on_start` or `on_exit` raised an error, which is the cause of this one. The run is Failed."""
