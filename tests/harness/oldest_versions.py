"""Prints the oldest versions that pyproject.toml lets in, as constraints for pip: `make test-oldest` tests with these."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def oldest(requirements: list[str]) -> Iterator[str]:
    """Yield each requirement with its lower bound as the one version; those without one do not constrain."""
    for requirement in requirements:
        if bound := re.match(r"([\w-]+)(?:\[[\w,]+\])?[>=]=([\w.]+)", requirement):
            yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    print("\n".join(oldest([*project["dependencies"], *extras["cluster"], *extras["server"]])))
