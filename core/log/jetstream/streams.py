"""The streams of the log: their configuration as data, made where they are missing, refused where they are not as they must be."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import msgspec

from headwater.core.errors import LogUnavailable, SettingsError, StreamMismatch, StreamMissing
from headwater.core.log import subjects
from headwater.core.log.jetstream.api import ApiRefusal, Backoff, ask_api
from headwater.core.log.jetstream.codec import DEAD, EVENTS, LOGS, WORK, ApiAnswer, moment
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.protocol import StreamSize

SETUP_VERSION = "1"
"""Raised with every change of a configuration below that an older program could not work with."""

LOG_RETENTION_DAYS = 7.0

_VERSION_KEY = "headwater.setup"
_IDENTITY_KEY = "headwater.identity"
_DAY_NANOSECONDS = 24 * 3600 * 10**9
_SETUP_SECONDS = 20.0
_DELETION_SECONDS = 1.0
"""A stream is not found from the first moment of its deletion, its files are taken away later: nats-server 2.15.1 panics, with all that
it serves, where the stream is made again in between (1 of 90 times when made at once, and 0 of 204 a second later)."""
_NEVER = "0001-01-01T00:00:00Z"
_NAME_IN_USE = 10058
_NO_PEERS = 10005  # a node of the cluster is not up, or not heard of yet
_SUBJECTS_OVERLAP = 10065
_NOT_A_CLUSTER = 10074

Config = Mapping[str, Any]


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator chooses. None leaves as it is what exists, and takes the default for what is made.

    `replicas` is raised on an existing stream where it is higher, never lowered. Sizes are in bytes; None is "no limit".
    """

    replicas: int = 1
    log_retention_days: float | None = None
    log_bytes_max: int | None = None
    events_bytes_max: int | None = None


# Facts: the broker itself refuses to change them, and refuses new ones rather than forget old ones when it is full.
_EVENTS_CONFIG: Config = {
    "subjects": [subjects.EVENTS_ALL],
    "retention": "limits",
    "storage": "file",
    "discard": "new",
    "deny_delete": True,
    "deny_purge": True,
    "allow_direct": True,
    "allow_atomic": True,
    "republish": {"src": subjects.EVENTS_ALL, "dest": subjects.live(subjects.EVENTS_ALL)},
}
# Work items and timers. Without limits nothing is discarded; the broker allows no "new" where it schedules messages.
_WORK_CONFIG: Config = {
    "subjects": [subjects.SCHEDULED_ALL, subjects.TIMERS_ALL],
    "retention": "workqueue",
    "storage": "file",
    "discard": "old",
    "allow_direct": True,
    "allow_msg_schedules": True,
}
_LOGS_CONFIG: Config = {
    "subjects": [subjects.RUN_LOGS_ALL],
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "allow_direct": True,
}
# Messages set aside: few, and a flood of them must fill no disk. A limit in bytes would be reserved, and a small disk has no room for that.
_DEAD_CONFIG: Config = {
    "subjects": [subjects.DEAD_ALL],
    "retention": "limits",
    "storage": "file",
    "discard": "old",
    "allow_direct": True,
    "max_msgs": 1_000,
}
CONFIGS: Mapping[str, Config] = {EVENTS: _EVENTS_CONFIG, WORK: _WORK_CONFIG, LOGS: _LOGS_CONFIG, DEAD: _DEAD_CONFIG}
_SIZES_TOLD = (EVENTS, WORK, LOGS)


class StreamState(msgspec.Struct, frozen=True):
    """How far a stream goes."""

    first_seq: int = 0
    last_seq: int = 0
    messages: int = 0
    bytes: int = 0
    first_ts: str = ""
    last_ts: str = ""


class StreamInfo(ApiAnswer, frozen=True):
    """A stream as the server describes it."""

    config: dict[str, Any] = {}
    created: str = ""
    ts: str = ""
    state: StreamState = StreamState()

    def __post_init__(self) -> None:
        for text in (self.ts, self.state.first_ts, self.state.last_ts):
            if text and text != _NEVER:
                moment(text)

    @property
    def identity(self) -> str:
        """What distinguishes this stream from another one of its name, made later."""
        metadata = self.config.get("metadata") or {}
        return str(metadata.get(_IDENTITY_KEY) or self.created)


async def stream_info(connection: Connection, name: str) -> StreamInfo:
    """Describe a stream.

    Raises:
        ApiRefusal: there is none of this name (`not_found`).
        LogUnavailable: no answer.

    """
    return await ask_api(connection, f"STREAM.INFO.{name}", None, StreamInfo)


async def stream_sizes(connection: Connection) -> tuple[StreamSize, ...]:
    """Return how much each of our streams holds; those that are not there are left out.

    Raises:
        LogUnavailable: no answer.

    """
    found = []
    for name in _SIZES_TOLD:
        try:
            info = await stream_info(connection, name)
        except ApiRefusal as refusal:
            if not refusal.not_found:
                raise
            continue
        found.append(_size(name, info))
    return tuple(found)


def _size(name: str, info: StreamInfo) -> StreamSize:
    bytes_max, age = info.config.get("max_bytes", -1), info.config.get("max_age", 0)
    empty = info.state.messages == 0
    return StreamSize(
        name=name,
        messages=info.state.messages,
        bytes=info.state.bytes,
        first=None if empty else moment(info.state.first_ts),
        last=None if empty else moment(info.state.last_ts),
        bytes_max=bytes_max if bytes_max > 0 else None,
        age_seconds_max=age / 10**9 if age else None,
        replicas=info.config.get("num_replicas", 1),
    )


async def ensure_streams(connection: Connection, settings: StreamSettings) -> None:
    """Make the streams that are missing and check those that exist. May run in several processes at once, and again.

    Raises:
        StreamMismatch: a stream of our name or on our subjects is older, newer, or not ours.
        SettingsError: several replicas are asked of a single server.
        LogUnavailable: JetStream does not answer, or the cluster has too few nodes for the replicas.

    """
    for name in CONFIGS:
        await _ensure(connection, name, settings)


async def restore(connection: Connection, name: str) -> None:
    """Make a stream where an operator deleted it: of work, log lines or dead letters. The facts do without it, and what comes needs it.

    What lies in it from here on lies beyond all that lay in the one before.

    Raises:
        ApiRefusal: there are no facts either (`not_found`): this is not a log of Headwater.
        StreamMismatch, LogUnavailable: as `ensure_streams`.

    """
    assert name != EVENTS, "facts that were deleted are not made up for by a stream"
    try:
        await stream_info(connection, name)
    except ApiRefusal as refusal:
        if not refusal.not_found:
            raise
        facts = await stream_info(connection, EVENTS)
        await anyio.sleep(_DELETION_SECONDS)
        await _ensure(connection, name, StreamSettings(replicas=facts.config.get("num_replicas", 1)), anew=True)


async def ensure_work(connection: Connection) -> None:
    """Make the stream of work items and timers where an operator deleted it; see `restore`."""
    await restore(connection, WORK)


async def ensure_logs(connection: Connection) -> None:
    """Make the stream of log lines where an operator deleted it; see `restore`."""
    await restore(connection, LOGS)


async def ensure_dead(connection: Connection) -> None:
    """Make the stream of dead letters where an operator deleted it; see `restore`."""
    await restore(connection, DEAD)


async def check_streams(connection: Connection) -> None:
    """Check that the streams exist and are as this version needs them.

    Raises:
        StreamMissing: one is not there.
        StreamMismatch: one is older, newer, or not ours.
        LogUnavailable: JetStream does not answer.

    """
    for name in CONFIGS:
        try:
            _refuse_differences(name, (await stream_info(connection, name)).config)
        except ApiRefusal as refusal:
            if not refusal.not_found:
                raise
            raise StreamMissing(name) from None


def differences(name: str, existing: Config) -> list[str]:
    """Return what in a stream's configuration is not as this version needs it, in words; nothing where it fits."""
    return list(_differences(CONFIGS[name], existing))


def _differences(wanted: Config, existing: Config) -> Iterator[str]:
    metadata = existing.get("metadata") or {}
    version = metadata.get(_VERSION_KEY)
    if version is None:
        yield "it was not made by Headwater"
    elif version != SETUP_VERSION:
        yield f"it has set-up version {version}, this program needs {SETUP_VERSION}"
    for key, value in wanted.items():
        # The server leaves out what is false or empty.
        found = existing.get(key, False if isinstance(value, bool) else None)
        if found != value:
            yield f"{key} is {found!r}, not {value!r}"


def _refuse_differences(name: str, existing: Config) -> None:
    found = differences(name, existing)
    if found:
        raise StreamMismatch(
            f"The stream {name} on this NATS server cannot be used: {'; '.join(found)}.",
            hint="Use another NATS server or account, or the version of Headwater that made this stream.",
        )


async def _ensure(connection: Connection, name: str, settings: StreamSettings, *, anew: bool = False) -> None:
    reason = ""
    backoff = Backoff(_SETUP_SECONDS)
    while await backoff.lasts():
        try:
            info = await stream_info(connection, name)
        except ApiRefusal as refusal:
            if not refusal.not_found:
                raise
            try:
                await ask_api(connection, f"STREAM.CREATE.{name}", _new_config(name, settings, anew=anew), StreamInfo)
            except ApiRefusal as refused:
                # Another program made it in between (then it is looked at), or the cluster is not complete yet (then again).
                if refused.error.err_code == _SUBJECTS_OVERLAP:
                    raise StreamMismatch(
                        f"Another stream of this NATS server holds the subjects of {name} ({', '.join(CONFIGS[name]['subjects'])}).",
                        hint="Remove that stream, or use another NATS server or account.",
                    ) from None
                if refused.error.err_code == _NOT_A_CLUSTER:
                    raise SettingsError(
                        f"{settings.replicas} replicas need a cluster; the NATS server at {connection.address} is none."
                    ) from None
                if refused.error.err_code not in {_NAME_IN_USE, _NO_PEERS} and refused.error.code < 500:  # noqa: PLR2004 - a refusal for good
                    raise
                reason = str(refused.error)
            continue
        _refuse_differences(name, info.config)
        changed = _changed_by(name, info.config, settings)
        if not changed:
            return
        await ask_api(connection, f"STREAM.UPDATE.{name}", {**info.config, **changed}, StreamInfo)
        return
    raise LogUnavailable(connection.address, f"the stream {name} cannot be made: {reason}")


def _new_config(name: str, settings: StreamSettings, *, anew: bool) -> dict[str, Any]:
    chosen = _chosen(name, settings)
    if name == WORK or anew:
        # Items are done with by their sequence, and lines read on from it: where the stream is made again, none may have that of one that
        # was lost.
        chosen["first_seq"] = time.time_ns() // 1_000_000
    if name == LOGS:
        chosen.setdefault("max_age", int(LOG_RETENTION_DAYS * _DAY_NANOSECONDS))
    metadata = {_VERSION_KEY: SETUP_VERSION, _IDENTITY_KEY: str(uuid.uuid4())}
    return {"name": name, **CONFIGS[name], "num_replicas": settings.replicas, **chosen, "metadata": metadata}


def _changed_by(name: str, existing: Config, settings: StreamSettings) -> dict[str, Any]:
    changed = {key: value for key, value in _chosen(name, settings).items() if existing.get(key) != value}
    if settings.replicas > existing.get("num_replicas", 1):
        changed["num_replicas"] = settings.replicas
    return changed


def _chosen(name: str, settings: StreamSettings) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if name == LOGS and settings.log_retention_days is not None:
        chosen["max_age"] = int(settings.log_retention_days * _DAY_NANOSECONDS)
    if name == LOGS and settings.log_bytes_max is not None:
        chosen["max_bytes"] = settings.log_bytes_max
    if name == EVENTS and settings.events_bytes_max is not None:
        chosen["max_bytes"] = settings.events_bytes_max
    return chosen
