"""The streams on a real server: made once, by the first connection, and refused where they are not Headwater's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.commits import a_commit, a_subject
from harness.servers import NatsNode

from headwater.core.errors import LogFull, SettingsError, StreamMismatch
from headwater.core.log.commit import Position
from headwater.core.log.jetstream import StreamSettings, open_log
from headwater.core.log.jetstream.connection import connect
from headwater.core.log.jetstream.streams import CONFIGS, ensure_streams, stream_info
from headwater.core.log.protocol import Log

DAY = 24 * 3600 * 10**9


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NatsNode]:
    node = NatsNode(tmp_path / "node")
    node.start()
    yield node
    node.kill()


async def test_streams_are_made_once_and_found_again(node: NatsNode) -> None:
    async with open_log(node.url, ensure_streams=True) as log:
        made = await log.events.tail()
    node.kill()
    node.start()
    async with open_log(node.url, ensure_streams=True) as log:
        await log.check_streams()
        assert await log.events.tail() == made


async def test_two_servers_that_start_at_once_make_one_log(node: NatsNode) -> None:
    identities: set[str] = set()

    async def start() -> None:
        async with open_log(node.url, ensure_streams=True) as log:
            identities.add((await log.events.tail()).identity)

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(start)
    assert len(identities) == 1


async def test_a_log_that_is_made_again_has_another_identity(node: NatsNode) -> None:
    async with open_log(node.url, ensure_streams=True) as log:
        before = (await log.events.tail()).identity
    await _ask(node, "STREAM.DELETE.EVENTS")
    async with open_log(node.url, ensure_streams=True) as log:
        assert (await log.events.tail()).identity != before


async def test_the_broker_itself_refuses_to_change_history(node: NatsNode) -> None:
    async with open_log(node.url, ensure_streams=True) as log:
        await log.events.append(a_subject(), a_commit(), expected=0)

    assert "error" in await _ask(node, "STREAM.MSG.DELETE.EVENTS", {"seq": 1})
    assert "error" in await _ask(node, "STREAM.PURGE.EVENTS")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metadata": {}}, "not made by Headwater"),
        ({"metadata": {"headwater.setup": "0"}}, "set-up version 0"),
        ({"metadata": {"headwater.setup": "99"}}, "set-up version 99"),
        ({"deny_delete": False}, "deny_delete is False, not True"),
        ({"allow_atomic": False}, "allow_atomic is False"),
        ({"republish": None}, "republish is None"),
        ({"subjects": ["hw.evt.>", "orders.>"]}, "orders"),
    ],
)
async def test_a_stream_that_is_not_as_it_must_be_is_refused_with_the_differences(
    node: NatsNode, change: dict[str, Any], named: str
) -> None:
    config = {"name": "EVENTS", **CONFIGS["EVENTS"], "metadata": {"headwater.setup": "1"}, **change}
    assert "error" not in await _ask(node, "STREAM.CREATE.EVENTS", config)

    with pytest.raises(StreamMismatch, match=named):
        async with open_log(node.url, ensure_streams=True):
            pass
    info = await _ask(node, "STREAM.INFO.EVENTS")
    assert info["config"]["subjects"] == config["subjects"]


async def test_a_stream_of_another_name_on_our_subjects_is_refused(node: NatsNode) -> None:
    await _ask(node, "STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["hw.log.>"]})

    with pytest.raises(StreamMismatch, match="LOGS"):
        async with open_log(node.url, ensure_streams=True):
            pass


async def test_missing_streams_are_named_by_the_check(node: NatsNode) -> None:
    async with open_log(node.url) as log:
        with pytest.raises(StreamMismatch, match="no stream EVENTS"):
            await log.check_streams()


async def test_several_replicas_on_a_single_server_are_refused(node: NatsNode) -> None:
    with pytest.raises(SettingsError, match="cluster"):
        async with open_log(node.url, ensure_streams=True, replicas=3):
            pass


async def test_log_lines_are_kept_as_long_as_was_said_last(node: NatsNode) -> None:
    kept = []
    for days in (None, 30.0, None, 0.5):
        async with open_log(node.url, ensure_streams=True, log_retention_days=days) as log:
            kept.append((await _ask(node, "STREAM.INFO.LOGS"))["config"]["max_age"])
            told = {size.name: size.age_seconds_max for size in await log.sizes()}

    assert kept == [7 * DAY, 30 * DAY, 30 * DAY, DAY // 2]
    assert told == {"EVENTS": None, "WORK": None, "LOGS": 12 * 3600}


async def test_a_full_log_says_so_and_keeps_what_it_has(node: NatsNode) -> None:
    subject = a_subject()
    async with connect(node.url) as connection:
        await ensure_streams(connection, StreamSettings(events_bytes_max=20_000))
    async with open_log(node.url) as log:
        written = await _append_until_refused(log, subject)

        assert 10 < written < 20
        events = (await log.sizes())[0]
        assert (events.name, events.messages, events.bytes_max) == ("EVENTS", written, 20_000)
        assert 18_000 < events.bytes <= 20_000
        assert (await log.events.read(subject))[0].position == 1
        assert (await log.events.tail()).position == written


async def test_on_a_cluster_each_message_lies_on_three_nodes(shared_nats_cluster: Any) -> None:
    async with open_log(shared_nats_cluster.url, ensure_streams=True, replicas=3) as log:
        await log.check_streams()
    async with connect(shared_nats_cluster.url) as connection:
        for name in CONFIGS:
            assert (await stream_info(connection, name)).config["num_replicas"] == 3
    # A client that asks for fewer replicas does not take any away.
    async with open_log(shared_nats_cluster.url, ensure_streams=True), connect(shared_nats_cluster.url) as connection:
        assert (await stream_info(connection, "EVENTS")).config["num_replicas"] == 3


async def _append_until_refused(log: Log, subject: str) -> Position:
    position: Position = 0
    while True:
        try:
            position = await log.events.append(subject, a_commit("x" * 1000), expected=position)
        except LogFull as full:
            assert "maximum bytes" in str(full)  # noqa: PT017
            return position


async def _ask(node: NatsNode, operation: str, question: Any = None) -> Any:
    async with connect(node.url) as connection:
        data = b"" if question is None else json.dumps(question).encode()
        return await connection.ask(f"$JS.API.{operation}", data, lambda message: json.loads(message.data), timeout=10)
