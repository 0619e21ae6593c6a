"""Connecting: errors at once and in words; afterwards, patience."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from harness.commits import a_commit, a_subject, an_item
from harness.servers import NatsNode, free_ports

from headwater.core.errors import AuthenticationFailed, LogUnavailable, OutcomeUnknown, RequestTimeout, SettingsError
from headwater.core.log.jetstream import LogTimes, open_log
from headwater.core.log.protocol import QueueBinding


@pytest.fixture
def locked_node(tmp_path: Path) -> Iterator[NatsNode]:
    node = NatsNode(tmp_path / "locked", key="open sesame: $1 'and' \"2\"")
    node.start()
    yield node
    node.kill()


async def test_no_server_there_is_said_with_the_address() -> None:
    url = f"nats://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(LogUnavailable, match="connection refused") as away:
        async with open_log(url):
            pass
    assert away.value.address == url
    assert url in str(away.value)
    assert "headwater server start" in str(away.value.hint)


async def test_a_server_that_never_speaks_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, anyio.fail_after(10), pytest.raises(LogUnavailable):
        async with open_log(f"nats://127.0.0.1:{silent.getsockname()[1]}"):
            pass


async def test_a_server_that_speaks_something_else_is_not_a_server() -> None:
    async def speak(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, speak)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with anyio.fail_after(10), pytest.raises(LogUnavailable):
            async with open_log(f"nats://127.0.0.1:{port}"):
                pass
        group.cancel_scope.cancel()


@pytest.mark.parametrize("address", ["nats://127.0.0.1:port", "nats://:4222", ""])
async def test_what_is_not_an_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError):
        async with open_log(address):
            pass


@pytest.mark.parametrize("key", [None, "", "open says me"])
async def test_a_missing_or_wrong_key_is_refused(locked_node: NatsNode, key: str | None) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        async with open_log(locked_node.url, key):
            pass
    assert ("none was sent" in str(refused.value)) == (not key)


async def test_the_right_key_opens(locked_node: NatsNode) -> None:
    async with open_log(locked_node.url, locked_node.key, "cli", ensure_streams=True) as log:
        await log.events.append(a_subject(), a_commit(), expected=0)


async def test_of_several_addresses_one_that_works_is_enough(locked_node: NatsNode) -> None:
    dead = f"nats://127.0.0.1:{free_ports(1)[0]}"
    for _ in range(4):  # the order is drawn by lot
        async with open_log(f"{dead}, {locked_node.url}", locked_node.key, ensure_streams=True) as log:
            assert (await log.events.tail()).position == 0


async def test_a_log_that_was_never_made_is_unavailable(nats_url: str) -> None:
    async with open_log(nats_url) as log:
        with pytest.raises(RequestTimeout):
            await log.request("hw.evt.run.x", b"", timeout=1)


async def test_an_append_that_begins_while_the_broker_is_away_takes_effect_when_it_is_back(nats_node: NatsNode) -> None:
    subject = a_subject()
    async with open_log(nats_node.url, ensure_streams=True) as log:
        nats_node.kill()
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: log.events.append(subject, a_commit(), expected=0))
            await anyio.wait_all_tasks_blocked()
            nats_node.start()
        assert len(await log.events.read(subject)) == 1


async def test_an_append_to_a_frozen_broker_ends_with_the_truth(nats_node: NatsNode) -> None:
    subject, commit = a_subject(), a_commit()
    async with open_log(nats_node.url, ensure_streams=True, times=LogTimes(call_seconds=0.5)) as log:
        nats_node.pause()
        with pytest.raises(OutcomeUnknown) as unknown:
            await log.events.append(subject, commit, expected=0)
        assert unknown.value.commit_id == commit.id
        nats_node.resume()

        # What was unknown is settled by repeating it.
        position = await log.events.append(subject, commit, expected=0)
        [recorded] = await log.events.read(subject, at_least=position)
        assert recorded.commit == commit


async def test_nothing_of_a_connection_is_left_when_it_is_closed(nats_node: NatsNode) -> None:
    async with (
        open_log(nats_node.url, name="leaver", ensure_streams=True) as log,
        log.events.follow("hw.evt.>"),
        log.events.follow("hw.evt.run.x"),
        log.queues.bind("q", lease_seconds=10),
    ):
        assert nats_node.monitor("connz")["num_connections"] == 1
    before = {task.name for task in anyio.get_running_tasks()}
    assert len(before) == 1


async def test_an_agent_that_waits_for_work_asks_once_and_then_says_nothing(nats_node: NatsNode) -> None:
    async with (
        open_log(nats_node.url, name="waiting", ensure_streams=True) as log,
        open_log(nats_node.url, name="busy") as other,
        log.queues.bind("quiet", lease_seconds=10) as binding,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_first, binding)
        await anyio.wait_all_tasks_blocked()
        said = _messages_from(nats_node, "waiting")
        for number in range(200):
            await other.queues.enqueue(an_item("busy"))
            await other.events.append(a_subject(), a_commit(str(number)), expected=0)

        assert _messages_from(nats_node, "waiting") == said
        await other.queues.enqueue(an_item("quiet"))


async def _first(binding: QueueBinding) -> None:
    await anext(aiter(binding))


def _messages_from(node: NatsNode, name: str) -> int:
    [connection] = [each for each in node.monitor("connz")["connections"] if each["name"] == name]
    return int(connection["in_msgs"])
