"""Dicts in dicts: with keys as attributes, merged, flat; and sequences in sequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

D = TypeVar("D", bound=MutableMapping[Any, Any])


def flatten_seq(seq: Iterable[Any]) -> Iterator[Any]:
    """Yield the elements of a sequence, and those of the sequences in it, at every depth; texts are elements.

    Raises:
        TypeError: it is not a sequence.

    """
    for element in seq:
        if isinstance(element, Iterable) and not isinstance(element, str):
            yield from flatten_seq(element)
        else:
            yield element


class DotDict(MutableMapping[Any, Any]):
    """A dict whose keys are attributes as well: `values.x` is `values["x"]`."""

    def __init__(self, init_dict: Mapping[Any, Any] | None = None, **values: Any) -> None:
        vars(self).update({**_plain(init_dict or {}), **values})

    def __getitem__(self, key: Any) -> Any:
        return vars(self)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        vars(self)[key] = value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delitem__(self, key: Any) -> None:
        del vars(self)[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(vars(self))

    def __len__(self) -> int:
        return len(vars(self))

    def __getattr__(self, name: str) -> Any:  # asked only where there is none
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def copy(self) -> DotDict:
        """Return another with the same keys and values."""
        return type(self)(_plain(self))

    def to_dict(self) -> dict[Any, Any]:
        """Return the values as plain dicts, at every depth."""
        plain: dict[Any, Any] = as_nested_dict(self, dict)
        return plain

    def __repr__(self) -> str:
        keys = ", ".join(sorted(map(repr, self)))
        return f"<{type(self).__name__}: {keys}>" if keys else f"<{type(self).__name__}>"


def as_nested_dict(obj: Any, dct_class: type[Any] = DotDict) -> Any:
    """Return the value with each dict in it, at every depth of dicts, lists, tuples and sets, as one of this class."""
    if isinstance(obj, list | tuple | set):
        return type(obj)([as_nested_dict(each, dct_class) for each in obj])
    if isinstance(obj, Mapping):
        return dct_class({key: as_nested_dict(value, dct_class) for key, value in _plain(obj).items()})
    return obj


def merge_dicts(d1: D, d2: Mapping[Any, Any]) -> D:
    """Return a copy of the first with the values of the second put over it, dict by dict."""
    merged = d1.copy()  # type: ignore[attr-defined] # dicts and DotDicts have it
    for key, value in _plain(d2).items():
        known = merged.get(key)
        is_inner = isinstance(known, MutableMapping) and isinstance(value, Mapping)
        merged[key] = merge_dicts(known, value) if is_inner else value
    result: D = merged
    return result


class CompoundKey(tuple[Any, ...]):
    """The keys that lead to a value in dicts in dicts, outermost first."""

    __slots__ = ()


def dict_to_flatdict(dct: Mapping[Any, Any], parent: CompoundKey | None = None) -> dict[CompoundKey, Any]:
    """Return the values of dicts in dicts in one dict, each under the keys that lead to it."""
    flat: dict[CompoundKey, Any] = {}
    for key, value in _plain(dct).items():
        path = CompoundKey((*(parent or ()), key))
        flat.update(dict_to_flatdict(value, path) if isinstance(value, Mapping) else {path: value})
    return flat


def flatdict_to_dict(dct: Mapping[Any, Any], dct_class: type[Any] | None = None) -> Any:
    """Return the dicts in dicts that `dict_to_flatdict` was given, as dicts of this class (that of `dct` by default)."""
    kind: type[Any] = dct_class or type(dct)
    nested: Any = kind()
    for key, value in _plain(dct).items():
        if not isinstance(key, CompoundKey):
            nested[key] = value
            continue
        *path, last = key
        inner: Any = nested
        for part in path:
            if part not in inner:
                inner[part] = kind()
            inner = inner[part]
        inner[last] = value
    return nested


def _plain(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    # A DotDict may have a key `items`, which hides the method.
    return {key: mapping[key] for key in mapping}
