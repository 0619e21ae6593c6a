import headwater
from headwater import Flow, task


@task
def say_hello():
    logger = headwater.context.get("logger")
    logger.info("Hello, Cloud!")


with Flow("hello-flow") as flow:
    say_hello()

# Register the flow under the "tutorial" project
flow.register(project_name="tutorial")
