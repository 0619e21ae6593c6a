"""What a value in the log may be, so that every program that reads it can hold it, store it and show it.

The log is for ever: a value that one consumer cannot take would stop that consumer at each start. So the types of events state these
limits, and what is out of them is refused where it is written, and set aside as a dead letter where it is read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from headwater.core.values.json_values import INT64_MAX
from headwater.core.values.moments import standard_class

DEPTH_MAX = 200
"""Arrays and objects inside one another. Python's own decoders, and the C stacks below them, give up at about 1,000."""

INT32_MAX = 2**31 - 1

TIME_MIN = datetime(1678, 1, 1, tzinfo=UTC)
TIME_MAX = datetime(2262, 1, 1, tzinfo=UTC)
"""Times that fit into 64 bits as nanoseconds since 1970, which is how NATS counts them."""

NAME_CHARACTERS_MAX = 600
"""PostgreSQL's indexes hold keys of at most 2,704 bytes, and a character may take four."""

Int32 = Annotated[int, Meta(ge=-INT32_MAX - 1, le=INT32_MAX)]
"""A count, a number of an attempt, an index: what PostgreSQL calls integer."""

Int64 = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
"""A position, a version of a flow, a process id: what PostgreSQL calls bigint."""

if TYPE_CHECKING:
    Instant = Annotated[datetime, Meta(tz=True)]
else:
    # Where a user's test stops the time while this is imported, `datetime` is freezegun's, which no decoder knows.
    Instant = Annotated[standard_class(datetime), Meta(tz=True)]
"""A moment: a time with its zone, between TIME_MIN and TIME_MAX."""

Uuid = Annotated[str, Meta(pattern=r"\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")]
"""A UUID (RFC 9562) in its one canonical spelling: two spellings would be two aggregates of one row."""

Token = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,128}\Z")]
"""An id that may stand in a subject: no space, dot, wildcard or control character."""

Name = Annotated[str, Meta(max_length=NAME_CHARACTERS_MAX)]
"""What something is called, where it is looked for by it."""


def out_of_range(moment: datetime) -> str:
    """Return the sentence for a time that `is_instant` refuses."""
    return f"The time {moment.isoformat()} is not between {TIME_MIN.year} and {TIME_MAX.year}."


def is_instant(moment: datetime) -> bool:
    """Tell whether the time has a zone and lies within what every consumer can take."""
    return moment.tzinfo is not None and TIME_MIN <= moment <= TIME_MAX
