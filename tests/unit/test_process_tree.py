"""Which processes come from which, as the kernel tells it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from headwater.agents.local import process_tree

PROGRAM = """
import os, subprocess, sys
from headwater.agents.local import process_tree
{more}
process_tree.adopt_orphans()
assert process_tree.own_children() == set()
waits = [subprocess.Popen(["sleep", "600"]) for _ in range(3)]
ended = subprocess.Popen(["true"])
# Its parent ends before it: it comes to us.
left = subprocess.run(["sh", "-c", "sleep 600 >/dev/null & echo $!"], stdout=subprocess.PIPE, check=True)
orphan = int(left.stdout)
try:
    expected = {{*(each.pid for each in waits), ended.pid, orphan}}
    assert process_tree.own_children() == expected, (process_tree.own_children(), expected)
    ended.wait()
    assert process_tree.own_children() == expected - {{ended.pid}}
finally:
    for process_id in (*(each.pid for each in waits), orphan):
        os.kill(process_id, 9)
"""
WITHOUT_LIST = """
told = process_tree._told
def without(process_id, name):
    if name.endswith("children"):
        raise FileNotFoundError
    return told(process_id, name)
process_tree._told = without
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only groups are known")
@pytest.mark.parametrize("more", ["", WITHOUT_LIST], ids=["by the kernel's list", "by all processes there are"])
def test_the_children_of_this_process_are_those_it_started_and_the_orphans_below_it(more: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM.format(more=more)], check=True)


def test_what_comes_from_a_process_is_found_at_any_depth() -> None:
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 5, 7: 99}

    assert sorted(process_tree.descendants(1, parents)) == [2, 3, 4, 5, 6]
    assert sorted(process_tree.descendants(1, parents, but={2, 6})) == [5]
    assert os.getpid() in process_tree.parents()
