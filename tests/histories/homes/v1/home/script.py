from headwater import Flow, task

with Flow("script") as flow:
    task(lambda: "from a script", name="tell")()
