"""Tasks that come with Headwater."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks import control_flow as control_flow
    from headwater.tasks import core as core
    from headwater.tasks import database as database
    from headwater.tasks import files as files
    from headwater.tasks import headwater as headwater
    from headwater.tasks import notifications as notifications
    from headwater.tasks import secrets as secrets
    from headwater.tasks import shell as shell
    from headwater.tasks import templates as templates
