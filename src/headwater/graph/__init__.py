"""What a flow is made of: tasks, edges, and the flow itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.graph import edge as edge
    from headwater.graph import errors as errors
    from headwater.graph import flow as flow
    from headwater.graph import task as task
