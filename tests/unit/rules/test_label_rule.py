"""Which agent takes which run."""

from __future__ import annotations

import pytest

from headwater.core.values.labels import agent_accepts, label_set, queue_id


@pytest.mark.parametrize(
    ("agent", "run", "expected"),
    [
        ([], [], True),
        (["host"], ["host"], True),
        (["host", "gpu"], ["gpu"], True),
        (["host"], ["host", "gpu"], False),
        (["host"], [], False),
        ([], ["host"], False),
        (["a"], ["b"], False),
    ],
)
def test_a_run_needs_all_its_labels_on_the_agent_and_unlabelled_runs_go_to_unlabelled_agents(
    agent: list[str], run: list[str], expected: bool
) -> None:
    assert agent_accepts(agent, run) is expected


def test_a_label_set_is_the_same_in_any_order_and_with_repetitions() -> None:
    assert label_set(["b", "a", "b"]) == ("a", "b")
    assert queue_id(["b", "a"]) == queue_id(["a", "b", "a"])


def test_label_sets_that_read_alike_when_joined_have_queues_of_their_own() -> None:
    assert queue_id(["a", "bc"]) != queue_id(["ab", "c"])
