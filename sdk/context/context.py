"""`headwater.context`: what a task can know about the run it is part of.

The values belong to the flow of control, not to the process: tasks that run at the same time in several threads each
see their own. A thread that the user's code starts by itself sees the values of the outermost scope only, unless it
is started through `contextvars.copy_context().run`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from headwater.sdk.context.configuration import Section, config, merged
from headwater.sdk.context.logging import get_logger
from headwater.sdk.context.values import current_values


class Context(MutableMapping[str, Any]):
    """A mapping whose keys are attributes as well: `context.parameters`, `context["parameters"]`, `context.get("logger")`.

    `logger` and `config` always answer: with the task's logger inside a task, with Headwater's own elsewhere; and with the configuration.
    So do the keys that are configured under `[context]`, such as `secrets`. Any other name that nothing has set raises `AttributeError`
    (as an attribute) or `KeyError` (as a key).
    """

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        values = current_values.get()
        if key in values:
            return values[key]
        if key == "logger":
            return get_logger()
        if key == "config":
            return config
        configured = config["context"][key]
        return configured.to_dict() if isinstance(configured, Section) else configured

    def __setitem__(self, key: str, value: Any) -> None:
        current_values.get()[key] = value

    def __delitem__(self, key: str) -> None:
        del current_values.get()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(current_values.get())

    def __len__(self) -> int:
        return len(current_values.get())

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` where it is not set."""
        try:
            return self[key]
        except KeyError:
            return default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"headwater.context has no {name!r} here; it has {sorted(self)}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    @contextmanager
    def __call__(self, *mappings: Mapping[str, Any], **values: Any) -> Iterator[Context]:
        """Add values for the duration of a `with` block: `with headwater.context(today="2026-11-21"): ...`.

        Values for `config` are put over those of the configuration, section by section.
        """
        added: dict[str, Any] = {}
        for mapping in mappings:
            added.update(mapping)
        added.update(values)
        if isinstance(added.get("config"), Mapping) and added["config"] is not config:
            added["config"] = merged(self["config"], added["config"])
        token = current_values.set({**current_values.get(), **added})
        try:
            yield self
        finally:
            current_values.reset(token)

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of the values now in force."""
        return dict(current_values.get())

    def copy(self) -> dict[str, Any]:
        """Return a copy of the values now in force."""
        return self.to_dict()

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"<Context: {sorted(self)}>"

    def __reduce__(self) -> tuple[object, ...]:
        # `from headwater import context` in a user's script must not carry the values of one process into another.
        return _the_context, ()

    logger: logging.Logger


context = Context()


def _the_context() -> Context:
    return context
