"""A full disk is not for ever: the server says so while it lasts, and goes on by itself when there is room again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.agent_harness import agent_harness, running_agent
from harness.monitor_fixtures import promises_are_kept
from harness.running_server import RunningServer
from harness.scenario import create_flow, create_run
from harness.servers import NatsNode, wait_for
from harness.small_disks import SmallDisk, small_disk

from headwater.core.errors import LogError, LogFull, RunUnknown
from headwater.core.log.jetstream import LogTimes, open_log
from headwater.core.operations.run_lookup import run
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

LARGE = {"padding": "x" * 20_000}
"""What fits into no corner of a page that is free by chance on a full disk."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "160m") as disk:
        yield disk


@pytest.fixture
def server(tmp_path: Path, disk: SmallDisk) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path, home=disk.path / "home")
    yield server
    server.stop()


async def test_a_full_log_says_so_and_takes_writes_again_when_there_is_room(server: RunningServer, disk: SmallDisk) -> None:
    server.start()
    async with open_log(server.addresses.nats_url) as log:
        flow_id = (await create_flow(log)).flow_id
        await create_run(log, flow_id)
        disk.fill()
        with pytest.raises((LogFull, RunUnknown), match=r"[Tt]he log is full.*no space left on device"):
            await create_run(log, flow_id, context=LARGE)

        status, told = server.ready()
        doctor, shown = server.command_line("doctor"), server.command_line("server", "status")
        metrics = server.page("/metrics")
        disk.make_room()
        server.wait_until_ready()
        created = await create_run(log, flow_id, context=LARGE)
        assert (await run(log.events, created.run_id).refresh()).exists

    assert status == 503
    assert "It takes no writes: no space left on device" in told["problems"]["log"]
    assert doctor.code == 1
    assert "takes no writes: no space left on device" in doctor.out
    assert "takes no writes: no space left on device" in shown.out
    assert "headwater_log_writable 0.0" in metrics
    assert "nats-server is started again: a write had failed (no space left on device), and there is room" in server.said
    assert "Traceback" not in server.said


async def test_the_doctor_names_the_disk_where_it_keeps_the_home_s_nats_server_from_starting(
    server: RunningServer, disk: SmallDisk
) -> None:
    server.start()
    disk.fill()
    for process in server.children("nats-server"):
        process.kill()
    wait_for(lambda: "is not started before there is room" in server.said, "the start put off")

    doctor = server.command_line("doctor")
    disk.make_room()
    server.wait_until_ready()

    assert doctor.code == 1
    assert f"runs here (PID {server.pid})" in doctor.out
    assert "no space left on device" in doctor.out


async def test_views_that_find_no_room_say_so_once_and_go_on_when_there_is_some(tmp_path: Path) -> None:
    with small_disk(tmp_path / "home" / "postgres", "220m") as disk:
        disk.path.chmod(0o700)
        server = RunningServer(tmp_path, home=tmp_path / "home")
        server.start()
        try:
            async with open_log(server.addresses.nats_url) as log:
                flow_id = (await create_flow(log)).flow_id
                server.wait_until_ready()
                disk.fill()
                while "No space left" not in server.problem("views"):
                    await create_run(log, flow_id, context=LARGE)
                doctor = server.command_line("doctor")
                told = [server.problem("views") for _ in range(50)]
                disk.make_room()
                server.wait_until_ready()
        finally:
            server.stop()

    assert doctor.code == 1
    assert "No space left" in doctor.out
    assert all(told), "that the views are written again is told when they are"
    assert server.said.count("The projector waits: PostgreSQL refused") == server.said.count("The projector goes on.") == 1


async def test_a_nats_server_that_hangs_on_a_full_disk_is_ended_before_it_takes_the_memory(server: RunningServer, disk: SmallDisk) -> None:
    server.start()
    async with open_log(server.addresses.nats_url) as log:
        flow_id = (await create_flow(log)).flow_id
        disk.fill()
        with pytest.raises(LogError):
            await create_run(log, flow_id, context=LARGE)  # the first item ever: nats-server 2.15.1 hangs, and takes gigabytes
        wait_for(lambda: not server.children("nats-server"), "nats-server ended")
        status, told = server.ready()

        disk.make_room()
        server.wait_until_ready()
        created = await create_run(log, flow_id, context=LARGE)
        assert (await run(log.events, created.run_id).refresh()).exists

    assert status == 503
    assert "no space left on device" in told["problems"]["log"]
    assert "nats-server is not started before there is room" in server.said
    assert "Traceback" not in server.said


async def test_a_log_that_began_on_a_nearly_full_disk_may_use_what_becomes_free(server: RunningServer, disk: SmallDisk) -> None:
    server.start()
    server.stop()
    disk.fill()
    with (disk.path / "filler").open("r+b") as filler:
        filler.truncate(filler.seek(0, 2) - 28 * 2**20)
    server.start()
    disk.make_room()

    async with open_log(server.addresses.nats_url) as log:
        flow_id = (await create_flow(log)).flow_id
        for _ in range(40):  # 24 MB and more, with the wake-ups: three quarters of what was free at the start are less
            await create_run(log, flow_id, context={"padding": "x" * 300_000})
    limit = int((server.home / "nats" / "nats.conf").read_text().split("max_file_store: ")[1].split()[0])
    assert limit == 160 * 2**20
    assert "JetStream's limit is 168 MB" in server.command_line("server", "status").out


async def test_the_limit_follows_a_file_system_that_grows(server: RunningServer, disk: SmallDisk) -> None:
    server.start()
    disk.grow("300m")

    wait_for(lambda: server.addresses.pid == server.pid and "max_file_store: 314572800" in _conf(server), "the limit raised")
    wait_for(lambda: "JetStream's limit is 315 MB" in server.command_line("server", "status").out, "the limit in use")


def _conf(server: RunningServer) -> str:
    return (server.home / "nats" / "nats.conf").read_text()


async def test_a_full_disk_under_another_s_nats_shows_by_appends_that_go_unanswered(
    tmp_path: Path, disk: SmallDisk, database_url: str
) -> None:
    node = NatsNode(disk.path / "nats")
    node.start()
    server = RunningServer(tmp_path / "beside", "--nats-url", node.url, "--database-url", database_url)
    server.start()
    try:
        async with open_log(node.url, times=LogTimes(call_seconds=4.0)) as log:
            flow_id = (await create_flow(log)).flow_id
            await create_run(log, flow_id)
            disk.fill()
            with pytest.raises(LogError, match="takes no writes: it answers questions, and no appends"):
                await create_run(log, flow_id, context=LARGE)
            assert "It takes no writes: it answers questions, and no appends" in server.problem("log")

            disk.make_room()
            node.stop()
            node.start()
            server.wait_until_ready()
            await create_run(log, flow_id, context=LARGE)
    finally:
        server.stop()
        node.kill()


async def test_runs_that_are_running_when_the_disk_is_full_end_when_there_is_room(
    server: RunningServer, disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "agent-home"))
    gate = tmp_path / "gate"

    @task
    def chat_at_gate() -> None:
        while not gate.exists():
            context.get("logger").info("x" * 5_000)
            time.sleep(0.05)

    server.start()
    url = server.addresses.nats_url
    async with agent_harness(url) as harness, running_agent(url):
        flow_id = await harness.register(Flow("chatty-flow", tasks=[chat_at_gate]))
        run_ids = [await harness.run(flow_id) for _ in range(2)]
        for run_id in run_ids:
            await harness.happened(run_id, "task_run.started")
        disk.fill()
        wait_for(lambda: "no space left on device" in server.problem("log"), "the full disk told")
        gate.touch()
        with pytest.raises(LogError):
            await harness.run(flow_id, context=LARGE)

        disk.make_room()
        server.wait_until_ready()
        ended = [await harness.ended(run_id) for run_id in run_ids]
        assert [(each.state, each.attempt) for each in ended] == [(StateName.SUCCESS, 1)] * 2
        await promises_are_kept(harness.log)
