"""The runs that tasks created in this process, which end with theirs where that is cancelled."""

from __future__ import annotations

from concurrent.futures import Future, wait

CREATION_SECONDS = 5.0
"""How long a task that is interrupted waits for the answer to a creation that is on its way."""

children_of_this_run: set[str] = set()
"""Their ids. What a task that has ended created, its result in the log says too; this is about those that still wait."""


def created_child(creation: Future[str]) -> str:
    """Wait for the id of a run that is being created, note it, and return it. Raises what the creation does.

    A task that is interrupted meanwhile waits for the answer all the same, for some seconds: else a run that no task knows would go on.
    """
    try:
        run_id = creation.result()
    except BaseException:
        wait([creation], timeout=CREATION_SECONDS)
        if creation.done() and not creation.cancelled() and creation.exception() is None:
            children_of_this_run.add(creation.result())
        raise
    children_of_this_run.add(run_id)
    return run_id
