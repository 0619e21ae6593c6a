"""All benchmarks, each figure beside its floor in the same run: `make bench`. Medians; the machine's noise is in them, so run it quietly.

python -m benchmarks [--quick]
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECTIONS = {
    "startup.py": ([], []),
    "append.py": ([], ["--times", "50"]),
    "creates.py": ([], ["--runs", "100"]),
    "claims.py": ([], ["--runs", "20", "--tasks", "1000"]),
    "local_engine.py": ([], ["1000"]),
    "projection.py": ([], ["--runs", "1000"]),
    "schedules.py": ([], ["--schedules", "20", "--idle", "0"]),
    "scale.py": (["--runs", "30000"], ["--runs", "200"]),
    "listing.py": (["--runs", "100000", "--times", "100"], ["--runs", "2000", "--times", "10"]),
    "web.py": (["--times", "30"], ["--runs", "500", "--tasks", "200", "--times", "3", "--pages", "10"]),
}
"""Each benchmark with its arguments, and with those of a quick look that only shows that it works."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that all of it works, measures nothing")
    quick = parser.parse_args().quick
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, commit {commit or 'unknown'}\n", flush=True)
    failed = 0
    for name, (full, small) in SECTIONS.items():
        print(f"{name}", flush=True)
        # A process of its own for each: none measures what another left behind.
        failed += subprocess.run([sys.executable, "-P", str(HERE / name), *(small if quick else full)], check=False).returncode != 0
        print(flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
