"""Tasks that come with Headwater."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks import control_flow as control_flow
    from headwater.tasks import core as core
    from headwater.tasks import headwater as headwater
    from headwater.tasks import secrets as secrets
