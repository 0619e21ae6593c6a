"""A flow for the first minute: `headwater register --project NAME --module headwater.hello_world`."""

from __future__ import annotations

from headwater import Flow, Parameter, task


@task
def greeting(name: str) -> str:
    return f"Hello {name.capitalize()}"


@task(log_stdout=True)
def say(line: str) -> None:
    print(line)


with Flow("hello-world") as hello_flow:
    say(greeting(Parameter("name", default="world")))

if __name__ == "__main__":
    hello_flow.run()
