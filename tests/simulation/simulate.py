"""Live through histories in virtual time, one for each seed: `python -m simulation.simulate --seed 42`.

A history that breaks a promise is printed with the command that repeats it. The same seed gives the same history, as long as the code and
PYTHONHASHSEED are the same; the program sees to the latter itself.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import logging
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable

HASH_SEED = "0"


def simulate(seed: int, *, trace: bool = False, break_it: bool = False) -> Counter[str]:
    """Live through the history of this seed, and return what happened in it; raise what it broke.

    `trace` prints the log in the end. `break_it` has a writer write what no program may: the checks must see it.
    """
    from simulation import virtual_time
    from simulation.world import World

    random.seed(seed)
    gc.collect()
    gc.freeze()  # what is there by now stays: it need not be looked at again after each history
    gc.disable()  # what is left of an abandoned generator is ended by it: at a moment that no seed decides
    world = World(seed, break_it=break_it)
    try:
        virtual_time.run(world.live)
    finally:
        if trace:
            world.print_log()
    return world.events


def simulate_all(seeds: Iterable[int], *, seconds: float | None = None, trace: bool = False, break_it: bool = False) -> int:
    """Live through them until one fails or the time is over; return the program's exit status."""
    began = time.monotonic()
    total: Counter[str] = Counter()
    count = 0
    for seed in seeds:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        try:
            total += simulate(seed, trace=trace, break_it=break_it)
        except BaseException:  # noqa: BLE001 - whatever it is, it is printed with its seed
            traceback.print_exc()
            print(f"Seed {seed} breaks a promise. Again: make simulate SEED={seed}", file=sys.stderr)
            return 1
        count += 1
    happened = ", ".join(f"{name} {times}" for name, times in sorted(total.items()))
    print(f"{count} histories kept every promise: {happened}")
    print(f"They took {time.monotonic() - began:.1f} s.", file=sys.stderr)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="one history")
    parser.add_argument("--first", type=int, default=1, help="the first of many (default 1)")
    parser.add_argument("--count", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--minutes", type=float, help="as many as so long allows, beginning at a seed of chance")
    parser.add_argument("--trace", action="store_true", help="print what is in the log in the end")
    parser.add_argument("--break", dest="break_it", action="store_true", help="break a promise, to see that it is noticed")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "simulation.simulate", *sys.argv[1:]])
    logging.disable()
    if options.seed is not None:
        return simulate_all([options.seed], trace=options.trace, break_it=options.break_it)
    if options.minutes is not None:
        return simulate_all(itertools.count(random.randrange(10**9)), seconds=60 * options.minutes)
    return simulate_all(range(options.first, options.first + options.count))


if __name__ == "__main__":
    sys.exit(main())
