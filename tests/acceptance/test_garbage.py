"""No message ends a process: every kind of garbage on every subject, against a real server, agent, command line and pages."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from harness.command_line import COMMAND, HELLO_FLOW, CommandLine
from harness.garbage import ODD_HEADERS, ODD_SUBJECTS, bad_commits, every_subject, mutated, odd_commits, other_messages
from harness.servers import free_ports, wait_for
from harness.strangers import Stranger
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.program.server_file import ServerFile, read_server_file

SPINNING = 3
"""So many times the messages of before are more than what is left to settle; a program that spins says thousands."""


class Site:
    """A server, an agent, and the command line, all of one home; the server may be restarted at its addresses."""

    def __init__(self, directory: Path) -> None:
        self.headwater = CommandLine(directory)
        self._ports = [str(port) for port in free_ports(2)]
        self._log = directory / "said.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.server = self._start_server()
        self.agent = self._start_agent()

    def _start_server(self) -> subprocess.Popen[bytes]:
        server = self._start("server", "start", "--port", self._ports[0], "--nats-port", self._ports[1])
        wait_for(lambda: (self.headwater.home / "server.json").exists() or server.poll() is not None, "the server ready")
        assert server.poll() is None, self.said()
        return server

    def _start_agent(self) -> subprocess.Popen[bytes]:
        agent = self._start("agent", "local", "start", "--label", "garbage")
        wait_for(lambda: "Waiting for flow runs" in self.said() or agent.poll() is not None, "the agent at work")
        assert agent.poll() is None, self.said()
        return agent

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that writes into a file: it says much, and would wait for a reader that does not read it."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [str(COMMAND), *arguments], cwd=self.headwater.directory, env=dict(self.headwater.environment), stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def addresses(self) -> ServerFile:
        found = read_server_file(self.headwater.home)
        assert found is not None
        return found

    def restart_server(self) -> None:
        assert end(self.server) == 0, self.said()
        self.server = self._start_server()

    def nothing_died(self) -> None:
        assert self.server.poll() is None, self.said()
        assert self.agent.poll() is None, self.said()
        wait_for(lambda: httpx.get(f"{self.addresses.http_url}/ready", timeout=60).status_code == httpx.codes.OK, "the server ready")

    def a_good_run_succeeds(self) -> str:
        ended = self.headwater("run", "--name", "hello-flow", "--project", "garbage", "--watch")
        assert ended.code == 0, ended.out + ended.err
        return str(ended.out)

    def close(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                end(process)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    started = Site(tmp_path_factory.mktemp("garbage"))
    headwater = started.headwater
    headwater.write("hello.py", HELLO_FLOW)
    try:
        started.start()
        for command in (["create", "project", "garbage"], ["register", "--project", "garbage", "--path", "hello.py", "--label", "garbage"]):
            assert headwater(*command).code == 0
        started.a_good_run_succeeds()
        yield started
    finally:
        started.close()


def end(process: subprocess.Popen[bytes]) -> int:
    """End a program with Ctrl-C; return its exit code."""
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=60)


def what_is_there(headwater: CommandLine) -> dict[str, str]:
    """The ids of things that exist, which garbage is then about."""
    run: dict[str, Any] = headwater("get", "flow-runs", "-o", "json").json[0]
    agent: dict[str, Any] = headwater("get", "agents", "-o", "json").json[0]
    names = {"run_id": "id", "project_id": "project_id", "group_id": "flow_group_id", "queue_id": "queue_id"}
    return {**{ours: run[theirs] for ours, theirs in names.items()}, "agent_id": agent["id"]}


def messages_between_heartbeats(nats_url: str, agent_id: str) -> int:
    """How many messages of any kind are sent over NATS from one heartbeat of the agent to the one after the next."""

    async def count() -> int:
        counted, beats = 0, 0
        async with open_log(nats_url) as log, log.subscribe(">") as messages:
            async for message in messages:
                beats += message.subject == subjects.agent_heartbeat(agent_id) and b"interval_seconds" in message.data
                counted += beats > 0
                if beats > 2:
                    break
        return counted

    async def patiently() -> int:
        with anyio.fail_after(60):
            return await count()

    return anyio.run(patiently)


@pytest.fixture(scope="module")
def messages_before(site: Site) -> int:
    """Every kind of garbage on every subject; returns how much was said between heartbeats before it."""
    ids = what_is_there(site.headwater)
    messages = [*bad_commits(ids["run_id"]).values(), *odd_commits(ids["run_id"]).values(), *other_messages(ids["run_id"]).values()]
    places = every_subject(**ids)
    idle = messages_between_heartbeats(site.addresses.nats_url, ids["agent_id"])
    with Stranger(site.addresses.nats_url) as stranger:
        for subject in places:
            for message in messages:
                stranger.write(subject, message)
        for odd in ODD_SUBJECTS:
            stranger.write(odd, b"garbage")
        for headers in ODD_HEADERS:
            for subject in places:
                stranger.write(subject, messages[-1], headers=headers)
    return idle


def test_garbage_ends_nothing_hangs_nothing_and_is_reported(site: Site, messages_before: int) -> None:
    agent_id = what_is_there(site.headwater)["agent_id"]

    site.nothing_died()
    site.a_good_run_succeeds()
    wait_for(
        lambda: messages_between_heartbeats(site.addresses.nats_url, agent_id) < SPINNING * messages_before,
        "the server and the agent idle again",
    )
    counted = site.headwater("projections", "status", "-o", "json").json
    assert min(counted["set_aside_count"], counted["log_dead_letters"], counted["work_dead_letters"]) > 0


@pytest.mark.usefixtures("messages_before")
def test_each_dead_letter_is_listed_shown_and_tried_again(site: Site) -> None:
    dead_letters = ("projections", "dead-letters")
    for source in ("events", "logs", "work"):
        key = site.headwater(*dead_letters, "list", "--source", source, "--limit", "1", "-o", "json").json[0]["key"]
        assert key.startswith(source)
        shown = site.headwater(*dead_letters, "show", key)
        assert (shown.code, "Reason" in shown.out) == (0, True), shown.err
        retried = site.headwater(*dead_letters, "retry", key)
        assert (retried.code, key in retried.out) == (1, True), retried.err
    assert site.headwater(*dead_letters, "retry", "events:999999999").code == 1
    assert site.headwater(*dead_letters, "retry").code == 2


def test_two_thousand_random_messages_end_nothing(site: Site) -> None:
    ids = what_is_there(site.headwater)
    places = every_subject(**ids)
    messages = [*bad_commits(ids["run_id"]).values(), *odd_commits(ids["run_id"]).values(), *other_messages(ids["run_id"]).values()]
    small = [message for message in messages if len(message) < 2_000]

    with Stranger(site.addresses.nats_url) as stranger:

        @settings(
            max_examples=2_000,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.sampled_from(places), mutated(small))
        def written(subject: str, message: bytes) -> None:
            stranger.write(subject, message)

        written()

    site.nothing_died()
    site.a_good_run_succeeds()


def steering_in(printed: str) -> list[str]:
    """Return what a terminal would obey of what was printed; colours are no harm."""
    return re.findall("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028\u202e]|\x1b(?!\\[[0-9;]*m)", printed)


@pytest.mark.usefixtures("messages_before")
def test_pages_and_commands_go_on_over_it(site: Site) -> None:
    for page in (
        "/",
        "/default/flows",
        "/default/runs",
        "/default/agents",
        "/default/queues",
        "/default/projects",
        "/default/log",
        "/default/server",
    ):
        shown = httpx.get(site.addresses.http_url + page, timeout=60)
        assert (shown.status_code, "<script>alert" in shown.text) == (httpx.codes.OK, False), page
    assert httpx.get(f"{site.addresses.http_url}/metrics", timeout=60).status_code == httpx.codes.OK
    run_id = what_is_there(site.headwater)["run_id"]
    commands = (
        ["get", "flow-runs"],
        ["get", "logs", run_id],
        ["events"],
        ["events", run_id],
        ["events", "--since", "1", "-o", "json"],
        ["describe", "flow-run", run_id],
        ["explain", run_id],
        ["projections", "status"],
        ["server", "status"],
        ["doctor"],
    )
    for command in commands:
        ended = site.headwater(*command)
        assert ended.code == 0, (command, ended.err)
        assert "Traceback" not in ended.out + ended.err
        assert steering_in(ended.out + ended.err) == [], command
    checked = site.headwater("audit", "check")
    assert checked.code == 1
    assert "every commit is readable" in checked.out


@pytest.mark.usefixtures("messages_before")
def test_after_a_restart_all_of_it_is_there_and_a_run_succeeds(site: Site) -> None:
    before = site.headwater("projections", "status", "-o", "json").json["set_aside_count"]

    site.restart_server()

    site.nothing_died()
    site.a_good_run_succeeds()
    assert site.headwater("projections", "rebuild").code == 0
    assert site.headwater("projections", "status", "-o", "json").json["set_aside_count"] == before
