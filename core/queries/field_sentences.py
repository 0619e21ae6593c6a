"""The sentences that stand below the fields of a row or the members of an enumeration, read from the source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def field_sentences(kind: type) -> dict[str, str]:
    """Return the sentence of each field that has one, by the field's name; those of base classes first.

    Where the source is not there, there are none: they are for people and decide nothing.
    """
    sentences: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not base.__module__.startswith("headwater."):
            continue
        try:
            source = textwrap.dedent(inspect.getsource(base))
        except OSError:
            continue
        sentences |= _below_assignments(ast.parse(source).body[0])
    return sentences


def _below_assignments(definition: ast.stmt) -> dict[str, str]:
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found = {}
    for assigned, below in pairwise(body):
        target = (
            assigned.target if isinstance(assigned, ast.AnnAssign) else assigned.targets[0] if isinstance(assigned, ast.Assign) else None
        )
        if isinstance(target, ast.Name) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[target.id] = " ".join(str(below.value.value).split())
    return found
