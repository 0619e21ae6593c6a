"""A log that was lost does not take the views with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.running_server import RunningServer
from harness.scenario import create_flow, create_run
from harness.views_fixtures import WAIT_SECONDS

from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import LogTail
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.schema import Build
from headwater.server.errors import LogLost
from headwater.server.nats.lost_log import refuse_lost


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path)
    yield server
    server.stop()


def views_at(position: int) -> Build:
    return Build("headwater_v1_1", 1, "this log", position, live=True)


@pytest.mark.parametrize(
    ("views", "tail", "is_lost"),
    [
        (None, None, False),
        (views_at(0), None, False),
        (views_at(7), None, True),
        (views_at(7), LogTail("another log", 0), True),
        (views_at(7), LogTail("another log", 6), True),
        (views_at(7), LogTail("another log", 7), False),
        (views_at(7), LogTail("this log", 6), True),
        (views_at(7), LogTail("this log", 7), False),
        (views_at(7), LogTail("this log", 8), False),
    ],
)
def test_a_log_shorter_than_the_views_is_a_lost_one(views: Build | None, tail: LogTail | None, is_lost: bool) -> None:
    if is_lost:
        with pytest.raises(LogLost):
            refuse_lost(views, tail)
    else:
        refuse_lost(views, tail)


async def test_without_its_log_the_server_refuses_to_start_until_an_option_says_to_go_on(server: RunningServer, tmp_path: Path) -> None:
    server.start()
    async with open_log(server.addresses.nats_url) as log:
        flow_id = (await create_flow(log)).flow_id
        created = await create_run(log, flow_id)
        await ViewsClient(log, wait_seconds=WAIT_SECONDS).run(created.run_id, at_least=created.position)
        position = (await log.events.tail()).position
    server.stop()
    shutil.move(server.home / "nats" / "data", tmp_path / "kept")

    server.start_without_waiting()
    assert server.ended() == 1
    assert f"show {position} commits, and the log here is empty" in server.said
    assert "--accept-new-log" in server.said

    shutil.rmtree(server.home / "nats" / "data")
    shutil.move(tmp_path / "kept", server.home / "nats" / "data")
    server.start()
    async with open_log(server.addresses.nats_url) as log:
        assert [row.id for row in await ViewsClient(log).runs()] == [created.run_id]
    server.stop()

    shutil.rmtree(server.home / "nats" / "data")
    anew = RunningServer(tmp_path, "--accept-new-log")
    anew.start()
    try:
        async with open_log(anew.addresses.nats_url) as log:
            assert await ViewsClient(log, wait_seconds=WAIT_SECONDS).runs() == []
    finally:
        anew.stop()
