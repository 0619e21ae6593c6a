"""`headwater register`: the flows of files, folders and modules, each registered where it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import coloured, echo_stderr, examples, traceback_of_users_code
from headwater.core.errors import HeadwaterError, InvalidArgument, NotFound

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient
    from headwater.sdk.client.registration import RegisteredFlow
    from headwater.sdk.language.flow import Flow

app = typer.Typer(add_completion=False, no_args_is_help=True)


@dataclass
class Source:
    """A file or module, and the flows in it that are wanted; `error` says why there are none."""

    name: str
    path: Path | None = None
    module: str | None = None
    flows: list[Flow] = field(default_factory=list)
    error: HeadwaterError | None = None


@dataclass
class Tally:
    """How it went."""

    registered: int = 0
    skipped: int = 0
    errored: int = 0

    def words(self) -> str:
        parts = [f"{self.registered} registered"]
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        if self.errored:
            parts.append(f"{self.errored} errored")
        return ", ".join(parts)


@app.command(
    epilog=examples(
        "headwater register --project tutorial --path hello_flow.py",
        "headwater register --project 'Hello, World!' -p flows/ -l gpu",
        "headwater register --project etl -m mycompany.flows --name nightly --force",
    )
)
def register(
    context: typer.Context,
    *,
    project: Annotated[str, typer.Option("--project", metavar="NAME", help="The project to register in.")],
    path: Annotated[
        list[str] | None,
        typer.Option("--path", "-p", metavar="PATH", help="A file, a folder or a pattern such as 'flows/**/*.py'; may repeat."),
    ] = None,
    module: Annotated[
        list[str] | None, typer.Option("--module", "-m", metavar="MODULE", help="A module, or a flow in one by its full name; may repeat.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option("--name", "-n", metavar="NAME", help="Only flows with this name; may repeat.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="A label to add to every flow; may repeat.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Register flows that did not change, too.")] = False,
    schedule: Annotated[
        bool | None,
        typer.Option("--schedule/--no-schedule", help="Resume, or pause, the flows' schedules.  [default: new ones active, pauses kept]"),
    ] = None,
) -> None:
    """Register the flows of files and modules. A flow that did not change since the last time is skipped."""
    from headwater.core.operations.project_lookup import find_project

    if not path and not module:
        context.fail("Say where the flows are, with --path or --module.")
    # A missing project is an error before any of the user's code runs.
    with_client(context, lambda client: find_project(client.log.events, project))
    print("Collecting flows...", flush=True)
    sources = collect(path or [], module or [], name or [])
    tally = Tally()

    async def work(client: AsyncClient) -> None:
        for source in sources:
            await _register_source(client, source, project, tally, labels=label or [], force=force, schedule=schedule)

    with_client(context, work)
    print(coloured(f" {tally.words()} ".center(64, "="), "red" if tally.errored else "green"))
    if tally.errored:
        raise typer.Exit(1)


def collect(paths: list[str], modules: list[str], names: list[str]) -> list[Source]:
    """Return the sources with their flows, each loaded once; those with none of the wanted names are left out.

    Raises:
        NotFound: a path names nothing, or a wanted flow is in none of the sources.

    """
    from headwater.cli.flow_sources import flows_of, python_files
    from headwater.sdk.storage.loading import refuse_same_names

    sources = [Source(str(file), path=file) for file in python_files(paths)] + [Source(each, module=each) for each in modules]
    wanted = set(names)
    taken: dict[str, tuple[Source, Flow]] = {}
    for source in sources:
        try:
            source.flows = [flow for flow in flows_of(path=source.path, module=source.module) if not wanted or flow.name in wanted]
            refuse_same_names(source.flows, source.name)
            _refuse_flows_of_others(source, taken)
        except HeadwaterError as error:
            source.error, source.flows = error, []
    missing = wanted - {flow.name for source in sources for flow in source.flows}
    if missing and not any(source.error for source in sources):
        raise NotFound("flow", ", ".join(sorted(missing)), hint="None of the files and modules holds it.")
    return [source for source in sources if source.flows or source.error]


def _refuse_flows_of_others(source: Source, taken: dict[str, tuple[Source, Flow]]) -> None:
    """Check that no source before holds another flow of one name with one of these, and note them. One flow may be imported by several."""
    for flow in source.flows:
        before, other = taken.setdefault(flow.name, (source, flow))
        if other is not flow and other.serialized_hash() != flow.serialized_hash():
            raise InvalidArgument(
                f"Flow {flow.name!r} is another one in {before.name}; registered one after the other, the second would archive the first.",
                hint="Give each its own name, or register one of the two.",
            )


async def _register_source(
    client: AsyncClient, source: Source, project: str, tally: Tally, *, labels: list[str], force: bool, schedule: bool | None
) -> None:
    print(f"Processing {source.name!r}:", flush=True)
    if source.error is not None:
        _show_failure("Loading flows...", source.error)
        tally.errored += 1
    for flow in source.flows:
        heading = f"Registering {flow.name!r}..."
        try:
            done = await _register_flow(client, flow, source, project, labels=labels, force=force, schedule=schedule)
        except HeadwaterError as error:
            _show_failure(heading, error)
            tally.errored += 1
        else:
            _show_success(heading, done, tally)


async def _register_flow(
    client: AsyncClient, flow: Flow, source: Source, project: str, *, labels: list[str], force: bool, schedule: bool | None
) -> RegisteredFlow:
    from headwater.sdk.client.flow_metadata import add_labels
    from headwater.sdk.client.registration import register
    from headwater.sdk.storage import Local, Module

    if flow.storage is None:
        if source.path is not None:
            flow.storage = Local(path=source.path, stored_as_script=True)
        else:
            assert source.module is not None
            flow.storage = Module(_module_of(source.module, flow))
    print(f"  Building `{type(flow.storage).__name__}` storage...", flush=True)
    # Before the hash is taken: the same flow with other labels is another registration.
    add_labels(flow, labels)
    return await register(client, flow, project, set_schedule_active=schedule, idempotency_key=None if force else flow.serialized_hash())


def _module_of(name: str, flow: Flow) -> str:
    """Return the module that holds the flow: `name` itself, or what stands before the flow's own name."""
    import sys

    module = sys.modules.get(name)
    return name if module is not None and flow in vars(module).values() else name.rpartition(".")[0]


def _show_success(heading: str, done: RegisteredFlow, tally: Tally) -> None:
    if not done.changed:
        tally.skipped += 1
        print(f"  {heading} {coloured('Skipped (metadata unchanged)', 'yellow')}", flush=True)
        return
    tally.registered += 1
    print(f"  {heading} {coloured('Done', 'green')}")
    print(f"  └── ID: {done.flow_id}")
    if done.schedule:
        print(f"  └── Schedule: {done.schedule}")
    print(f"  └── Version: {done.version}", flush=True)


def _show_failure(heading: str, error: HeadwaterError) -> None:
    print(f"  {heading} {coloured('Error', 'red')}", flush=True)
    for line in traceback_of_users_code(error):
        echo_stderr(f"    {line}")
    echo_stderr(f"    {error}")
    if error.hint:
        echo_stderr(f"    hint: {error.hint}")
