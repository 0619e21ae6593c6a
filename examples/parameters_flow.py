"""A flow with parameters: run it with other values from the command line, or here with `flow.run(times=2)`."""

import headwater
from headwater import Flow, Parameter, task


@task
def greetings(name: str, times: int) -> list[str]:
    return [f"Hello, {name}!"] * times


@task
def say(lines: list[str]) -> int:
    logger = headwater.context.get("logger")
    for line in lines:
        logger.info(line)
    return len(lines)


with Flow("parameters-flow") as flow:
    name = Parameter("name", default="Cloud")
    times = Parameter("times", default=1)
    said = say(greetings(name, times))

if __name__ == "__main__":
    state = flow.run(name="river", times=3)
    print(f"{state.result[said].result} lines said")
