"""The tutorial clicked through in a real browser, with the installed command for what the tutorial types."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from anyio.from_thread import start_blocking_portal
from axe_playwright_python.sync_playwright import Axe
from harness.browser import chromium, open_page
from harness.command_line import HELLO_FLOW, CommandLine
from harness.tcp_proxy import cutting_proxy
from playwright.sync_api import Browser, Page, expect

Agent = subprocess.Popen[str]
PHONE = {"width": 390, "height": 844}
LIVE = "live"
APPROVED_FLOW = """
from headwater import Flow, task
from headwater.triggers import manual_only

@task(trigger=manual_only)
def publish():
    print("published")

flow = Flow("approved", tasks=[publish])
"""
HOURLY_FLOW = """
from datetime import timedelta
from headwater import Flow, task
from headwater.schedules import IntervalSchedule

@task
def look():
    print("looked")

flow = Flow("hourly", tasks=[look], schedule=IntervalSchedule(timedelta(hours=1)))
"""
WIDE = """[...document.querySelectorAll("main *")].filter(each => each.getBoundingClientRect().right > innerWidth)
    .map(each => each.outerHTML.slice(0, 80)).slice(0, 5)"""
ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def url(headwater: CommandLine) -> str:
    """The address of the session's server."""
    return str(msgspec.json.decode((headwater.home / "server.json").read_bytes())["http_url"])


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with open_page(browser, url) as page:
        yield page


def _registered(headwater: CommandLine, project: str, label: str) -> str:
    """The address of the tutorial's flow."""
    headwater.write("hello_flow.py", HELLO_FLOW)
    registered = headwater("register", "--project", project, "--path", "hello_flow.py", "--label", label)
    assert registered.code == 0, registered.err
    return f"/default/flow/{_printed(registered.out, ID)}"


def _printed(out: str, pattern: str) -> str:
    found = re.search(pattern, out)
    assert found is not None, out
    return found.group()


def _is_live(page: Page) -> None:
    expect(page.locator("[data-link]")).to_have_text(LIVE)


def test_the_tutorial_is_clicked_through(page: Page, headwater: CommandLine, start_agent: Callable[..., Agent]) -> None:
    page.goto("/")
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name", exact=True).fill("Clicked, World!")
    page.get_by_role("textbox", name="Description").fill("made in a browser")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clicked, World!")

    _registered(headwater, "Clicked, World!", "clicked")
    start_agent("--label", "clicked")
    expect(page.locator("#live_flows").get_by_role("link", name="hello-flow")).to_be_visible()  # it came by itself
    page.locator("#live_flows").get_by_role("link", name="hello-flow").click()
    expect(page).to_have_url(re.compile("/default/flow/"))
    page.get_by_role("button", name="Quick run").click()

    expect(page).to_have_url(re.compile(r"/default/flow-run/[0-9a-f-]{36}$"))
    _is_live(page)
    expect(page.locator(".lines")).to_contain_text("Hello, Cloud!")
    expect(page.locator("#live_header .big.state")).to_have_text("Success")
    expect(page.locator("#live_header")).to_contain_text("All reference tasks succeeded.")
    expect(page.locator("#live_tasks tbody tr")).to_have_count(1)
    expect(page.locator("#live_tasks tbody .state")).to_have_text("Success")
    assert page.locator("link[rel=icon]").get_attribute("href", timeout=1000).startswith("data:image/svg+xml")  # type: ignore[union-attr]


def test_addresses_that_the_command_prints_open_the_right_pages(page: Page, headwater: CommandLine, project: str) -> None:
    headwater.write("hello_flow.py", f"{HELLO_FLOW}\nflow.register(project_name={project!r}, labels=[{project!r}])\n")
    registered = headwater.python("hello_flow.py")
    assert registered.code == 0, registered.err
    flow_address = _printed(registered.out, f"/default/flow/{ID}")
    created = headwater("run", "--name", "hello-flow", "--project", project, "--run-name", "printed-run")
    assert created.code == 0, created.err

    page.goto(flow_address)
    expect(page.get_by_role("heading", level=1)).to_have_text("hello-flow")
    page.goto(_printed(created.out, f"/default/flow-run/{ID}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("printed-run")
    expect(page.locator("#live_header")).to_contain_text("No agent")


def test_a_run_is_cancelled_with_a_reason_and_found_by_its_name(page: Page, headwater: CommandLine, project: str) -> None:
    page.goto(_registered(headwater, project, project))
    page.get_by_role("link", name="Run", exact=True).click()
    page.get_by_label("Name", exact=True).fill(f"run of {project}")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_label("Cancel this run?").get_by_label("Reason").fill("only a try")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("#live_header .big.state")).to_have_text("Cancelled")
    expect(page.locator("#live_header")).to_contain_text("only a try")

    page.keyboard.press("/")
    page.keyboard.type(f"run of {project}")
    page.keyboard.press("Enter")
    page.locator("main").get_by_role("link", name=f"run of {project}").click()
    expect(page).to_have_url(re.compile("/default/flow-run/"))


def test_a_paused_run_is_resumed_and_its_state_is_set(
    page: Page, headwater: CommandLine, project: str, start_agent: Callable[..., Agent]
) -> None:
    headwater.write("approved.py", APPROVED_FLOW)
    assert headwater("register", "--project", project, "--path", "approved.py", "--label", project).code == 0
    start_agent("--label", project)
    created = headwater("run", "--name", "approved", "--project", project)
    page.goto(_printed(created.out, f"/default/flow-run/{ID}"))
    state = page.locator("#live_header .big.state")
    expect(state).to_have_text("Paused")
    expect(page.locator("#live_header")).to_contain_text("waits for a user to resume it")
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_label("Resume this run?").get_by_label("Reason").fill("it is right")
    page.get_by_role("button", name="Resume the run").click()
    expect(state).to_have_text("Success")

    page.get_by_role("button", name="Set state", exact=True).click()
    dialog = page.get_by_label("Set the state of this run")
    dialog.get_by_role("combobox").select_option("Failed")
    dialog.get_by_label("Reason").fill("the numbers were wrong")
    dialog.get_by_role("button", name="Set the state").click()
    expect(state).to_have_text("Failed")
    expect(page.locator("#live_header")).to_contain_text("the numbers were wrong")
    page.get_by_role("link", name="Events").click()
    expect(page.locator("main")).to_contain_text("task publish-1 was resumed: it is right")


def test_a_schedule_is_set_when_its_next_times_were_seen_and_is_switched_off_and_on(
    page: Page, headwater: CommandLine, project: str
) -> None:
    page.goto(f"{_registered(headwater, project, project)}?tab=schedule")
    page.get_by_text("Set a schedule").click()
    form = page.locator("[data-schedule-form=new]")
    form.get_by_role("textbox", name="Cron expression").fill("every day")
    expect(form.locator("[data-error=cron]")).to_contain_text("is not a cron expression")
    form.get_by_role("textbox", name="Cron expression").fill("0 6 * * MON-FRI")
    expect(form.locator("[data-error=cron]")).to_be_empty()
    expect(form.locator("[data-preview] time")).to_have_count(5)
    form.get_by_role("button", name="Save these times").click()
    switch, shown = page.get_by_role("switch"), page.locator("#live_schedules")
    expect(shown).to_contain_text("at 06:00 Mon")
    expect(switch).to_have_attribute("aria-checked", "true")

    page.get_by_role("button", name="Pause with a note").click()
    page.get_by_label("Why").fill("the warehouse moves")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(shown).to_contain_text("the warehouse moves")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_a_page_that_lost_its_connection_catches_up_without_being_loaded_again(
    browser: Browser, url: str, headwater: CommandLine, project: str
) -> None:
    address = _registered(headwater, project, project)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(cutting_proxy(url)) as proxy:
        between = proxy.url.replace("nats:", "http:")
        with open_page(browser, between, tolerated="net::ERR_") as page:
            page.goto(address)
            _is_live(page)
            page.evaluate("window.stays = true")
            page.route("**/live**", lambda route: route.abort())
            portal.call(proxy.cut)
            expect(page.locator("[data-link]")).to_have_text("waiting")
            created = headwater("run", "--name", "hello-flow", "--project", project, "--run-name", "while-away")
            assert created.code == 0, created.err
            expect(page.get_by_role("link", name="while-away")).to_have_count(0)
            page.unroute("**/live**")

            expect(page.locator("#live_runs").get_by_role("link", name="while-away")).to_be_visible()
            assert page.evaluate("window.stays") is True


def test_pages_are_read_without_scripts(browser: Browser, url: str, headwater: CommandLine, project: str) -> None:
    address = _registered(headwater, project, project)
    headwater("run", "--name", "hello-flow", "--project", project, "--run-name", "plain")
    with open_page(browser, url, java_script_enabled=False) as page:
        page.goto(address)
        expect(page.locator("#live_runs").get_by_role("link", name="plain")).to_be_visible()
        page.get_by_role("link", name="Schematic").click()
        expect(page.get_by_role("link", name="say_hello")).to_be_visible()
        page.get_by_role("link", name="Runs").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Runs")


def _pages(headwater: CommandLine, project: str) -> list[str]:
    flow = _registered(headwater, project, project)
    headwater.write("hourly.py", HOURLY_FLOW)
    registered = headwater("register", "--project", project, "--path", "hourly.py", "--label", project)
    assert registered.code == 0, registered.err
    scheduled = _printed(registered.out, ID)
    created = headwater("run", "--name", "hello-flow", "--project", project)
    run = _printed(created.out, f"/default/flow-run/{ID}")
    return [
        *("/", "/default/flows", "/default/runs", "/default/agents", "/default/queues", "/default/projects", "/default/log"),
        *("/default/server", "/graphql", "/default/search?q=hello", run.replace("flow-run", "task-run") + "/say_hello-1"),
        *(
            f"{flow}?tab={tab}"
            for tab in ("overview", "tasks", "runs", "schematic", "versions", "run", "settings", "schedule", "schedule&edit=1")
        ),
        *(f"/default/flow/{scheduled}{more}" for more in ("", "?tab=schedule&edit=1&slug=")),
        *(f"{run}?tab={tab}" for tab in ("overview", "tasks", "schematic", "logs", "events")),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_passes_the_checks_of_axe_and_fits_a_phone(
    browser: Browser, url: str, headwater: CommandLine, project: str, scheme: str
) -> None:
    found: list[Any] = []
    with open_page(browser, url, color_scheme=scheme, viewport=PHONE, reduced_motion="reduce") as page:
        for address in _pages(headwater, project):
            page.goto(address)
            results = Axe().run(page).response
            found += [(address, each["id"], [node["html"] for node in each["nodes"]][:3]) for each in results["violations"]]
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                found.append((address, "wider than the phone", page.evaluate(WIDE)))

    assert found == []


def test_what_is_focused_can_be_seen(page: Page) -> None:
    page.goto("/")
    for _ in range(8):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")


def test_a_page_costs_four_requests(browser: Browser, url: str) -> None:
    with open_page(browser, url) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/")
        _is_live(page)

    assert len(asked) <= 4, asked
    assert all(each.startswith(url) for each in asked)
