"""Which interpreters `make test-matrix` tests with."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.python_versions import interpreter, versions_to_test

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_all_versions_that_the_project_names_are_tested_and_the_newest_of_all() -> None:
    assert versions_to_test() == ["3.11", "3.12", "3.13", "3.14"]


def test_what_is_not_an_interpreter_of_the_version_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / f"python{THIS}"
    broken.write_text("#!/bin/sh\necho 'no such version' >&2; exit 127\n")
    broken.chmod(0o755)
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho 2.7\n")
    other.chmod(0o755)
    programs = [str(tmp_path / "not-there"), str(broken), str(other), sys.executable]

    assert interpreter(THIS, programs) == sys.executable
    assert interpreter(THIS, programs[:3]) is None
