"""Branches: by a value with `case`, by truth with `ifelse`, joined again with `merge`; and a loop."""

import headwater
from headwater import Flow, Parameter, case, ifelse, merge, task
from headwater.engine.signals import LOOP


@task
def kind_of(order: int) -> str:
    return "large" if order >= 100 else "small"  # noqa: PLR2004 - an order of hundred pieces is large


@task
def ask_for_approval(order: int) -> str:
    return f"order of {order}: approved by hand"


@task
def approve(order: int) -> str:
    return f"order of {order}: approved"


@task
def pack(order: int) -> int:
    """Packs ten pieces at a time."""
    packed = headwater.context.get("task_loop_result") or 0
    if packed + 10 < order:
        raise LOOP(f"{packed + 10} of {order} packed", result=packed + 10)
    return headwater.context.get("task_loop_count", 1)


@task
def is_urgent(order: int) -> bool:
    return order % 2 == 1


@task
def send_by(way: str, words: str) -> str:
    headwater.context.logger.info("%s; sent by %s", words, way)
    return way


with Flow("branching-flow") as flow:
    order = Parameter("order", default=25)
    kind = kind_of(order)
    with case(kind, "large"):
        by_hand = ask_for_approval(order)
    with case(kind, "small"):
        at_once = approve(order)
    approved = merge(by_hand, at_once)
    parcels = pack(order, upstream_tasks=[approved])
    plane, ship = send_by("plane", approved), send_by("ship", approved)
    ifelse(is_urgent(order), plane, ship)
    sent = merge(plane, ship)

if __name__ == "__main__":
    state = flow.run(order=130)
    print(f"{state.result[parcels].result} parcels, sent by {state.result[sent].result}")
