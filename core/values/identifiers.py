"""Identifiers: random ones that sort by time, derived ones that two writers compute alike, and those of flow versions.

A flow group's id is derived from its project and name, and its last 32 bits are zero. The id of version n is the group's id with n
in those bits. So a holder of a flow version's id can find the group's events without asking anyone, and two registrations that
race for the same version number race for the same id, of which the log lets one win.
"""

from __future__ import annotations

import hashlib
import re
import uuid

import uuid_utils

from headwater.core.errors import InvalidArgument
from headwater.core.hints import ListFlowsAction, hint
from headwater.core.values.limits import INT32_MAX
from headwater.core.values.plain_values import shortened

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:headwater:identifiers")
_VERSION_BITS = 32
_VERSION_MASK = (1 << _VERSION_BITS) - 1


def new_id() -> str:
    """Return a new UUID version 7 (RFC 9562): unique, and ordered by the time of its making."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str) -> str:
    """Return the UUID version 5 that these parts always give. The parts are kept apart, so ("a", "bc") and ("ab", "c") differ."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def digest(*parts: str, length: int = 32) -> str:
    """Return `length` hexadecimal digits of the SHA-256 of the parts: short, subject-safe and the same everywhere."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:length]


def key_value_id(project_id: str, key: str) -> str:
    """Return the id of this key of this project, and of its value: always the same one."""
    return derived_id("key value", project_id, key)


def schedule_id(group_id: str, slug: str = "") -> str:
    """Return the id of the schedule of this name of this flow group; the empty name is that of the flow's own one."""
    return derived_id("schedule", group_id, slug)


def flow_group_id(project_id: str, flow_name: str) -> str:
    """Return the id of the flow group of this name in this project: a custom UUID (version 8) whose last 32 bits are zero."""
    raw = int.from_bytes(hashlib.sha256(f"{project_id}\x1f{flow_name}".encode()).digest()[:16], "big")
    raw &= ~(0xF << 76) & ~(0x3 << 62) & ~_VERSION_MASK
    raw |= (0x8 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=raw))


def flow_version_id(group_id: str, version: int) -> str:
    """Return the id of version `version` of the group.

    Raises:
        InvalidArgument: versions are counted from 1, and no flow has so many.

    """
    if not 0 < version <= _VERSION_MASK:
        raise InvalidArgument(f"{version} is not the version of a flow.", hint="Versions are counted from 1.")
    return str(uuid.UUID(int=uuid.UUID(group_id).int | version))


def split_flow_id(flow_id: str) -> tuple[str, int]:
    """Return the group id and the version number in the id of a flow version or flow group; the version is 0 for a group.

    Raises:
        InvalidArgument: this is not the id of a flow.

    """
    number = parsed_uuid(flow_id, kind="flow id").int
    if (number >> 76) & 0xF != 0x8:  # noqa: PLR2004 - the version nibble of a custom UUID
        raise InvalidArgument(f"{flow_id!r} is not the id of a flow.", hint=hint("{} lists flows with their ids.", ListFlowsAction()))
    return str(uuid.UUID(int=number & ~_VERSION_MASK)), number & _VERSION_MASK


def task_run_address(run_id: str, slug: str, map_index: int) -> str:
    """Return the id under which GraphQL knows a task run."""
    return f"{run_id}:{map_index}:{slug}"


def task_run_path(run_id: str, slug: str, map_index: int) -> str:
    """Return the id under which Python knows a task run; the index of a task that is not mapped is -1."""
    return f"{run_id}/{slug}/{map_index}"


def parsed_task_run_id(task_run_id: str) -> tuple[str, str, int]:
    """Return the run's id, the slug and the map index (-1: not a mapped child) in the id of a task run, in either of its two forms.

    The form that GraphQL prints, `<run id>:<map index>:<slug>`, and the one of Python, `<run id>/<slug>/<map index>`. What follows the
    run's id tells which it is, and a slug may hold anything: that of `rows["a/b"]` is "rows['a/b']-1".

    Raises:
        InvalidArgument: it is neither.

    """
    found = _TASK_RUN_ID.fullmatch(task_run_id) if isinstance(task_run_id, str) else None
    if found is not None:
        run_id, slug = found["run"], found["slug"] or found["last"]
        map_index = int(found["index"] or found["first"])
        if map_index <= INT32_MAX:
            return str(parsed_uuid(run_id, kind="run id")), slug, map_index
    shown = shortened(task_run_id) if isinstance(task_run_id, str) else task_run_id
    raise InvalidArgument(
        f"{shown!r} is not the id of a task run.",
        hint="It is <run id>/<slug>/<map index>, as Python prints it, or <run id>:<map index>:<slug>, as GraphQL does.",
    )


_INDEX = "-1|0|[1-9][0-9]{0,9}"
_TASK_RUN_ID = re.compile(
    rf"(?P<run>[0-9a-fA-F-]{{32,36}})(?:/(?P<slug>.+)/(?P<index>{_INDEX})|:(?P<first>{_INDEX}):(?P<last>.+))", re.DOTALL
)


def artifact_address(run_id: str, artifact_id: str) -> str:
    """Return the id under which people know an artifact: with that of its run, whose events tell of it."""
    return f"{run_id}:{artifact_id}"


def split_artifact_address(address: str) -> tuple[str, str]:
    """Return the run's id and the artifact's own.

    Raises:
        InvalidArgument: this is not the id of an artifact.

    """
    run_id, separator, artifact_id = address.partition(":") if isinstance(address, str) else ("", "", "")
    if not separator:
        raise InvalidArgument(f"{address!r} is not the id of an artifact.", hint="It is what creating the artifact returned.")
    return str(parsed_uuid(run_id, kind="run id")), str(parsed_uuid(artifact_id, kind="artifact id"))


def parsed_uuid(text: str, *, kind: str) -> uuid.UUID:
    """Return the UUID in `text`.

    Raises:
        InvalidArgument: it is not one; `kind` names it in the sentence.

    """
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise InvalidArgument(f"{text!r} is not a {kind}: it is not a UUID.") from None
