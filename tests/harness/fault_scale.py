"""How much is broken, and for how long: a little in every test run, so much that it tells by `make faults`.

Where FAULT_SEED is set, chance chooses by it; what was chosen is printed, and how long what waited took.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import TypeVar

T = TypeVar("T")

IS_FULL = os.environ.get("FAULTS") == "full"
SEED = int(os.environ.get("FAULT_SEED", "20260101"))


def scaled(little: T, *, full: T) -> T:
    """Return `little`, or `full` where `make faults` asks for it."""
    return full if IS_FULL else little


def chance() -> Random:
    """Return a source of chance that begins at the seed."""
    print(f"FAULT_SEED={SEED}")
    return Random(SEED)


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print how long the block took. It is not asserted."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.2f} s")
