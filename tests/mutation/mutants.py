"""Breaks the rules in thousands of small ways, one at a time, and tells which of these mutants their tests do not notice.

    make mutants                              all rules
    make mutants ONLY=core/runs/restart.py    those of one module

mutmut makes the mutants and runs the tests on each, in a copy of the sources: it knows folders, and the package is links to folders.
`equivalent.toml` names mutants that behave as the original does; they do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mutation.diffs import Change, change_of, first_line

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src/headwater")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")

RULES = ("core/*/rules.py", "core/*/state.py", "core/runs/*.py", "core/projects/owned_name.py", "agents/agent/delivery_plan.py")
WORDS = ("core/runs/describe*.py", "core/runs/inline_result.py")
"""No rules: what people read of a run, and a value as it is stored."""
TESTS = ("tests/unit/rules", "tests/unit/test_agent_delivery_plan.py")
KILLED_AT_LEAST = 0.95

_KILLED = frozenset({1, 3, 24, -24, 36, 152, 255})
"""What mutmut stores of a mutant whose tests failed, or took many times as long as they do: what ends a loop is a rule, too."""


@dataclass(frozen=True)
class Mutant:
    """A change that was made to the rules, and whether a test noticed. `name` is what mutmut calls it."""

    module: str
    name: str
    killed: bool
    tree: Path

    @cached_property
    def diff(self) -> str:
        shown = subprocess.run(mutmut("show", self.name), cwd=self.tree, capture_output=True, text=True, check=True).stdout
        return shown.partition("\n")[2]

    @property
    def change(self) -> Change:
        return change_of(self.module, self.diff)

    @property
    def place(self) -> str:
        return f"{self.module}:{first_line((CHECKOUT / self.module).read_text(), self.name, self.diff)}"


def mutmut(*words: str) -> list[str]:
    return [sys.executable, "-m", "mutmut", *words]


def modules() -> list[str]:
    """Return the modules that hold rules. A pattern that matches none is a mistake: the module moved."""
    found = {pattern: {path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob(pattern)} for pattern in (*RULES, *WORDS)}
    if nothing := [pattern for pattern, paths in found.items() if not paths]:
        raise SystemExit(f"No module matches {', '.join(nothing)}.")
    return sorted(set().union(*(found[pattern] for pattern in RULES)) - set().union(*(found[pattern] for pattern in WORDS)))


def copy_checkout(tree: Path, mutated: list[str]) -> None:
    """Copy the sources, with links resolved, and what the tests of the rules need."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")
    shutil.copytree(CHECKOUT / "src", tree / "src", ignore=ignored)
    shutil.copytree(CHECKOUT / "tests/harness", tree / "tests/harness", ignore=ignored)
    shutil.copy(CHECKOUT / "tests/conftest.py", tree / "tests")
    for tests in TESTS:
        if (CHECKOUT / tests).is_dir():
            shutil.copytree(CHECKOUT / tests, tree / tests, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / tests, tree / tests)
    settings = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = {json.dumps([(PACKAGE / module).as_posix() for module in mutated])}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {json.dumps(TESTS)}
"""
    (tree / "pyproject.toml").write_text((CHECKOUT / "pyproject.toml").read_text() + settings)


def make_mutants(tree: Path, jobs: int | None) -> None:
    log = tree / "mutmut.log"
    with log.open("w") as out:
        command = mutmut("run", *([] if jobs is None else ["--max-children", str(jobs)]))
        # The order of sets is that of every other time, and so is the answer.
        ended = subprocess.run(
            command, cwd=tree, stdout=out, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONHASHSEED": "0"}, check=False
        )
    if ended.returncode != 0:
        sys.stdout.write(log.read_text()[-10_000:])
        raise SystemExit("mutmut could not do it; what it said is above. Do the tests of the rules pass?")


def mutants_of(tree: Path, module: str) -> Iterator[Mutant]:
    stored = tree / "mutants" / PACKAGE / f"{module}.meta"
    for name, code in json.loads(stored.read_text())["exit_code_by_key"].items():
        yield Mutant(module, name, code in _KILLED, tree)


def report(mutants: list[Mutant], equivalent: dict[Change, str], *, all_modules: bool) -> bool:
    """Print what lives of the mutants, and how many were killed; tell whether these are enough."""
    alive = [mutant for mutant in mutants if not mutant.killed]
    survivors = [mutant for mutant in alive if mutant.change not in equivalent]
    for mutant in survivors:
        print(f"{mutant.place} survived\n{mutant.diff}")
    total, survived, excused = (Counter(mutant.module for mutant in some) for some in (mutants, survivors, alive))
    print(f"{'module':36}{'killed':>8}{'survived':>10}{'total':>7}{'equivalent':>12}")
    for module in sorted(total):
        print(table_row(module, total[module], survived[module], excused[module] - survived[module]))
    print(table_row("all", len(mutants), len(survivors), len(alive) - len(survivors)))
    if all_modules and (stale := set(equivalent) - {mutant.change for mutant in alive}):
        for change in sorted(stale):
            print(f"{EQUIVALENT.name} names what is not a survivor any more: {change.module}: {change.after}")
        return False
    killed = len(mutants) - len(alive)
    counted = killed + len(survivors)
    print(f"{killed:,} of {counted:,} killed; at least {KILLED_AT_LEAST:.0%} must be.")
    return killed >= counted * KILLED_AT_LEAST


def table_row(name: str, total: int, survived: int, excused: int) -> str:
    return f"{name:36}{total - survived - excused:>8}{survived:>10}{total:>7}{excused or '':>12}"


def equivalent_mutants() -> dict[Change, str]:
    """Return the reason of each change that changes nothing."""
    listed = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    return {Change(each["module"], each["before"], after): each["reason"] for each in listed for after in each["after"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=modules(), metavar="MODULE", help="one module, such as core/runs/restart.py")
    parser.add_argument("--jobs", type=int, help="so many mutants at once; one for each processor unless you say")
    options = parser.parse_args()
    mutated = [options.only] if options.only else modules()
    with tempfile.TemporaryDirectory(prefix="headwater-mutants-") as folder:
        tree = Path(folder)
        copy_checkout(tree, mutated)
        print(f"Making mutants of {len(mutated)} modules, and testing each ...", flush=True)
        make_mutants(tree, options.jobs)
        mutants = [mutant for module in mutated for mutant in mutants_of(tree, module)]
        enough = report(mutants, equivalent_mutants(), all_modules=not options.only)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
