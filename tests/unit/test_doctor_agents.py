"""What `headwater doctor` says of agents that are not well."""

from __future__ import annotations

import anyio
import msgspec

from headwater.cli.commands.doctor import CheckStatus, _warnings_of
from headwater.core.log import subjects
from headwater.core.log.heartbeats import HolderReply
from headwater.core.log.memory import MemoryLog


async def test_agents_are_asked_and_what_is_wrong_is_shown_and_the_silent_are_passed_over() -> None:
    log = MemoryLog()
    answers = {
        "ill": HolderReply(False, trouble="agent 'vm' cannot start processes: no room", behind_seconds=-300.0),
        "well": HolderReply(False),
        "strange": None,
    }
    async with anyio.create_task_group() as group:
        for agent_id, said in answers.items():
            await group.start(answer, log, agent_id, b"garbage" if said is None else msgspec.json.encode(said))
        checks = await _warnings_of(log, {agent_id: f"name of {agent_id}" for agent_id in (*answers, "silent")})
        group.cancel_scope.cancel()

    assert [check.verdict for check in checks] == [CheckStatus.WORTH_A_LOOK] * 2
    assert [check.words for check in checks] == [
        "name of ill: Agent 'vm' cannot start processes: no room.",
        "name of ill: Its machine's clock is 300.0 s ahead of the log's.",
    ]


async def answer(log: MemoryLog, agent_id: str, data: bytes, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    async with log.subscribe(subjects.ask_agent(agent_id)) as questions:
        task_status.started()
        async for question in questions:
            await question.respond(data)
