"""Subjects: what each names, and that one module alone knows how they are put together."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest
from harness.documents import ROOT

from headwater.core.errors import InvalidArgument
from headwater.core.log import subjects
from headwater.core.log.subjects import Address

ID = "0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"
ROOMS = sorted(link.resolve() for link in (ROOT / "src" / "headwater").iterdir() if link.is_symlink())
SOURCES = sorted(file for room in ROOMS for file in room.rglob("*.py") if file != ROOT / "core" / "log" / "subjects.py")

NAMED: list[tuple[str, Address]] = [
    (subjects.project(ID), Address("project", ID)),
    (subjects.name("project", "Hello, World!"), Address("name", subjects.name("project", "Hello, World!").rpartition(".")[2])),
    (subjects.key_value(ID), Address("kv", ID)),
    (subjects.flow_group(ID), Address("flow", ID)),
    (subjects.registration_part(ID, 3), Address("part", f"{ID}.3")),
    (subjects.queue("gpu_night-1"), Address("queue", "gpu_night-1")),
    (subjects.run(ID), Address("run", ID)),
    (subjects.slots(ID), Address("slots", ID)),
    (subjects.schedule(ID), Address("schedule", ID)),
    (subjects.backfill(ID), Address("backfill", ID)),
    (subjects.agent("agent-1"), Address("agent", "agent-1")),
    ("hw.evt.budget.one", Address("budget", "one")),
]
NOBODYS = [
    "",
    "hw",
    "hw.evt",
    "hw.evt.",
    "hw.evt.run",
    "hw.evt.run.",
    "hw.evt.run.quiet-heron",
    f"hw.evt.run.{ID.upper()}",
    f"hw.evt.run.{ID}.1",
    f"hw.evt.run.{ID}\n",
    f"x.hw.evt.run.{ID}",
    f"hw.live.evt.run.{ID}",
    f"hw.evt.part.{ID}",
    f"hw.evt.part.{ID}.x",
    "hw.evt.agent.a.b",
    "hw.evt.agent.*",
    "hw.evt.>",
    "hw.evt.budget.one.two",
]


def test_every_kind_is_among_those_that_are_tried() -> None:
    assert {named.kind for _, named in NAMED} >= subjects.KINDS


@pytest.mark.parametrize(("subject", "named"), NAMED, ids=lambda each: str(each) if isinstance(each, str) else "")
def test_a_subject_of_facts_names_the_aggregate_it_was_made_of(subject: str, named: Address) -> None:
    assert subjects.parse(subject) == subjects.address(subject) == named
    assert subjects.kind_of(subject) == named.kind


@pytest.mark.parametrize("subject", NOBODYS)
def test_a_subject_that_no_aggregate_has_names_nothing(subject: str) -> None:
    assert subjects.parse(subject) is None
    with pytest.raises(InvalidArgument, match="No aggregate has the subject"):
        subjects.address(subject)


@pytest.mark.parametrize(("subject", "kind"), [("hw.evt.run.?", "run"), ("hw.evt.run", "run"), ("hw.evt.", ""), ("hw.log.run", "")])
def test_the_kind_is_known_also_where_nothing_is_named(subject: str, kind: str) -> None:
    assert subjects.kind_of(subject) == kind


OTHERS: list[tuple[Callable[[str], object], str, object]] = [
    (subjects.run_of_wake_up, subjects.scheduled("a-queue", ID), ID),
    (subjects.run_of_wake_up, subjects.timer(ID), ID),
    (subjects.run_of_wake_up, f"hw.timer.flow.{ID}", None),
    (subjects.run_of_wake_up, f"hw.scheduled.{ID}", None),
    (subjects.run_of_wake_up, f"hw.scheduled.a.b.{ID}", None),
    (subjects.agent_of_heartbeat, subjects.agent_heartbeat("agent-1"), "agent-1"),
    (subjects.agent_of_heartbeat, "hw.beat.views", None),
    (subjects.agent_of_heartbeat, "hw.beat.agent.a.b", None),
    (subjects.attempt_of_log, subjects.run_log(ID, 12), (ID, 12)),
    (subjects.attempt_of_log, f"hw.log.{ID}.x", None),
    (subjects.attempt_of_log, f"hw.log.{ID}.1234567890", None),
    (subjects.attempt_of_log, "hw.log.quiet-heron.1", None),
]


@pytest.mark.parametrize(("parse", "subject", "expected"), OTHERS)
def test_other_subjects_name_their_run_or_agent(parse: Callable[[str], object], subject: str, expected: object) -> None:
    assert parse(subject) == expected


# That one module alone knows the layout

_LAYOUT = re.compile(r"\bhw\.(evt|scheduled|timer|log|live|beat|ask|dead)\b")
_CUTS = {"split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith"}


def knowledge_of_subjects(source: str) -> Iterator[int]:
    """Yield the lines in which a subject is spelled, cut, sliced, or looked at by its beginning or end. Docstrings may speak of them.

    An inbox is of the one who opened it, and not a subject of Headwater.
    """
    tree = ast.parse(source)
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if id(node) not in spoken and _LAYOUT.search(text):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=cut, attr=how), args=[_, *_]) if how in _CUTS and _is_subject(cut):
                yield node.lineno
            case ast.Subscript(value=cut, slice=ast.Slice() as part) if _is_subject(cut) and "_inbox" not in ast.unparse(part):
                yield node.lineno


def _is_subject(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name == "subject" or name.endswith("_subject")


@pytest.mark.parametrize(
    "wrong",
    [
        'kind = recorded.subject.split(".", 3)[2]',
        'about = subject.rpartition(".")[2]',
        "run_id = subject[len(RUNS) :]",
        'is_run = message.subject.startswith("hw.evt.run.")',
        'found = f"hw.evt.{kind}.{about}"',
        'EVENTS = "hw.evt.>"',
    ],
)
def test_code_that_spells_or_cuts_a_subject_is_found(wrong: str) -> None:
    assert list(knowledge_of_subjects(f'"""A module about hw.evt.run.<id>."""\n{wrong}\n'))


def test_subjects_are_spelled_and_taken_apart_in_their_module_alone() -> None:
    found = {f"{file.relative_to(ROOT)}:{line}" for file in SOURCES for line in knowledge_of_subjects(file.read_text())}

    assert len(SOURCES) > 300
    assert found == set(), "use headwater.core.log.subjects"
