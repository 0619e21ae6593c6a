"""Small things that flows use: context, configuration, logging, notifications, mapped and unmapped inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.utilities import collections as collections
    from headwater.utilities import configuration as configuration
    from headwater.utilities import context as context
    from headwater.utilities import debug as debug
    from headwater.utilities import diagnostics as diagnostics
    from headwater.utilities import edges as edges
    from headwater.utilities import filesystems as filesystems
    from headwater.utilities import graphql as graphql
    from headwater.utilities import importtools as importtools
    from headwater.utilities import logging as logging
    from headwater.utilities import notifications as notifications
    from headwater.utilities import secrets as secrets
    from headwater.utilities import tasks as tasks
