"""Writes from the code the references under docs/reference/ (events, states, rows, settings, commands, import paths), and schema.sql.

`--check` writes nothing and compares.

A test runs the check, so a reference cannot say other than the code does.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec

from headwater.core import events, states
from headwater.core.program import settings
from headwater.core.queries import rows
from headwater.core.queries.field_sentences import field_sentences
from headwater.core.values import limits
from headwater.old_paths import OLD_PATHS, Missing

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"


def events_reference() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "Everything the log can hold. A commit (the events of one command) is one message of JSON:"
    yield ""
    yield "```json"
    yield '{"v": 1, "id": "<uuid7>", "at": "<UTC>", "actor": "cli:ana@host", "cause": null, "events": [{"type": "run.started", ...}]}'
    yield "```"
    yield ""
    yield "Fields with a default are left out where they hold it. A reader passes over fields and types it does not know. Events hold"
    yield "no code, no secrets and no values of results (but inline ones that you chose); they hold references."
    yield ""
    yield f"Limits, checked when a commit is written and when it is read: {limits.DEPTH_MAX} levels of nesting; counts and indexes of"
    yield f"32 bits, positions and versions of 64; times with a zone, of {limits.TIME_MIN.year} to {limits.TIME_MAX.year}; ids of runs,"
    yield "flows and projects are UUIDs in small letters, those of agents and queues letters, digits, `-` and `_`; names have at most"
    yield f"{limits.NAME_CHARACTERS_MAX} characters. A message out of these limits is a dead letter: it is set aside and shown, and blocks"
    yield "nothing."
    yield ""
    yield "| event | meaning | fields |"
    yield "|---|---|---|"
    for kind in events.EVENT_TYPES:
        meaning = " ".join((inspect.getdoc(kind) or "").split())
        fields = ", ".join(_field(field) for field in msgspec.structs.fields(kind))
        yield f"| `{kind.__struct_config__.tag}` | {meaning} | {fields} |"


def _field(field: msgspec.structs.FieldInfo) -> str:
    optional = "" if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT else "?"
    return f"`{field.encode_name}{optional}` {_type(field.type)}"


def _type(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _type(get_args(kind)[0])
    origin, arguments = get_origin(kind), [argument for argument in get_args(kind) if argument not in {type(None), ...}]
    if origin is dict:
        return "object"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if arguments:
        return " or ".join(_type(argument) for argument in arguments)
    return {"str": "text", "int": "integer", "float": "number", "bool": "true/false", "datetime": "time", "Any": "JSON"}.get(
        getattr(kind, "__name__", str(kind)), getattr(kind, "__name__", str(kind))
    )


def states_reference() -> Iterator[str]:
    yield "# States"
    yield ""
    yield "Every state that a run or a task run can be in, as lists, rows and GraphQL name it."
    yield ""
    yield "| state | what holds in it | final | successful |"
    yield "|---|---|---|---|"
    sentences = field_sentences(states.StateName)
    for state in states.StateName:
        successful = "yes" if state in states.SUCCESSFUL else "no" if state in states.FAILED else ""
        yield f"| `{state}` | {sentences[state.name]} | {'yes' if state in states.FINAL else ''} | {successful} |"


def rows_reference() -> Iterator[str]:
    yield "# Rows"
    yield ""
    yield "What `--output json` prints and the client's `get_...` methods return, field by field. Times are UTC; ids of runs, flows and"
    yield "projects are UUIDs in small letters. `null` in JSON is `None` in Python."
    for kind in public_rows():
        yield ""
        yield f"## {kind.__name__}"
        yield ""
        yield " ".join((inspect.getdoc(kind) or "").split())
        yield ""
        yield "| field | type | meaning |"
        yield "|---|---|---|"
        sentences = field_sentences(kind)
        for field in msgspec.structs.fields(kind):
            nullable = " or null" if type(None) in get_args(field.type) else ""
            yield f"| `{field.encode_name}` | {_type(field.type)}{nullable} | {sentences[field.name]} |"


def public_rows() -> list[type[rows.Row]]:
    """Return the kinds of rows in the order in which they are written down."""
    modules = (
        rows.catalogue,
        rows.runs,
        rows.agents,
        rows.counts,
        rows.dead_letters,
        rows.views_status,
        rows.schedules,
        rows.artifacts,
        rows.key_values,
    )
    found = [each for module in modules for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    return [each for each in found if issubclass(each, rows.Row) and each is not rows.Row]


def settings_reference() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Variables of the environment. Options on the command line and arguments in code win over them."
    yield ""
    yield settings.settings_table().rstrip()


def old_paths_reference() -> Iterator[str]:
    moved = {path: place for path, place in OLD_PATHS.items() if isinstance(place, str)}
    missing: dict[str, list[str]] = {}
    for path, place in OLD_PATHS.items():
        if isinstance(place, Missing):
            missing.setdefault(place.reason, []).append(path)
    yield "# Import paths of Prefect 1"
    yield ""
    yield "With `headwater` written for `prefect`, these paths are other ones here. They work as they are: each gives the very object of"
    yield "the new place, so that `isinstance` and pickles agree. Paths that are not listed are the same in both. Type checkers know the"
    yield "new places only: write these in new code."
    yield ""
    yield "| in flows for Prefect 0.13 to 1.4 | here |"
    yield "|---|---|"
    for path, place in sorted(moved.items(), key=lambda row: _dotted(row[0])):
        yield f"| `{_dotted(path)}` | `{_dotted(place)}` |"
    yield ""
    yield "## What is not here"
    yield ""
    yield "Importing these raises `ImportError` with the reason."
    yield ""
    yield "| paths | why, and what to do instead |"
    yield "|---|---|"
    for reason, paths in sorted(missing.items(), key=lambda row: min(row[1])):
        yield f"| {', '.join(f'`{_dotted(path)}`' for path in sorted(paths))} | {reason} |"


def _dotted(path: str) -> str:
    return ".".join(part for part in ("headwater", *path.split(":")) if part)


def cli_reference() -> Iterator[str]:
    from headwater.cli.reference import command_reference

    yield from command_reference()


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "events.md": events_reference,
    "states.md": states_reference,
    "rows.md": rows_reference,
    "settings.md": settings_reference,
    "cli.md": cli_reference,
    "prefect-1-paths.md": old_paths_reference,
}


def written() -> Iterator[tuple[Path, str]]:
    """Yield every file that is written from the code, with its text."""
    from headwater.projections.tables import schema_sql

    for name, page in PAGES.items():
        yield REFERENCE / name, "\n".join(page()) + "\n"
    yield ROOT / "projections" / "schema.sql", schema_sql()


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = []
    for path, text in written():
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    if stale:
        print(f"Not as the code says: {', '.join(stale)}. Run `make docs`.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
