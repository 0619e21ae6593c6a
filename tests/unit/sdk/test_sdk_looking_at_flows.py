"""Drawing flows, describing them for a question, looking for mistakes, telling people."""

from __future__ import annotations

import json
import smtplib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

import pytest

from headwater import Flow, Parameter, task
from headwater.core.calendar import CronSchedule
from headwater.core.errors import InvalidArgument
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.engine.debug import is_serializable, raise_on_exception
from headwater.sdk.language import drawing
from headwater.sdk.states.state import Failed, Running, Success
from headwater.sdk.storage.errors import FlowNotStorable
from headwater.sdk.task_library.notifications.notifiers import callback_factory, gmail_notifier, slack_notifier


@task
def ten_by(x: int) -> float:
    return 10 / x


def divisions() -> Flow:
    with Flow("divisions", schedule=CronSchedule("@daily")) as flow:
        ten_by.map([1, 0])
        ten_by(Parameter("y", default=5))
    return flow


def test_a_drawing_has_a_node_for_each_task_and_names_the_arguments() -> None:
    source = drawing.graph_of(divisions(), horizontal=True).source

    assert '"ten_by-1" [label="ten_by <mapped>" shape=box]' in source
    assert 'y -> "ten_by-2" [label=x style=""]' in source
    assert "rankdir=LR" in source


def test_a_drawing_of_a_run_shows_children_in_the_colours_of_their_states() -> None:
    flow = divisions()
    source = drawing.graph_of(flow, flow.run(run_on_schedule=False)).source

    assert f'"ten_by-1[1]" [label="ten_by[1]" colorscheme="" fillcolor="{Failed.color}80"' in source
    assert f'"ten_by-1[0]" [label="ten_by[0]" colorscheme="" fillcolor="{Success.color}80"' in source


def test_without_the_program_the_error_says_what_to_install(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InvalidArgument, match="graphviz is not installed") as caught:
        divisions().visualize(filename=str(tmp_path / "flow.pdf"))

    assert "apt install graphviz" in str(caught.value.hint)


def test_diagnostics_name_what_there_is_and_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_KEY", "canary-1")
    with set_temporary_config({"context.secrets.API": "canary-2", "flows.checkpointing": True}):
        text = divisions().diagnostics()
        with_names = json.loads(divisions().diagnostics(include_secret_names=True))

    told = json.loads(text)
    assert "canary" not in text
    assert "API" not in text
    assert told["config_overrides"] == {"context": {"secrets": True}, "flows": {"checkpointing": True}}
    assert with_names["config_overrides"]["context"]["secrets"] == {"API": True}
    assert "HEADWATER_KEY" in told["env_vars"]
    assert told["flow_information"]["tasks"] == {"Constant": 1, "FunctionTask": 2, "Parameter": 1}
    assert (told["flow_information"]["schedule"], told["flow_information"]["mapped"]) == (["CronClock"], True)


def test_exceptions_of_tasks_can_be_let_through() -> None:
    with Flow("f") as flow:
        ten_by(0)

    assert flow.run().is_failed()
    with raise_on_exception(), pytest.raises(ZeroDivisionError):
        flow.run()


def test_what_cannot_be_stored_is_reported_beforehand() -> None:
    lock = threading.Lock()

    @task
    def use_lock() -> None:
        lock.acquire()

    assert is_serializable(divisions())
    assert is_serializable({"a": 1})
    assert not is_serializable(Flow("f", tasks=[use_lock]))
    with pytest.raises(FlowNotStorable, match="use_lock"):
        is_serializable(Flow("f", tasks=[use_lock]), raise_on_error=True)


@pytest.fixture
def slack() -> Iterator[tuple[str, list[Any]]]:
    """The address of a webhook, and what it was told."""
    told: list[Any] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", told
        server.shutdown()


def test_slack_is_notified_of_the_states_that_were_asked_for(slack: tuple[str, list[Any]]) -> None:
    address, told = slack
    failing = task(name="load", state_handlers=[slack_notifier(only_states=[Failed])])(lambda: 1 / 0)
    quiet = task(name="quiet", state_handlers=[slack_notifier(ignore_states=[Running, Success])])(lambda: 1)

    with set_temporary_config({"context.secrets.SLACK_WEBHOOK_URL": address}):
        Flow("f", tasks=[failing, quiet]).run()

    (message,) = [each["attachments"][0] for each in told]
    assert message["text"] == "*load* is now in a *Failed* state"
    assert message["color"] == Failed.color
    assert "ZeroDivisionError" in message["fields"][0]["value"]


def test_a_notifier_that_cannot_notify_fails_the_task_with_the_reason() -> None:
    unheard = task(name="unheard", state_handlers=[slack_notifier])(lambda: 1)

    state = Flow("f", tasks=[unheard]).run().result[unheard]

    assert isinstance(state, Failed)
    assert "SLACK_WEBHOOK_URL" in str(state.result)


def test_mails_go_from_and_to_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class MailServer:
        """Stands for a server that only Google can be."""

        def __init__(self, host: str, port: int, timeout: float) -> None:
            sent.append((host, port))

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def login(self, user: str, password: str) -> None:
            sent.append((user, password))

        def send_message(self, message: Any) -> None:
            sent.append((message["Subject"], message["To"], message.get_content().strip()))

    monkeypatch.setattr(smtplib, "SMTP_SSL", MailServer)
    failing = task(name="load", state_handlers=[gmail_notifier(only_states=[Failed])])(lambda: 1 / 0)

    with set_temporary_config({"context.secrets.EMAIL_USERNAME": "ana@example.com", "context.secrets.EMAIL_PASSWORD": "p"}):
        Flow("f", tasks=[failing]).run()

    assert sent[:2] == [("smtp.gmail.com", 465), ("ana@example.com", "p")]
    assert sent[2][:2] == ("Headwater: load is now Failed", "ana@example.com")
    assert "division by zero" in sent[2][2]


def test_callbacks_are_made_of_a_function_and_a_check() -> None:
    seen: list[str] = []
    handler = callback_factory(
        lambda tracked, state: seen.append(f"{tracked.name}: {type(state).__name__}"), lambda state: state.is_finished()
    )
    told = task(name="told", state_handlers=[handler])(lambda: 1)

    Flow("f", tasks=[told], state_handlers=[handler]).run()

    assert seen == ["told: Success", "f: Success"]
