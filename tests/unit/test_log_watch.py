"""What a server makes of what it finds out about its log's storage, and of appends that were not answered."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from headwater.core.log.jetstream.majority import Copies, Replica, missing_majority
from headwater.server.nats.log_watch import (
    BELIEVED_SECONDS,
    GROWN_BYTES,
    StoreState,
    Unanswered,
    hangs_on_a_full_disk,
    judge,
    worth_a_restart,
)
from headwater.server.nats.nats_server import StoreFailure, store_failure_in
from headwater.server.supervision.log_room import FULL_BYTES, ROOM_BYTES

FOLDER = Path("/home/me/nats")
STUCK = [StoreFailure("no space left on device", "EVENTS")]
GONE = FileNotFoundError(errno.ENOENT, "No such file or directory")
SECOND = 10**9


@pytest.mark.parametrize(
    ("found", "problem", "full", "restart", "hangs"),
    [
        (StoreState(FOLDER, 10**9, []), None, False, False, False),
        (StoreState(FOLDER, 0, []), "no space left on device (0 bytes free in /home/me/nats)", True, False, False),
        (StoreState(FOLDER, 0, STUCK), "no space left on device (0 bytes free in /home/me/nats)", True, False, False),
        (StoreState(FOLDER, ROOM_BYTES - 1, STUCK), "no space left on device (4.2 MB free in /home/me/nats)", True, False, False),
        (StoreState(FOLDER, ROOM_BYTES, STUCK), "no space left on device; its nats-server is started again", True, True, False),
        (StoreState(FOLDER, FULL_BYTES, []), None, False, False, False),
        (StoreState(FOLDER, 10**9, [], "its JetStream does not answer"), "its JetStream does not answer", False, False, False),
        (
            StoreState(FOLDER, 0, [], "silent", GROWN_BYTES - 1),
            "no space left on device (0 bytes free in /home/me/nats)",
            True,
            False,
            False,
        ),
        (StoreState(FOLDER, 0, [], "silent", GROWN_BYTES), "no space left on device (0 bytes free in /home/me/nats)", True, False, True),
        (StoreState(FOLDER, 10**9, [], "silent", GROWN_BYTES), "silent", False, False, False),
        (StoreState(FOLDER, GONE, []), "/home/me/nats cannot be looked at (No such file or directory)", False, False, False),
    ],
)
def test_what_is_known_of_a_store_is_judged(found: StoreState, problem: str | None, full: bool, restart: bool, hangs: bool) -> None:
    health = judge(found, limit_bytes=7)

    assert (health.problem, health.full, health.writable) == (problem, full, problem is None)
    assert (worth_a_restart(found) is not None, hangs_on_a_full_disk(found)) == (restart, hangs)


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (
            "[1] [ERR] JetStream stream '$G > EVENTS' critical write error: write /d/1.blk: no space left on device",
            StoreFailure("no space left on device", "EVENTS"),
        ),
        ("[1] [ERR] Filestore [EVENTS] Critical write error: write /d/1.blk: no space left on device", None),
        (
            "[1] [WRN] Filesystem permission denied while writing msg, disabling JetStream: open /d: permission denied",
            StoreFailure("permission denied"),
        ),
        ("[1] [INF] Server is ready", None),
        ("", None),
    ],
)
def test_the_broker_s_log_tells_which_storage_failed_for_good(line: str, failure: StoreFailure | None) -> None:
    assert store_failure_in(line) == failure


def test_one_append_without_an_answer_says_nothing_and_a_second_one_does() -> None:
    unanswered = Unanswered()
    unanswered.note(10.0)
    assert not unanswered.believed(5, 10.1)
    unanswered.note(12.0)
    assert unanswered.believed(5, 12.1)


def test_what_was_stored_meanwhile_refutes_it() -> None:
    unanswered = Unanswered()
    unanswered.note(10.0)
    assert not unanswered.believed(5, 10.1)
    unanswered.note(12.0)
    assert not unanswered.believed(6, 12.1)
    assert not unanswered.noted


def test_it_is_believed_for_a_while_only_and_not_beyond_a_restart_of_the_broker() -> None:
    unanswered = Unanswered()
    unanswered.note(10.0)
    unanswered.note(12.0)
    assert not unanswered.believed(5, 12.1 + BELIEVED_SECONDS)

    unanswered.note(50.0)
    unanswered.note(52.0)
    unanswered.forget()
    assert not unanswered.noted


@pytest.mark.parametrize(
    ("copies", "words"),
    [
        (Copies("n1"), None),
        (Copies("n1", [Replica("n2", active=SECOND), Replica("n3", active=SECOND)]), None),
        (Copies("n1", [Replica("n2", active=SECOND), Replica("n3", active=9 * SECOND)]), None),
        (Copies("n1", [Replica("n2", active=9 * SECOND), Replica("n3", active=9 * SECOND)]), "1 of the 3 nodes"),
        (Copies("n1", [Replica("n2", offline=True), Replica("n3", offline=True)]), "1 of the 3 nodes"),
        (Copies("", [Replica("n1"), Replica("n2"), Replica("n3")]), "no node of the NATS cluster leads EVENTS"),
        (Copies("n1", [Replica(name, active=9 * SECOND) for name in ("n2", "n3", "n4")] + [Replica("n5")]), "2 of the 5 nodes"),
    ],
)
def test_a_leader_needs_more_than_half_of_its_nodes(copies: Copies, words: str | None) -> None:
    found = missing_majority("EVENTS", copies)

    assert (found is None) == (words is None)
    assert words is None or words in str(found)
