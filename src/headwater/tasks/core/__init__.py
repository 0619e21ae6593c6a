"""The tasks that flows are made of without being asked: functions, constants, collections and operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.core import collections as collections
    from headwater.tasks.core import constants as constants
    from headwater.tasks.core import function as function
    from headwater.tasks.core import operators as operators
    from headwater.tasks.core import parameter as parameter
    from headwater.tasks.core import resource_manager as resource_manager
