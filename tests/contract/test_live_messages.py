from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from harness.brokers import Broker

from headwater.core.errors import RequestTimeout
from headwater.core.log.protocol import LiveMessage, Log
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0
PROBE = b"does anybody hear this?"


async def test_all_who_listen_receive_what_is_published(log: Log, other: Log) -> None:
    kind = new_id()
    async with log.subscribe(f"hw.beat.{kind}.*") as first, other.subscribe(f"hw.beat.{kind}.>") as second:
        await _known_everywhere(log, f"hw.beat.{kind}.probe", first, second)
        await log.publish(f"hw.beat.{kind}.a", b"here")
        await log.publish(f"hw.beat.{kind}.b", b"")

        for listener in (first, second):
            heard = [await _next(listener) for _ in range(2)]
            assert [(each.subject, each.data) for each in heard] == [(f"hw.beat.{kind}.a", b"here"), (f"hw.beat.{kind}.b", b"")]


async def test_of_a_group_one_hears_each_message(log: Log, other: Log) -> None:
    subject = f"hw.ask.{new_id()}"
    heard: list[bytes] = []

    async def listen(listener: AsyncIterator[LiveMessage]) -> None:
        async for message in listener:
            heard.append(message.data)
            await message.respond(b"heard")

    async with (
        log.subscribe(subject, group="servers") as one,
        other.subscribe(subject, group="servers") as two,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listen, one)
        group.start_soon(listen, two)
        for number in range(20):
            assert await log.request(subject, str(number).encode(), timeout=IN_TIME_SECONDS) == b"heard"
        group.cancel_scope.cancel()
    assert heard == [str(number).encode() for number in range(20)]


async def test_a_question_is_answered(log: Log, other: Log) -> None:
    subject = f"hw.ask.{new_id()}"

    async def answer(questions: AsyncIterator[LiveMessage]) -> None:
        message = await _next(questions)
        await message.respond(b"yes, " + message.data)

    async with other.subscribe(subject) as questions, anyio.create_task_group() as group:
        await _known_everywhere(log, subject, questions)
        group.start_soon(answer, questions)

        assert await log.request(subject, b"run r", timeout=IN_TIME_SECONDS) == b"yes, run r"


async def test_many_questions_at_once_get_their_own_answers(log: Log, other: Log) -> None:
    subject = f"hw.ask.{new_id()}"
    answers: dict[int, bytes] = {}

    async def answer_backwards(questions: AsyncIterator[LiveMessage]) -> None:
        messages = [await _next(questions) for _ in range(50)]
        for message in reversed(messages):
            await message.respond(b"re " + message.data)

    async def ask(number: int) -> None:
        answers[number] = await log.request(subject, str(number).encode(), timeout=IN_TIME_SECONDS)

    async with other.subscribe(subject) as questions, anyio.create_task_group() as group:
        await _known_everywhere(log, subject, questions)
        group.start_soon(answer_backwards, questions)
        for number in range(50):
            group.start_soon(ask, number)

    assert answers == {number: f"re {number}".encode() for number in range(50)}


async def test_a_request_without_a_listener_is_known_at_once_to_have_none(log: Log) -> None:
    with pytest.raises(RequestTimeout) as unheard:
        await log.request(f"hw.ask.{new_id()}", b"", timeout=3600)

    assert not unheard.value.maybe_received


async def test_a_question_that_is_heard_and_not_answered_ends_in_time(log: Log, other: Log) -> None:
    subject = f"hw.ask.{new_id()}"
    async with other.subscribe(subject) as questions:
        await _known_everywhere(log, subject, questions)
        with pytest.raises(RequestTimeout) as unanswered:
            await log.request(subject, b"", timeout=0.05)

    assert unanswered.value.maybe_received


async def test_who_cares_learns_that_the_connection_was_away(broker: Broker) -> None:
    async with broker.open_breakable() as breakable:
        back = anyio.Event()
        forget = breakable.log.on_reconnect(back.set)
        breakable.cut()

        with anyio.fail_after(IN_TIME_SECONDS):
            await back.wait()
        forget()


async def test_listening_goes_on_over_a_killed_broker(broker: Broker, log: Log, other: Log) -> None:
    subject = f"hw.ask.{new_id()}"
    async with log.subscribe(subject) as questions, anyio.create_task_group() as group:
        broker.kill()
        broker.restart()

        async def answer() -> None:
            async for message in questions:
                await message.respond(b"still here")

        group.start_soon(answer)
        with anyio.fail_after(IN_TIME_SECONDS):
            while True:
                try:
                    assert await other.request(subject, b"", timeout=1) == b"still here"
                    break
                except RequestTimeout:
                    continue
        group.cancel_scope.cancel()


async def _known_everywhere(log: Log, subject: str, *listeners: AsyncIterator[LiveMessage]) -> None:
    """Return when what is published here reaches the listeners: the nodes of a cluster tell each other a moment later who listens."""
    for listener in listeners:
        heard = False
        with anyio.fail_after(IN_TIME_SECONDS):
            while not heard:
                await log.publish(subject, PROBE)
                with anyio.move_on_after(0.02):
                    heard = (await anext(listener)).data == PROBE


async def _next(listener: AsyncIterator[LiveMessage]) -> LiveMessage:
    with anyio.fail_after(IN_TIME_SECONDS):
        while (message := await anext(listener)).data == PROBE:
            pass
        return message
