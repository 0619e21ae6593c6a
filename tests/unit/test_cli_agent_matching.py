from __future__ import annotations

import socket
from datetime import UTC, datetime

from headwater.cli.agent_matching import why_not_taken
from headwater.core.queries import AgentRow


def agent(name: str, *labels: str, held: int = 0) -> AgentRow:
    return AgentRow(
        id=f"id-{name}",
        name=name,
        kind="local",
        labels=labels,
        hostname="h",
        pid=1,
        version="0",
        limit=None,
        status="working",
        status_reason="",
        created=datetime(2026, 11, 21, tzinfo=UTC),
        ended=None,
        held_runs=held,
        position=1,
    )


def test_without_any_agent_the_words_say_how_to_start_one_that_fits() -> None:
    words = why_not_taken(["gpu", "big box"], [])

    assert words == "No agent is online. Start one with `headwater agent local start --no-hostname-label -l 'big box' -l gpu`."


def test_a_run_with_this_hosts_label_needs_only_the_plain_command() -> None:
    assert why_not_taken([socket.gethostname()], []).endswith("`headwater agent local start`.")


def test_the_nearest_agent_is_named_with_the_labels_it_lacks() -> None:
    words = why_not_taken(["gpu", "night"], [agent("far", "x", "y", "z"), agent("near", "gpu")])

    assert "No online agent takes runs with labels ['gpu', 'night']: the nearest, 'near', lacks ['night']." in words


def test_of_an_unlabelled_run_it_says_that_labelled_agents_take_labelled_runs_only() -> None:
    assert "'near' has labels, and takes labelled runs only" in why_not_taken([], [agent("near", "gpu")])


def test_agents_that_match_are_named_with_what_they_hold() -> None:
    agents = [agent("one", "gpu", held=2), agent("two", "gpu", "night", held=1), agent("three", "x")]

    assert why_not_taken(["gpu"], agents) == "Agents 'one', 'two' take runs with labels ['gpu'], and hold 3 now."
    assert why_not_taken(["x"], agents) == "Agent 'three' takes runs with labels ['x'], and holds 0 now."
