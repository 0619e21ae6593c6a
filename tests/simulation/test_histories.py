"""Histories in virtual time, each from a seed: every program dies, freezes and is cut off, and every promise holds in the end.

They are lived through in a process of their own, since the program gives everything a seed's time and chance in place of the machine's.
More of them: `make soak MINUTES=10`. One again: `make simulate SEED=42`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HISTORIES, PROCESSES = 500, 2
TESTS = Path(__file__).parents[1]


def simulating(*options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "simulation.simulate", *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def simulated(*options: str) -> subprocess.CompletedProcess[str]:
    process = simulating(*options)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_no_history_breaks_a_promise() -> None:
    share = HISTORIES // PROCESSES
    processes = [simulating("--first", str(1 + share * number), "--count", str(share)) for number in range(PROCESSES)]
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert f"{share} histories" in out


def test_a_seed_gives_the_same_history_again_and_others_give_others() -> None:
    histories = [simulated("--seed", seed, "--trace").stdout for seed in ("7", "7", "8")]

    assert histories[0] == histories[1] != histories[2]
    assert "run.submitted" in histories[0]


def test_a_broken_promise_is_reported_with_the_command_that_repeats_it() -> None:
    lived = simulated("--seed", "7", "--break")

    assert lived.returncode == 1
    assert "attempts strictly increase" in lived.stderr
    assert "make simulate SEED=7" in lived.stderr
