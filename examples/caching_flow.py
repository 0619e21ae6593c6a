"""Retries and caches together: a slow report is made once an hour for each region, however often the flow runs."""

from datetime import timedelta

import headwater
from headwater import Flow, Parameter, task
from headwater.engine.cache_validators import all_inputs
from headwater.engine.results import InlineResult, LocalResult
from headwater.engine.serializers import JSONSerializer


@task(
    cache_for=timedelta(hours=1),
    cache_validator=all_inputs,
    result=LocalResult(serializer=JSONSerializer()),
    max_retries=2,
    retry_delay=timedelta(seconds=0),
)
def report(region: str) -> dict:
    if headwater.context.task_run_count == 1:
        raise ConnectionError("the database is busy")
    headwater.context.logger.info("A report for %s was made.", region)
    return {"region": region, "sales": len(region) * 100}


@task(target="{flow_name}/{region}.pickle", result=LocalResult())
def map_of(region: str) -> str:
    headwater.context.logger.info("A map of %s was drawn.", region)
    return f"map of {region}"


@task(result=InlineResult())
def summary(report: dict, drawn: str) -> str:
    return f"{report['region']}: {report['sales']} ({drawn})"


with Flow("caching-flow") as flow:
    region = Parameter("region", default="north")
    summed = summary(report(region), map_of(region))

if __name__ == "__main__":
    for _ in range(2):
        state = flow.run()
        print(state.result[summed].result)
