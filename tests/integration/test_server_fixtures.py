"""The servers that every other test stands on are themselves real and behave as promised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import asyncpg
import nats
import nats.errors
from harness.servers import NatsCluster, NatsNode
from nats.js.api import StreamConfig

ELECTION_SECONDS = 60.0

Answer = TypeVar("Answer")


async def answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until a node answers: a node is named the leader an instant before it serves, and the others leave such questions to it."""
    with anyio.fail_after(ELECTION_SECONDS):
        while True:
            try:
                return await ask()
            except nats.errors.TimeoutError:
                continue


async def test_a_killed_node_comes_back_at_the_same_address_with_its_data(nats_node: NatsNode) -> None:
    client = await nats.connect(nats_node.url)
    await client.jetstream().add_stream(StreamConfig(name="S", subjects=["s.>"]))
    await client.jetstream().publish("s.one", b"kept")
    await client.close()

    nats_node.kill()
    nats_node.start()

    client = await nats.connect(nats_node.url)
    kept = await client.jetstream().get_msg("S", seq=1)
    await client.close()
    assert kept.data == b"kept"
    assert nats_node.monitor("varz")["max_pending"] == 8 * 1024 * 1024


async def test_a_cluster_survives_the_death_of_a_stream_leader(nats_cluster: NatsCluster) -> None:
    client = await nats.connect(nats_cluster.urls)
    await client.jetstream().add_stream(StreamConfig(name="S", subjects=["s.>"], num_replicas=3))
    await client.jetstream().publish("s.one", b"kept")

    leader = nats_cluster.leader_of("S")
    leader.kill()
    successor = nats_cluster.leader_of("S")
    await client.close()

    client = await nats.connect(successor.url)
    kept = await answered(lambda: client.jetstream(timeout=1).get_msg("S", seq=1))
    await client.close()
    assert kept.data == b"kept"
    assert successor is not leader

    leader.start()
    assert leader.is_ready()


async def test_each_test_has_an_empty_database(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        version = await connection.fetchval("SHOW server_version")
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()

    assert version.startswith("18.")
    assert tables == 0
