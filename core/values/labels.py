"""Labels: which agent may take which run, and the queue that runs of one label set share."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.core.values.identifiers import digest
from headwater.core.values.names import valid_name


def label_set(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the labels sorted and without repetition, the form in which they are stored and compared.

    Raises:
        InvalidName: a label is empty, too long or holds control characters.

    """
    return tuple(sorted({valid_name(label, kind="label") for label in labels}))


def agent_accepts(agent_labels: Iterable[str], run_labels: Iterable[str]) -> bool:
    """Tell whether an agent with these labels takes runs with those.

    A labelled run needs every one of its labels on the agent; an unlabelled run goes to unlabelled agents only.
    """
    agent, run = set(agent_labels), set(run_labels)
    return run <= agent and bool(run) == bool(agent)


def queue_id(labels: Iterable[str]) -> str:
    """Return the id of the queue that runs with this label set share."""
    return digest("queue", *label_set(labels), length=20)
