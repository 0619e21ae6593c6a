"""Prints the interpreters of this machine for the versions of Python in pyproject.toml, one a line: `make test-matrix` tests with each.

They are looked for on PATH and among those of pyenv and uv. Versions that are not here are named on the standard error output.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
FOLDERS = (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin")


def versions_to_test() -> list[str]:
    """Return the versions that the project says it is tested with, and 3.14: it is tested where it is."""
    classifiers = tomllib.loads(PROJECT.read_text())["project"]["classifiers"]
    found = {match[1] for each in classifiers if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))}
    return sorted(found | {"3.14"}, key=lambda version: int(version.partition(".")[2]))


def candidates(version: str) -> Iterator[str]:
    """Yield programs of this version's name; they may be shims that start nothing."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for pattern in FOLDERS:
        yield from (str(folder / f"python{version}") for folder in sorted(Path.home().glob(pattern), reverse=True))


def interpreter(version: str, programs: Iterable[str]) -> str | None:
    """Return the first of the programs that is an interpreter of this version; None where none is."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for program in programs:
        try:
            told = subprocess.run([program, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            continue
        if told == version:
            return program
    return None


if __name__ == "__main__":
    found = {version: interpreter(version, candidates(version)) for version in versions_to_test()}
    print("\n".join(program for program in found.values() if program))
    if missing := [version for version, program in found.items() if program is None]:
        print(f"Not tested, since they are not on this machine: Python {', '.join(missing)}.", file=sys.stderr)
