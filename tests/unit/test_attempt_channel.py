"""Messages between the process of a run and its supervisor arrive whole and once, wherever their sender was interrupted."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.agents.attempt_channel import PIECE_BYTES_MAX, ChannelBroken, MessageAssembler, channel_pair, pieces_of, receive
from headwater.agents.attempt_protocol import (
    Answered,
    Asked,
    Begun,
    Briefing,
    FencedAnswer,
    FindRegisteredSlugs,
    FromSupervisor,
    Happened,
    Logged,
    Resumed,
    StartAttempt,
    decode_from_process,
    encode,
)
from headwater.agents.errors import AttemptFenced
from headwater.agents.run_process.supervisor_link import SupervisorGone, SupervisorLink
from headwater.core.errors import HeadwaterError
from headwater.core.events import TaskRunStarted
from headwater.core.log.protocol import LogLine

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def line(text: str) -> LogLine:
    return LogLine(at=NOON, level=20, logger="headwater", message=text)


SIZES = st.sampled_from([0, 1, PIECE_BYTES_MAX - 1, PIECE_BYTES_MAX, PIECE_BYTES_MAX + 1, 3 * PIECE_BYTES_MAX])


@given(sizes=st.lists(SIZES, max_size=5), chance=st.randoms(use_true_random=False))
def test_each_message_arrives_once_however_often_its_pieces_are_sent_again(sizes: list[int], chance: Any) -> None:
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    assembler = MessageAssembler()
    arrived: list[bytes] = []
    number = 0
    for message in messages:
        number += chance.randrange(1, 4)
        pieces = pieces_of(number, message)
        while True:
            # A sender that does not know what it sent begins again with the first piece.
            sent = chance.randrange(1, len(pieces) + 1)
            arrived += [whole for piece in pieces[:sent] if (whole := assembler.feed(piece)) is not None]
            if sent == len(pieces):
                break

    assert arrived == messages


def test_a_message_whose_rest_never_comes_does_not_hold_up_those_that_follow() -> None:
    assembler = MessageAssembler()
    first, *_ = pieces_of(1, b"x" * 3 * PIECE_BYTES_MAX)

    assert assembler.feed(first) is None
    assert assembler.feed(pieces_of(2, b"next")[0]) == b"next"


@pytest.mark.parametrize("received", [b"x", b"no header"])
def test_what_is_not_a_piece_is_refused(received: bytes) -> None:
    with pytest.raises(ChannelBroken):
        MessageAssembler().feed(received)


def test_a_message_without_end_is_refused() -> None:
    assembler = MessageAssembler(bytes_max=PIECE_BYTES_MAX)
    first, second, _ = pieces_of(1, b"x" * 3 * PIECE_BYTES_MAX)
    assembler.feed(first)

    with pytest.raises(ChannelBroken):
        assembler.feed(second)


class Channel:
    """A socket whose user is interrupted where `interrupt` says so: just before, or just after the kernel took a piece."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.interrupt: Callable[[str], None] = lambda _: None

    def send(self, piece: bytes) -> int:
        self.interrupt("before")
        sent = self._channel.send(piece)
        self.interrupt("after")
        return sent

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._channel.recv(size, flags)

    def close(self) -> None:
        self._channel.close()


class Ends:
    """A link, and the supervisor's end of its channel."""

    def __init__(self) -> None:
        ours, self.theirs = channel_pair()
        self.channel = Channel(ours)
        self.link = SupervisorLink(self.channel)  # type: ignore[arg-type]
        self._assembler = MessageAssembler()
        self._sent = 0

    def arrived(self) -> list[Any]:
        """What has arrived at the supervisor."""
        self.theirs.setblocking(False)
        found: list[Any] = []
        while True:
            try:
                piece = receive(self.theirs)
            except BlockingIOError:
                return found
            if piece is None:
                return found
            if (message := self._assembler.feed(piece)) is not None:
                found.append(decode_from_process(message))

    def tell(self, message: FromSupervisor) -> None:
        self._sent += 1
        for piece in pieces_of(self._sent, encode(message)):
            self.theirs.send(piece)

    def close(self) -> None:
        self.channel.close()
        self.theirs.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("size", [1, 2 * PIECE_BYTES_MAX])
def test_what_an_interrupted_thread_had_to_say_arrives_once_with_what_is_said_next(ends: Ends, moment: str, size: int) -> None:
    interruptions = [KeyboardInterrupt]

    def interrupt(now: str) -> None:
        if now == moment and interruptions:
            raise interruptions.pop()

    ends.channel.interrupt = interrupt
    with pytest.raises(KeyboardInterrupt):
        ends.link.log(line("x" * size))
    ends.link.record(TaskRunStarted(slug="load-1", at=NOON))

    first, second = ends.arrived()
    assert isinstance(first, Logged)
    assert len(first.line.message) == size
    assert second == Happened(TaskRunStarted(slug="load-1", at=NOON))


def test_a_child_that_the_flow_forks_says_nothing_and_learns_that_it_has_no_supervisor(ends: Ends) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        ends.link.record(TaskRunStarted(slug="load-1", at=NOON))
        try:
            ends.link.call(StartAttempt())
        except SupervisorGone:
            os.write(writer, b"gone")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 10) == b"gone"
    assert ends.arrived() == []
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_a_briefing_is_the_answer_to_the_first_word(ends: Ends) -> None:
    ends.tell(Briefing(commits=(b"{}",)))

    assert ends.link.begin() == Briefing(commits=(b"{}",))
    assert ends.arrived() == [Begun(os.getpid())]


def test_answers_find_those_who_asked_in_whatever_order_they_come(ends: Ends) -> None:
    found: dict[int, bytes] = {}

    def wait(number: int) -> None:
        found[number] = ends.link.answer(number)

    numbers = [ends.link.ask(FindRegisteredSlugs()) for _ in range(8)]
    threads = [threading.Thread(target=wait, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for number in reversed(numbers):
        ends.tell(Answered(number, value=encode_raw(f"answer {number}")))
    for thread in threads:
        thread.join(30)

    assert found == {number: f'"answer {number}"'.encode() for number in numbers}
    assert [each.number for each in ends.arrived() if isinstance(each, Asked)] == numbers


def encode_raw(value: object) -> Any:
    import msgspec

    return msgspec.Raw(encode(value))


def test_refusals_and_the_loss_of_the_run_are_raised_where_it_was_asked(ends: Ends) -> None:
    ends.tell(Answered(1, refusal="The views do not answer."))
    ends.tell(Answered(2, fenced=FencedAnswer(1, "Success", 2)))

    with pytest.raises(HeadwaterError, match=r"The views do not answer\."):
        ends.link.call(StartAttempt())
    with pytest.raises(AttemptFenced, match="its last attempt is 2"):
        ends.link.call(StartAttempt())


def test_resumed_task_runs_are_taken_without_waiting_and_without_losing_an_answer(ends: Ends) -> None:
    number = ends.link.ask(StartAttempt())
    assert ends.link.take_resumed() == []

    ends.tell(Resumed((("approve", -1), ("approve", 2))))
    ends.tell(Answered(number))

    assert ends.link.take_resumed() == [("approve", -1), ("approve", 2)]
    assert ends.link.take_resumed() == []
    assert ends.link.answer(number) == b"null"


@pytest.mark.parametrize("end", ["the supervisor's", "the process's own"])
def test_a_closed_end_is_noticed_by_all_that_is_said_and_asked(ends: Ends, end: str) -> None:
    (ends.theirs if end == "the supervisor's" else ends.channel).close()
    ends.link.log(line("unheard"))

    assert ends.link.is_gone
    assert ends.link.take_resumed() == []
    with pytest.raises(SupervisorGone):
        ends.link.call(StartAttempt())


def test_a_thread_that_waits_for_an_answer_hears_that_the_supervisor_is_gone(ends: Ends) -> None:
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            ends.link.call(StartAttempt())
        except BaseException as error:  # noqa: BLE001 - looked at below
            raised.append(error)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(ends.arrived()) < 1:
        pass
    ends.theirs.close()
    for thread in threads:
        thread.join(30)

    assert [type(error) for error in raised] == [SupervisorGone] * 3


def test_garbage_on_the_channel_is_passed_over(ends: Ends) -> None:
    for number, garbage in enumerate((b"", b"{", b'{"type": "no such message"}'), start=1):
        ends.theirs.send(pieces_of(number, garbage)[0])
    ends._sent = 10
    ends.tell(Answered(1))

    assert ends.link.call(StartAttempt()) == b"null"
