"""One contract, three logs: memory, one nats-server, and three of them with every message on each (R3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from harness.brokers import Broker, InMemory, OneNode, ThreeNodes
from harness.servers import NatsCluster, NatsNode

from headwater.core.log.protocol import Log
from headwater.core.values.identifiers import new_id


@pytest.fixture(scope="session", params=["memory", "one node", "three nodes"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The log under test; tests leave it running."""
    if request.param == "memory":
        yield InMemory()
    elif request.param == "one node":
        node = NatsNode(tmp_path_factory.mktemp("node"))
        node.start()
        yield OneNode(node)
        node.kill()
    else:
        cluster = NatsCluster(tmp_path_factory.mktemp("cluster"))
        cluster.start()
        yield ThreeNodes(cluster)
        cluster.stop()


@pytest.fixture
async def log(broker: Broker) -> AsyncIterator[Log]:
    async with broker.open() as opened:
        yield opened


@pytest.fixture
async def other(broker: Broker, log: Log) -> AsyncIterator[Log]:
    """A second connection to the same log: another program."""
    async with broker.open() as opened:
        yield opened


@pytest.fixture
def queue_id() -> str:
    """A queue that no other test has."""
    return new_id()
