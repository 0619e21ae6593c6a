"""What the report says of a mutant that no test noticed: which words it changed, and where they are."""

from __future__ import annotations

import pytest
from mutation.diffs import Change, change_of, first_line
from mutation.mutants import CHECKOUT, equivalent_mutants, modules

SOURCE = '''"""A module."""


def first() -> int:
    return 1


class Counter:
    limit = 3

    def second(self) -> int:
        found = 1
        return found + 1
'''
DIFF = """--- src/headwater/core/counter.py
+++ src/headwater/core/counter.py
@@ -1,3 +1,3 @@
 def second(self) -> int:
     found = 1
-    return found + 1
+    return found - 1"""
IN_FIRST = DIFF.replace("-    return found + 1", "-    found = 1").replace("     found = 1\n-", "-", 1)


def test_a_change_is_known_by_its_words() -> None:
    assert change_of("core/counter.py", DIFF) == Change("core/counter.py", "return found + 1", "return found - 1")


@pytest.mark.parametrize(
    ("mutant", "diff", "line"),
    [
        ("headwater.core.counter.xǁCounterǁsecond__mutmut_12", DIFF, 13),
        ("headwater.core.counter.xǁCounterǁsecond__mutmut_3", IN_FIRST, 12),
        ("headwater.core.counter.x_first__mutmut_1", "@@ -1,2 +1,2 @@\n def first() -> int:\n-    return 1\n+    return 2", 5),
    ],
)
def test_a_change_is_found_in_its_function(mutant: str, diff: str, line: int) -> None:
    assert first_line(SOURCE, mutant, diff) == line


def test_changes_that_change_nothing_are_of_lines_that_are_there_and_have_a_reason() -> None:
    for change, reason in equivalent_mutants().items():
        assert change.module in modules()
        assert change.before in (CHECKOUT / change.module).read_text()
        assert reason.endswith(".")
