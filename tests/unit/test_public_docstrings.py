"""Everyone who calls a public name finds in its docstring what goes in, what comes out, and what is raised."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import pytest

# The modules whose `__all__` is public, and how many callables each has at least: none is left out by accident.
PUBLIC = {
    "headwater": 70,
    "headwater.client": 35,
    "headwater.storage": 40,
    "headwater.executors": 20,
    "headwater.schedules": 8,
    "headwater.schedules.clocks": 20,
    "headwater.schedules.filters": 11,
    "headwater.schedules.adjustments": 2,
    "headwater.run_configs": 10,
}
NEEDS_A_UNIT = re.compile(r"\b(int|float|timedelta|datetime|date|time)\b")
GIVES_BACK = re.compile(r"\b(returns?|yields?|tells? whether)\b|\bReturns:|\bAs `", re.IGNORECASE)

NOTHING = {None, "None", "Iterator[None]", inspect.Signature.empty}
"""What a function returns that returns nothing, or is a context manager that gives nothing."""


class Named(NamedTuple):
    path: str
    thing: Any
    function: Callable[..., Any] | None
    owner: type | None

    @property
    def docstring(self) -> str:
        return inspect.getdoc(self.thing) or ""

    @property
    def in_reach(self) -> str:
        """What a reader of this docstring has before their eyes: the class, and what its bases say."""
        kind = self.thing if isinstance(self.thing, type) else self.owner
        return "\n".join([self.docstring, *(each.__doc__ or "" for each in (kind.__mro__[:-1] if kind else ()))])

    @property
    def parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values()) if self.function else []

    def says_raised(self) -> Iterator[str]:
        """Yield the classes that the body raises by name."""
        if self.function is None or not inspect.getsourcefile(self.function):
            return
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(self.function)))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                yield node.exc.func.id


def functions_in(attribute: Any) -> Callable[..., Any] | None:
    """Return the function behind a method, a property or a class method."""
    if isinstance(attribute, property):
        return attribute.fget
    if isinstance(attribute, cached_property):
        return attribute.func
    function = getattr(attribute, "__func__", attribute)
    return function if inspect.isfunction(function) else None


def public(module: str) -> list[Named]:
    """Return the public classes and functions of a module that are ours, with the public methods and properties that classes define."""
    found = []
    for name in importlib.import_module(module).__all__:
        thing = getattr(importlib.import_module(module), name)
        if not callable(thing) or not str(getattr(thing, "__module__", "")).startswith("headwater."):
            continue
        if not isinstance(thing, type):
            found.append(Named(name, thing, functions_in(thing), None))
            continue
        written = functions_in(vars(thing).get("__init__"))
        found.append(Named(name, thing, written if written and "<string>" not in written.__code__.co_filename else None, None))
        found += [
            Named(f"{name}.{attribute}", getattr(thing, attribute), function, thing)
            for attribute, value in vars(thing).items()
            if not attribute.startswith("_") and (function := functions_in(value)) is not None
        ]
    return found


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_say_what_goes_in_comes_out_and_is_raised(module: str) -> None:
    """State the rule for every class, function, method and property that a public module offers.

    1. It has a docstring, its own or one inherited from Headwater's base class, whose first line is a sentence.
    2. A function or method that returns something says what, with "return", "yield" or "tell whether", or refers to another ("As `...`").
    3. It names each parameter that is a number, a moment or a span of time, which needs a unit or a zone; a class names each
       parameter of its constructor. The docstrings of the class and of its bases count.
    4. It names each error that its own body raises, there or in the class.

    What is raised further down is up to the author: what a caller can do something about belongs into "Raises".
    """
    missing: list[str] = []
    for each in public(module):
        first = each.docstring.partition("\n")[0]
        if not first.endswith((".", ":", '"', "?")):
            missing.append(f"{each.path}: its first line is not a sentence: {first!r}")
        if each.function is None:
            continue
        returned = inspect.signature(each.function).return_annotation
        is_read = isinstance(each.thing, type | property) or not callable(each.thing)
        if not is_read and returned not in NOTHING and not GIVES_BACK.search(each.docstring):
            missing.append(f"{each.path}: does not say what it returns")
        for parameter in each.parameters:
            if parameter.name in {"self", "cls"} or parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
                continue
            needed = isinstance(each.thing, type) or NEEDS_A_UNIT.search(str(parameter.annotation))
            if needed and not re.search(rf"\b{parameter.name}\b", each.in_reach) and "As `" not in each.docstring:
                missing.append(f"{each.path}: does not name {parameter.name}: {parameter.annotation}")
        missing += [f"{each.path}: does not say that it raises {error}" for error in each.says_raised() if error not in each.in_reach]

    assert missing == []


@pytest.mark.parametrize(("module", "at_least"), PUBLIC.items())
def test_the_rule_meets_all_that_a_public_module_offers(module: str, at_least: int) -> None:
    assert len(public(module)) >= at_least
