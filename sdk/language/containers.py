"""Values that hold other values: which these are, and how a value of the same kind is made of others.

Lists, tuples, sets and dicts, subclasses of them (named tuples, `OrderedDict`, `defaultdict`), deques, slices, views of dicts, and
instances of dataclasses and of attrs classes. Everything else is a value of its own: a data frame, a string.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import deque
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, Sequence, ValuesView
from functools import lru_cache, partial
from typing import Any, NamedTuple

Make = Callable[[list[Any]], Any]
"""Makes a value of its elements, in the order of `elements_of`. It holds none of them itself, and can be pickled where its class can."""


def elements_of(value: Any) -> Iterable[Any] | None:
    """Return what the value holds, or None if it is not a container."""
    cls: Any = type(value)
    if cls in _PLAIN:
        return None
    kind = _kind_of(cls)
    return None if kind is None else kind.elements(value)


def maker_for(container: Any) -> Make:
    """Return what makes a container of the same kind."""
    cls: Any = type(container)
    kind = _kind_of(cls)
    assert kind is not None, "only containers are made again"
    return kind.maker(container)


class _Kind(NamedTuple):
    classes: tuple[type, ...]
    elements: Callable[[Any], Iterable[Any]]
    maker: Callable[[Any], Make]


@lru_cache(maxsize=1024)
def _kind_of(cls: type) -> _Kind | None:
    for kind in _KINDS:
        if issubclass(cls, kind.classes):
            return kind
    # Looked up without asking the class: what its metaclass answers is the user's code.
    return _OBJECTS if any({"__dataclass_fields__", "__attrs_attrs__"} & vars(each).keys() for each in cls.__mro__) else None


_PLAIN = frozenset({int, str, float, bool, bytes, type(None)})
"""What most values are, told quickly."""


def _keys_and_values(value: dict[Any, Any]) -> list[Any]:
    return [*value.keys(), *value.values()]


def _dict_maker(value: dict[Any, Any]) -> Make:
    return dict_of if type(value) is dict else partial(_refilled, _emptied(value))


def dict_of(keys_and_values: Sequence[Any]) -> dict[Any, Any]:
    """Return a dict, given all keys and then all values."""
    half = len(keys_and_values) // 2
    return dict(zip(keys_and_values[:half], keys_and_values[half:], strict=True))


def _mutable_maker(value: Any) -> Make:
    return type(value) if type(value) in (list, set) else partial(_refilled, _emptied(value))


def _emptied(value: Any) -> Any:
    # What a subclass keeps besides (a default factory, a length, attributes) stays; the elements may be tasks, and do not.
    twin = copy.copy(value)
    twin.clear()
    return twin


def _refilled(empty: Any, elements: Sequence[Any]) -> Any:
    twin = copy.copy(empty)
    if isinstance(twin, dict):
        twin.update(dict_of(elements))
    elif isinstance(twin, set):
        twin.update(elements)
    else:
        twin.extend(elements)
    return twin


def _immutable_maker(value: tuple[Any, ...] | frozenset[Any]) -> Make:
    cls, base = type(value), tuple if isinstance(value, tuple) else frozenset
    if cls is base:
        return base
    if callable(getattr(cls, "_make", None)) and hasattr(cls, "_fields"):
        return partial(_named_tuple, cls)
    return partial(_immutable, cls, base, getattr(value, "__dict__", None))


def _named_tuple(cls: Any, elements: Sequence[Any]) -> Any:
    return cls._make(elements)


def _immutable(cls: type, base: Any, attributes: Mapping[str, Any] | None, elements: Sequence[Any]) -> Any:
    # Not by calling the class: it may take its elements in another way.
    twin = base.__new__(cls, elements)
    if attributes:
        vars(twin).update(attributes)
    return twin


def _slice_of(elements: Sequence[Any]) -> slice:
    return slice(*elements)


class _Field(NamedTuple):
    name: str
    argument: str | None
    """The name by which the class takes it; None where the class makes the field itself."""


def _fields_of(value: Any) -> list[_Field]:
    if hasattr(type(value), "__attrs_attrs__"):
        fields = [
            _Field(each.name, (getattr(each, "alias", None) or each.name.lstrip("_")) if each.init else None)
            for each in type(value).__attrs_attrs__
        ]
    else:
        fields = [_Field(each.name, each.name if each.init else None) for each in dataclasses.fields(value)]
    return [field for field in fields if hasattr(value, field.name)]


def _values_of_fields(value: Any) -> list[Any]:
    return [getattr(value, field.name) for field in _fields_of(value)]


def _object_maker(value: Any) -> Make:
    return partial(_object_of, type(value), tuple(_fields_of(value)))


def _object_of(cls: type, fields: Sequence[_Field], elements: Sequence[Any]) -> Any:
    # By calling the class: it checks its values and makes some fields of others, which it did with tasks before, and now does with results.
    made = cls(**{field.argument: element for field, element in zip(fields, elements, strict=True) if field.argument is not None})
    for field, element in zip(fields, elements, strict=True):
        if not hasattr(made, field.name):
            object.__setattr__(made, field.name, element)
    return made


_KINDS = (
    _Kind((dict,), _keys_and_values, _dict_maker),
    _Kind((list, set, deque), iter, _mutable_maker),
    _Kind((tuple, frozenset), iter, _immutable_maker),
    _Kind((slice,), lambda value: (value.start, value.stop, value.step), lambda _: _slice_of),
    _Kind((KeysView, ValuesView, ItemsView), iter, lambda _: list),
)
_OBJECTS = _Kind((), _values_of_fields, _object_maker)
