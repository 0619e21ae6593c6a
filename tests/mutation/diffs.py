"""What the diff of a mutant says: what was changed into what, and where in the module."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple


class Change(NamedTuple):
    """Lines of a module, and what a mutant has instead; numbers of lines and of mutants shift, these words do not."""

    module: str
    before: str
    after: str


def change_of(module: str, diff: str) -> Change:
    return Change(module, _words(diff, "-"), _words(diff, "+"))


def _words(diff: str, sign: str) -> str:
    return " ".join(line[1:].strip() for line in _hunks(diff) if line.startswith(sign))


def _hunks(diff: str) -> list[str]:
    lines = diff.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("@@"))
    return lines[first:]


def first_line(source: str, mutant: str, diff: str) -> int:
    """Return the number of the first changed line in the module's source.

    `mutant` is mutmut's name of it, which has that of the function: `a.module.x_function__mutmut_1`, `a.module.xǁClassǁmethod__mutmut_2`.
    """
    within = 0
    for line in _hunks(diff):
        if hunk := re.match(r"@@ -(\d+)", line):
            within = int(hunk[1]) - 1
        elif line.startswith("-"):
            break
        else:
            within += not line.startswith("+")
    return _begin_of(source, mutant) + within


def _begin_of(source: str, mutant: str) -> int:
    path = re.sub(r"__mutmut_\d+$", "", mutant.rpartition(".")[2])
    names = path.removeprefix("xǁ").split("ǁ") if path.startswith("xǁ") else [path.removeprefix("x_")]
    body: list[ast.stmt] = ast.parse(source).body
    line = 1
    for name in names:
        found = next(each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and each.name == name)
        body, line = found.body, found.lineno
    return line
