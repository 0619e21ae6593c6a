"""Fixtures for everyone: real nats-server processes, a real PostgreSQL, and cheap isolation between tests."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.logging import LogCaptureHandler
from harness.server_process import ServerProcess
from harness.servers import NatsCluster, NatsNode, Postgres

from headwater.sdk.context.logging import get_logger

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets what it starts in the background ignore Ctrl-C. What the tests interrupt must not: neither tasks nor programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # `nohup` lets it ignore a closed terminal, too, which tests tell programs of.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def logging_stays_as_it_is() -> Iterator[None]:
    """Logging is set up once in a process: what a test takes from it, all later ones would lack."""
    before = logging_set_up()
    yield
    assert logging_set_up() == before


def logging_set_up() -> tuple[object, ...]:
    logger = get_logger()
    # pytest adds handlers of its own to loggers that do not propagate.
    handlers = [handler for handler in logger.handlers if not isinstance(handler, LogCaptureHandler)]
    return handlers, logger.level, logger.propagate, logger.disabled, logging.root.manager.disable


@pytest.fixture
def nats_node(tmp_path: Path) -> Iterator[NatsNode]:
    """A fresh nats-server for this test alone: no streams, free to be killed and restarted."""
    node = NatsNode(tmp_path / "nats")
    node.start()
    yield node
    node.kill()


@pytest.fixture
def nats_url(nats_node: NatsNode) -> str:
    """The address of a fresh nats-server for this test alone."""
    return nats_node.url


@pytest.fixture(scope="module")
def module_nats_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsNode]:
    """One nats-server for all tests of a module; what one test writes, the next one finds."""
    node = NatsNode(tmp_path_factory.mktemp("nats"))
    node.start()
    yield node
    node.kill()


@pytest.fixture(scope="session")
def shared_nats_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsNode]:
    """One nats-server for the whole session; tests must name their own subjects and must not kill it."""
    node = NatsNode(tmp_path_factory.mktemp("nats"))
    node.start()
    yield node
    node.kill()


@pytest.fixture
def nats_cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    """Three fresh nats-server processes for this test alone; kill and restart nodes as you like."""
    cluster = NatsCluster(tmp_path / "cluster")
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def shared_nats_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """Three nats-server processes for the whole session; leave them running and delete your streams."""
    cluster = NatsCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL for the whole session."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of a new, empty database for this test alone."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def headwater_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A Headwater server without services in a home of its own, as a process; not started yet."""
    server = ServerProcess(tmp_path / "home")
    yield server
    server.make_sure_it_ended()
