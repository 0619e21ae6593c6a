"""Copies of the checkout, for tests that build from it: what is made there must not show here, nor what lies here by chance there."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.documents import ROOT

_MADE = (".git", ".venv*", ".env*", "__pycache__", "*.egg-info", "build", "dist", ".*_cache", ".hypothesis", "node_modules")
_MADE_AT_THE_TOP = "flows"


def copy_checkout(target: Path) -> Path:
    """Copy the files of the project, links as links, without what was made or put beside them. Returns the copy's folder."""

    def made(folder: str, names: list[str]) -> set[str]:
        top = {_MADE_AT_THE_TOP} if Path(folder) == ROOT else set()
        return shutil.ignore_patterns(*_MADE)(folder, names) | top

    shutil.copytree(ROOT, target, symlinks=True, ignore=made)
    return target
