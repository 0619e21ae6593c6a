"""A hash over code, so that an edited task makes another flow.

Covered are byte code, constants, nested functions, defaults, closures, and what the code reaches by name in the flow's
own modules: functions, classes, tasks, and values that have a stable form. Not covered are line numbers, file names,
comments, and the code of other packages, of which only the name counts.
"""

from __future__ import annotations

import dis
import enum
import functools
import hashlib
import inspect
import logging
import re
import types
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

from headwater.sdk.context.public_paths import public_path
from headwater.sdk.language.user_code import is_own, stable_module_name, type_name

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_WRITTEN_AS_TEXT = (date, datetime, time, timedelta, tzinfo, Decimal, Fraction, UUID, PurePath)
_BUILTIN_CALLABLES = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)
_NAME_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_CLASS_FURNITURE = frozenset({
    "__module__", "__dict__", "__weakref__", "__qualname__", "__firstlineno__", "__static_attributes__",
    "__annotations__", "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__",
})  # fmt: skip


def fingerprint(*values: Any) -> str:
    """Return a SHA-256 over code and values, as 64 hex digits: the same in every process that has the same code."""
    writer = _Writer()
    for value in values:
        writer.write(value)
    return writer.hash.hexdigest()


class _Writer:
    """Feeds a hash with a description of values, each part with its length so that no two read the same."""

    def __init__(self, seen: dict[int, int] | None = None) -> None:
        self.hash = hashlib.sha256()
        # Code may reach itself; what was described before is named by its number. Kept alive, or ids would be reused.
        self._seen = {} if seen is None else seen
        self._kept: list[Any] = []

    def write(self, value: Any) -> None:
        if isinstance(value, _PLAIN):
            self._text(type(value).__name__, repr(value))
        elif isinstance(value, enum.Enum):
            self._text("enum", type_name(type(value)), value.name)
        elif isinstance(value, _WRITTEN_AS_TEXT):
            self._text(type_name(type(value)), repr(value) if isinstance(value, timedelta) else str(value))
        elif isinstance(value, types.ModuleType):
            self._text("module", stable_module_name(value.__name__))
        elif isinstance(value, _BUILTIN_CALLABLES):
            self._text("builtin", getattr(value, "__qualname__", repr(type(value))))
        elif isinstance(value, re.Pattern):
            self._text("pattern", repr(value.pattern), str(value.flags))
        elif isinstance(value, logging.Logger):
            self._text("logger", value.name)
        elif isinstance(value, tuple | frozenset | types.CodeType):
            # Whether two equal ones are the same object differs between compiled and loaded modules, so it cannot count.
            self._compound(value)
        elif id(value) in self._seen:
            self._text("seen", str(self._seen[id(value)]))
        else:
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            self._compound(value)

    def _compound(self, value: Any) -> None:
        if isinstance(value, list | tuple):
            self._text(type(value).__name__, str(len(value)))
            self._all(value)
        elif isinstance(value, set | frozenset):
            self._text(type(value).__name__, *sorted(self._apart(element) for element in value))
        elif isinstance(value, dict):
            self._text("dict", *sorted(f"{self._apart(key)}{self._apart(element)}" for key, element in value.items()))
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self._text("method", value.__name__)
            self._all((value.__func__, value.__self__))
        elif isinstance(value, functools.partial):
            self._text("partial")
            self._all((value.func, value.args, value.keywords))
        elif isinstance(value, staticmethod | classmethod):
            self._text(type(value).__name__)
            self.write(value.__func__)
        elif isinstance(value, property):
            self._text("property")
            self._all((value.fget, value.fset, value.fdel))
        elif isinstance(value, types.CellType):
            self._cell(value)
        elif isinstance(value, type):
            self._class(value)
        else:
            self._object(value)

    def _function(self, function: types.FunctionType) -> None:
        self._text("function", function.__name__)
        code = function.__code__
        self._all((code, function.__defaults__, function.__kwdefaults__, *(function.__closure__ or ())))
        for name in _global_names(code):
            if name in function.__globals__:
                self._text("global", name)
                self._reached(function.__globals__[name])

    def _reached(self, value: Any) -> None:
        """Describe what code reaches by name: whole where it is the user's own, by name where it is not."""
        if isinstance(value, types.FunctionType | type) and not is_own(value.__module__):
            self._text("foreign", public_path(value.__module__), value.__qualname__)
        else:
            self.write(value)

    def _code(self, code: types.CodeType) -> None:
        self._text(
            "code",
            code.co_code.hex(),
            code.co_exceptiontable.hex(),
            *(str(count) for count in (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)),
        )
        # Headwater's own code may import where it is called, and the names of such modules are among those that it uses.
        for names in (map(public_path, code.co_names), code.co_varnames, code.co_freevars, code.co_cellvars):
            self._text("names", *names)
        is_class_body = "__firstlineno__" in code.co_names
        for constant in code.co_consts:
            # Newer Pythons note in a class body where it begins, which is not part of what it does.
            self.write("<line>" if is_class_body and constant == code.co_firstlineno else constant)

    def _cell(self, cell: types.CellType) -> None:
        try:
            content = cell.cell_contents
        except ValueError:
            self._text("empty cell")
        else:
            self._reached(content)

    def _class(self, kind: type) -> None:
        self._text("class", type_name(kind))
        if not is_own(kind.__module__):
            return
        for base in kind.__bases__:
            self._reached(base)
        for name, attribute in sorted(vars(kind).items()):
            if name not in _CLASS_FURNITURE and not isinstance(attribute, types.GetSetDescriptorType | types.MemberDescriptorType):
                self._text("attribute", name)
                self.write(attribute)

    def _object(self, value: Any) -> None:
        """Describe an object by its class and, if its class has no stable form of its own, by its attributes."""
        kind = type(value)
        self._class(kind)
        if getattr(kind, "told_by_name", False) is True:
            self._text("flow", str(getattr(value, "name", "")))
        elif is_own(kind.__module__) or kind.__module__.partition(".")[0] == "headwater":
            for name, attribute in sorted(attributes(value)):
                self._text("attribute", name)
                self.write(attribute)

    def _apart(self, value: Any) -> str:
        """Return a description of its own for an element whose place among others means nothing."""
        writer = _Writer(dict(self._seen))
        writer.write(value)
        self._kept.append(value)
        return writer.hash.hexdigest()

    def _all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.write(value)

    def _text(self, *parts: str) -> None:
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            self.hash.update(b"%d:" % len(data))
            self.hash.update(data)
        self.hash.update(b";")


def attributes(value: Any) -> list[tuple[str, Any]]:
    """Return the attributes of an object that make it what it is: neither caches nor what a pickle would leave out."""
    state = value.__getstate__() if hasattr(value, "__getstate__") else getattr(value, "__dict__", {})
    parts = state if isinstance(state, tuple) else (state,)
    return [(str(name), attribute) for part in parts if isinstance(part, dict) for name, attribute in part.items()]


@functools.lru_cache(maxsize=4096)
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """Return the global names that the code reads, nested functions included, in order of appearance."""
    names: dict[str, None] = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in _NAME_LOADS and isinstance(instruction.argval, str):
            names[instruction.argval] = None
    for constant in code.co_consts:
        if inspect.iscode(constant):
            names.update(dict.fromkeys(_global_names(constant)))
    return tuple(names)
