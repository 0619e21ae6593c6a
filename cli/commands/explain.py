"""`headwater explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, coloured, echo_stderr, examples, local_time, print_json, state_words

if TYPE_CHECKING:
    from headwater.audit import Explanation
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("headwater explain quiet-heron", "headwater explain 0199c0de-7a3e-7000-8000-0123456789ab --output json"))
def explain(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    output: Output = OutputForm.TABLE,
) -> None:
    """Say why a run is not running, or how it ended, and show the events that tell it."""

    async def work(client: AsyncClient) -> Explanation:
        from headwater.audit import explain_run
        from headwater.cli.lookup import find_run_id

        return await explain_run(client.log, await find_run_id(client, run), format_time=local_time)

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    print(f"{found.name} ({found.run_id}) is {state_words(found.state)}.")
    print(found.words)
    if found.evidence:
        print()
    for each in found.evidence:
        print(f"{each.position:>7}  {local_time(each.at)}  {each.words}  {coloured(each.actor, 'bright_black')}")
    if found.hint:
        echo_stderr(f"hint: {found.hint}")
