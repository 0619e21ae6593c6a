"""A flow that runs another one and takes its result. Register both: `headwater register -p examples/sub_flows.py --project tutorial`."""

from headwater import Flow, Parameter, task
from headwater.engine.results import InlineResult
from headwater.tasks.headwater import create_flow_run, get_task_run_result, wait_for_flow_run


@task(result=InlineResult())
def count_words(text: str) -> int:
    return len(text.split())


@task(result=InlineResult())
def say_how_many(words: int) -> str:
    return f"{words} words"


with Flow("count-words") as child:
    count_words(Parameter("text", default="one two"))

with Flow("sub-flows") as flow:
    run_id = create_flow_run(
        flow_name="count-words",
        project_name=Parameter("project", default="tutorial"),
        parameters={"text": Parameter("text", default="the quick brown fox")},
    )
    finished = wait_for_flow_run(run_id, stream_logs=True, raise_final_state=True)
    said = say_how_many(get_task_run_result(run_id, "count_words-1", upstream_tasks=[finished]))
    flow.set_reference_tasks([said])
