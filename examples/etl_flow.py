"""Extract, transform, load: pages are fetched, parsed one by one, and written together. A page that cannot be parsed is left out."""

import json
from pathlib import Path

import headwater
from headwater import Flow, Parameter, flatten, resource_manager, task, unmapped
from headwater.tasks.control_flow import FilterTask


@task
def list_pages(count: int) -> list[str]:
    return [f"page-{number}" for number in range(1, count + 1)]


@task
def extract(page: str) -> str:
    number = int(page.partition("-")[2])
    return "not JSON" if number % 4 == 0 else json.dumps([{"page": number, "row": row} for row in (1, 2)])


@task(task_run_name="parse {text:.12}")
def transform(text: str) -> list[dict]:
    return json.loads(text)


@resource_manager
class Warehouse:
    """A file to which rows are appended; what is in it is counted when it is closed."""

    def __init__(self, path: str):
        self.path = Path(path)

    def setup(self) -> str:
        self.path.write_text("")
        return str(self.path)

    def cleanup(self, path: str) -> None:
        headwater.context.logger.info("%d rows in the warehouse", len(Path(path).read_text().splitlines()))


@task
def label(row: dict, day: str) -> dict:
    return {**row, "day": day}


@task
def load(rows: list[dict], warehouse: str) -> int:
    with Path(warehouse).open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return len(rows)


with Flow("etl-flow") as flow:
    day = Parameter("day", default="2026-11-21")
    pages = list_pages(Parameter("pages", default=5))
    parsed = FilterTask(name="those that were parsed")(transform.map(extract.map(pages)))
    rows = label.map(flatten(parsed), unmapped(day))
    with Warehouse(Parameter("warehouse", default="warehouse.jsonl")) as warehouse:
        loaded = load(rows, warehouse)
    flow.set_reference_tasks([loaded])

if __name__ == "__main__":
    state = flow.run()
    print(f"{state.result[loaded].result} rows loaded")
