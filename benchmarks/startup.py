"""What it costs to import Headwater, and to ask the command for its help, beside what Python and typer cost by themselves.

    python benchmarks/startup.py

Whole processes, in turns, so that both see the same machine; medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from measurement import Measurement, lines, ratio_at_most

_COMMAND = Path(sysconfig.get_path("scripts")) / "headwater"


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _in_turns(times: int, ours: list[str], floor: list[str]) -> tuple[float, float]:
    for command in (ours, floor):
        _seconds(command)
    pairs = [(_seconds(ours), _seconds(floor)) for _ in range(times)]
    return statistics.median(pair[0] for pair in pairs) * 1e3, statistics.median(pair[1] for pair in pairs) * 1e3


def measurements(times: int = 15) -> list[Measurement]:
    python = [sys.executable, "-P", "-c"]
    help_, typer = _in_turns(times, [str(_COMMAND), "--help"], [*python, "import typer"])
    import_, asyncio = _in_turns(times, [*python, "import headwater"], [*python, "import asyncio"])
    words, _ = _in_turns(times, [*python, "from headwater import Flow, task, Parameter"], [*python, "import asyncio"])
    return [
        ratio_at_most("headwater --help", help_, "ms", 2.0, floor=typer, floor_is="python -c 'import typer'"),
        ratio_at_most("import headwater", import_, "ms", 1.3, floor=asyncio, floor_is="python -c 'import asyncio'"),
        Measurement("from headwater import Flow, task, Parameter", words, "ms", asyncio, "python -c 'import asyncio'"),
    ]


if __name__ == "__main__":
    print("\n".join(lines(measurements())))
