"""How many tasks a second `flow.run()` runs without a server, and how fast a large flow is built and described.

python benchmarks/local_engine.py [tasks]
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))
from measurement import Measurement, at_least, lines

from headwater import Flow, task
from headwater.utilities.logging import LINE_FORMAT, TIME_FORMAT, LineFormatter, get_logger

T = TypeVar("T")


@dataclass(frozen=True)
class LocalEngineNumbers:
    """Tasks per second of `flow.run()`, and seconds for what is done with a flow before it runs."""

    tasks: int
    build_seconds: float
    validate_seconds: float
    hash_seconds: float
    tasks_per_second_warning: float
    tasks_per_second_info: float
    mapped_per_second_warning: float
    mapped_per_second_info: float


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


def measure(tasks: int = 10_000) -> LocalEngineNumbers:
    """Measure with log lines written to the null device, so that the terminal is not what is measured."""
    logger = get_logger()
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    with Path(os.devnull).open("w") as sink:
        handler = logging.StreamHandler(sink)
        handler.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
        logger.handlers[:], logger.propagate = [handler], False
        try:
            build_seconds, flow = _timed(lambda: chain(tasks))
            validate_seconds, _ = _timed(flow.validate)
            hash_seconds, _ = _timed(flow.serialized_hash)
            rates = []
            for each in (flow, mapped(tasks)):
                for chosen in (logging.WARNING, logging.INFO):
                    logger.setLevel(chosen)
                    seconds, state = _timed(each.run)
                    assert state.is_successful(), state
                    rates.append(tasks / seconds)
        finally:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
    return LocalEngineNumbers(tasks, build_seconds, validate_seconds, hash_seconds, *rates)


def _timed(action: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    value = action()
    return time.perf_counter() - start, value


def measurements(tasks: int = 10_000) -> list[Measurement]:
    numbers = measure(tasks)
    called, _ = _timed(lambda: [increment.run(number) for number in range(tasks)])
    floor, floor_is = tasks / called, "calling the functions alone"
    return [
        at_least("local tasks, WARNING", numbers.tasks_per_second_warning, "tasks/s", 20_000, floor=floor, floor_is=floor_is),
        at_least("local tasks, default logs", numbers.tasks_per_second_info, "tasks/s", 5_000, floor=floor, floor_is=floor_is),
        Measurement("local mapped tasks, WARNING", numbers.mapped_per_second_warning, "tasks/s", floor, floor_is),
        Measurement("local mapped tasks, default logs", numbers.mapped_per_second_info, "tasks/s", floor, floor_is),
        Measurement(f"build a flow of {tasks:,} tasks", numbers.build_seconds, "s"),
        Measurement(f"validate a flow of {tasks:,} tasks", numbers.validate_seconds, "s"),
        Measurement(f"hash a flow of {tasks:,} tasks", numbers.hash_seconds, "s"),
    ]


def main() -> None:
    print("\n".join(lines(measurements(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))))


if __name__ == "__main__":
    main()
