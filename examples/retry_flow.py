"""A task that fails twice and is tried again, and one that runs whatever happened before."""

from datetime import timedelta

import headwater
from headwater import Flow, task
from headwater.triggers import all_finished


@task(max_retries=2, retry_delay=timedelta(seconds=1))
def fetch() -> str:
    attempt = headwater.context.task_run_count
    if attempt <= 2:  # noqa: PLR2004 - two failures, two retries
        raise ConnectionError(f"attempt {attempt} got no answer")
    return f"answer to attempt {attempt}"


@task(trigger=all_finished)
def tidy_up() -> None:
    headwater.context.logger.info("Tidied up.")


with Flow("retry-flow") as flow:
    answer = fetch()
    tidy_up(upstream_tasks=[answer])
    flow.set_reference_tasks([answer])

if __name__ == "__main__":
    state = flow.run()
    print(state.result[answer].result)
