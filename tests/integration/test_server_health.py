"""Whether a server is ready, told by itself and of itself, whatever of it is away, frozen or dead."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from harness.running_server import RunningServer
from harness.scenario import create_flow, create_run
from harness.servers import NatsCluster, NatsNode, Postgres, eventually, wait_for

from headwater.core.errors import LogNotWritable, OutcomeUnknown
from headwater.core.log import subjects
from headwater.core.log.jetstream import LogTimes, StreamSettings, open_log
from headwater.core.log.protocol import Log
from headwater.core.queries.views_client import ViewsClient


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL for this test alone, to be killed."""
    server = Postgres(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def two_servers(tmp_path: Path, nats_node: NatsNode, postgres: Postgres) -> Iterator[list[RunningServer]]:
    arguments = ("--nats-url", nats_node.url, "--database-url", postgres.create_database())
    found = [RunningServer(tmp_path / name, *arguments) for name in ("first", "second")]
    for server in found:
        server.start()
    yield found
    for server in found:
        server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path / "alone")
    server.start()
    yield server
    server.stop()


def test_after_an_outage_of_postgresql_both_servers_are_ready_again(two_servers: list[RunningServer], postgres: Postgres) -> None:
    for server in two_servers:
        server.wait_until_ready()
    postgres.kill()
    for server in two_servers:
        wait_for(lambda server=server: "PostgreSQL" in server.problem("views"), "the outage told")  # type: ignore[misc]
    postgres.start()

    for server in two_servers:
        server.wait_until_ready()
    assert [server.ready()[0] for server in two_servers * 20] == [200] * 40
    assert two_servers[0].command_line("--nats-url", two_servers[0].addresses.nats_url, "doctor").code == 0


async def test_a_frozen_server_answers_for_no_other(two_servers: list[RunningServer], nats_node: NatsNode) -> None:
    frozen, lively = two_servers
    frozen.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: lively.ready()[0] == 200, "the other one ready")
        assert [lively.ready()[0] for _ in range(10)] == [200] * 10
        async with open_log(nats_node.url) as log:
            views = ViewsClient(log)
            with anyio.fail_after(30):  # 10 questions, of which the frozen one gets about half
                assert [await views.runs() for _ in range(10)] == [[]] * 10
    finally:
        frozen.signal(signal.SIGCONT)


@pytest.mark.parametrize(("program", "part"), [("nats-server", "log"), ("postgres", "views")])
def test_ready_answers_in_time_whatever_is_frozen_and_says_what_it_is(server: RunningServer, program: str, part: str) -> None:
    with server.frozen(program):
        status, told = server.ready()
        assert status == 503
        assert set(told["problems"]) == {part}
    server.wait_until_ready()


def test_no_caller_waits_for_views_that_are_known_to_hang(server: RunningServer) -> None:
    with server.frozen("postgres"):
        wait_for(lambda: "PostgreSQL" in server.problem("views"), "the outage told")
        doctor, status = server.command_line("doctor"), server.command_line("server", "status")
        assert doctor.code == 1
        assert re.search("✗ Views +PostgreSQL (did|is away: it does) not answer", doctor.out)
        assert re.search("Views +PostgreSQL (did|is away: it does) not answer", status.out)
        assert "PostgreSQL is away: it does not answer" in server.command_line("get", "flow-runs").err
    server.wait_until_ready()


def test_the_doctor_says_that_no_server_answers_where_all_of_them_hang(two_servers: list[RunningServer]) -> None:
    for server in two_servers:
        server.signal(signal.SIGSTOP)
    try:
        doctor = two_servers[0].command_line("--nats-url", two_servers[0].addresses.nats_url, "doctor")
        assert doctor.code == 1
        assert "no Headwater server answers there" in doctor.out
        assert "Views" not in doctor.out
    finally:
        for server in two_servers:
            server.signal(signal.SIGCONT)


async def test_a_node_that_is_frozen_is_left_for_another_one(nats_cluster: NatsCluster) -> None:
    for node in nats_cluster.nodes:
        async with open_log(node.url) as log:
            await log.ensure_streams(StreamSettings(replicas=3))
            node.pause()
            try:
                # Far below the time of the pings by which a dead connection is found.
                await eventually(lambda log=log: takes_writes(log), "another node asked", but_for=(AssertionError,), timeout_seconds=20)  # type: ignore[misc]
            finally:
                node.resume()


async def takes_writes(log: Log) -> None:
    assert await log.write_problem(timeout_seconds=1.0) is None


@pytest.mark.parametrize("leads", [True, False], ids=["its leader left", "its leader gone"])
async def test_without_a_majority_nothing_says_that_it_is_ready(
    nats_cluster: NatsCluster, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, leads: bool
) -> None:
    server = RunningServer(tmp_path / "clustered", "--nats-url", nats_cluster.url, "--database-url", database_url, "--replicas", "3")
    server.start()
    try:
        async with open_log(nats_cluster.url, times=LogTimes(call_seconds=3.0)) as log:
            flow_id = (await create_flow(log)).flow_id
            before = (await log.events.tail()).position
            server.wait_until_ready()
            leader = nats_cluster.leader_of("EVENTS")
            kept = leader if leads else next(node for node in nats_cluster.nodes if node is not leader)
            for node in nats_cluster.nodes:
                if node is not kept:
                    node.kill()
            wait_for(lambda: "majority" in server.problem("log"), "the missing majority told")
            assert "does not answer" not in server.problem("log")
            with pytest.raises((LogNotWritable, OutcomeUnknown), match="majority"):
                await create_run(log, flow_id)
            if not leads:
                with pytest.raises(LogNotWritable, match="majority"):
                    await log.events.read(subjects.run(flow_id))
            doctor = server.command_line("--nats-url", kept.url, "doctor")
            assert doctor.code == 1
            assert "majority" in doctor.out

            nats_cluster.start()
            server.wait_until_ready()
            assert (await log.events.tail()).position <= before + 2, "asking whether the log takes writes leaves nothing there"
            await create_run(log, flow_id)
    finally:
        server.stop()


def test_a_part_that_dies_is_reported_and_comes_back(server: RunningServer) -> None:
    metrics = server.page("/metrics")

    assert 'headwater_part_up{part="projector"} 1.0' in metrics
    assert 'headwater_schedule_skipped_total{because="overlap"} 0.0' in metrics
    assert "headwater_ready 1.0" in metrics
    assert "projector" in server.page("/default/server")
