"""How many tasks a second `flow.run()` runs without a server, and how fast a large flow is built and described.

python benchmarks/local_engine.py [tasks]
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from measurement import Measurement, at_least, at_most, lines

from headwater import Flow, task
from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.sdk.context.logging import LineFormatter, get_logger


@task
def increment(x: int) -> int:
    return x + 1


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


def chain(tasks: int) -> Flow:
    """Return a flow of `tasks` tasks, each of which takes the result of the one before it."""
    with Flow("chain") as flow:
        value = increment(0)
        for _ in range(tasks - 1):
            value = increment(value)
    return flow


def mapped(tasks: int) -> Flow:
    """Return a flow with one task that is mapped over `tasks` elements."""
    with Flow("mapped") as flow:
        increment.map(numbers(tasks))
    return flow


@contextmanager
def logging_to_nothing() -> Iterator[logging.Logger]:
    """Write log lines to the null device, so that the terminal is not what is measured."""
    logger = get_logger()
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    with Path(os.devnull).open("w") as sink:
        handler = logging.StreamHandler(sink)
        handler.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
        logger.handlers[:], logger.propagate = [handler], False
        try:
            yield logger
        finally:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _run(flow: Flow) -> None:
    state = flow.run()
    assert state.is_successful(), state


def rates(sizes: Sequence[int], rounds: int) -> dict[tuple[int, str, int], float]:
    """Return tasks per second by size, shape and level: the median of rounds in which each has its turn, so that noise hits all alike."""
    flows = {(size, name): make(size) for size in sizes for name, make in (("chained", chain), ("mapped", mapped))}
    seconds: dict[tuple[int, str, int], list[float]] = {}
    with logging_to_nothing() as logger:
        for _ in range(rounds):
            for (size, name), flow in flows.items():
                for level in (logging.WARNING, logging.INFO):
                    logger.setLevel(level)
                    seconds.setdefault((size, name, level), []).append(_seconds(partial(_run, flow)))
    return {key: key[0] / median(taken) for key, taken in seconds.items()}


def measurements(tasks: int = 10_000, rounds: int = 5) -> list[Measurement]:
    """Return the figures for a tenth of `tasks` and for all of them: what a task costs must not grow with their number."""
    called = _seconds(lambda: [increment.run(number) for number in range(tasks)])
    floor, floor_is = tasks / called, "calling the functions alone"
    found = [
        at_least(
            f"{size:,} {shape} tasks, {'WARNING' if level == logging.WARNING else 'default logs'}",
            rate,
            "tasks/s",
            20_000 if level == logging.WARNING else 5_000,
            floor=floor,
            floor_is=floor_is,
        )
        for (size, shape, level), rate in rates((tasks // 10, tasks), rounds).items()
    ]
    flow = chain(tasks)
    return [
        *found,
        at_most(f"build a flow of {tasks:,} tasks", median(_seconds(lambda: chain(tasks)) for _ in range(rounds)), "s", 1),
        Measurement(f"validate a flow of {tasks:,} tasks", _seconds(flow.validate), "s"),
        Measurement(f"hash a flow of {tasks:,} tasks", _seconds(flow.serialized_hash), "s"),
    ]


def main() -> None:
    print("\n".join(lines(measurements(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))))


if __name__ == "__main__":
    main()
