"""Ready-made state handlers that tell people: `@task(state_handlers=[slack_notifier(only_states=[Failed])])`."""

from __future__ import annotations

import functools
import smtplib
from collections.abc import Callable, Collection, Mapping
from email.message import EmailMessage
from typing import Any

from headwater.core.text import escaped, shown
from headwater.sdk.context.context import context
from headwater.sdk.context.secrets import Secret
from headwater.sdk.states.state import State
from headwater.sdk.task_library.notifications.webhooks import TIMEOUT_SECONDS, post_json

GMAIL = ("smtp.gmail.com", 465)
Handler = Callable[[Any, State, State], State | None]


def callback_factory(fn: Callable[[Any, State], Any], check: Callable[[State], bool]) -> Handler:
    """Return a state handler that calls `fn(task or flow, state)` whenever a state is entered for which `check` is true."""

    def handler(tracked_obj: Any, old_state: State, new_state: State) -> State:  # noqa: ARG001 - a state handler
        if check(new_state):
            fn(tracked_obj, new_state)
        return new_state

    return handler


def slack_notifier(
    tracked_obj: Any = None,
    old_state: State | None = None,
    new_state: State | None = None,
    *,
    ignore_states: Collection[type[State]] | None = None,
    only_states: Collection[type[State]] | None = None,
    webhook_secret: str = "SLACK_WEBHOOK_URL",  # noqa: S107 - the secret's name
    backend_info: bool = True,
    proxies: Mapping[str, str] | None = None,
) -> Any:
    """Tell a Slack channel of each state that is entered. Called without a task or flow, returns a handler with these settings.

    Args:
        tracked_obj: the task or flow.
        old_state: the state it was in.
        new_state: the state it entered.
        ignore_states: kinds of states that are not told of.
        only_states: the only kinds of states that are told of.
        webhook_secret: the name of the secret with the address of Slack's webhook.
        backend_info: whether the message names the run.
        proxies: the addresses of proxies by the scheme they are for, such as `{"https": "http://10.0.0.1:3128"}`; by default those that
            the environment names.

    Raises:
        SecretNotFound: there is no such secret here.
        OSError: Slack cannot be reached, or refuses. As any error of a state handler it makes the state Failed.

    """
    del old_state
    if tracked_obj is None or new_state is None:
        return functools.partial(
            slack_notifier,
            ignore_states=ignore_states,
            only_states=only_states,
            webhook_secret=webhook_secret,
            backend_info=backend_info,
            proxies=proxies,
        )
    if _is_told(new_state, ignore_states, only_states):
        post_json(str(Secret(webhook_secret).get()), slack_message(tracked_obj, new_state, backend_info=backend_info), proxies=proxies)
    return new_state


def slack_message(tracked_obj: Any, state: State, *, backend_info: bool = True) -> dict[str, Any]:
    """Return the message that Slack gets about a task or flow that entered a state."""
    fields = [{"title": "Message", "value": escaped(shown(state.message or "", str)), "short": False}]
    run_id = context.get("flow_run_id")
    if backend_info and context.get("running_with_backend") and run_id:
        fields.append({"title": "Run", "value": f"{context.get('flow_run_name')} ({run_id})", "short": False})
    name = type(state).__name__
    return {
        "attachments": [
            {
                "fallback": f"{tracked_obj.name} is now in a {name} state",
                "title": tracked_obj.name,
                "text": f"*{tracked_obj.name}* is now in a *{name}* state",
                "color": state.color,
                "fields": fields,
                "footer": "Headwater",
            }
        ]
    }


slack_message_formatter = slack_message
"""The name under which flows written for Prefect know it."""


def gmail_notifier(
    tracked_obj: Any = None,
    old_state: State | None = None,
    new_state: State | None = None,
    *,
    ignore_states: Collection[type[State]] | None = None,
    only_states: Collection[type[State]] | None = None,
) -> Any:
    """Send a mail of each state that is entered, from and to the account that the secrets `EMAIL_USERNAME`, `EMAIL_PASSWORD` name.

    Called without a task or flow, returns a handler with these settings. The password is one made for applications.

    Raises:
        SecretNotFound: there are no such secrets here.
        OSError: the mail cannot be sent. As any error of a state handler it makes the state Failed.

    """
    del old_state
    if tracked_obj is None or new_state is None:
        return functools.partial(gmail_notifier, ignore_states=ignore_states, only_states=only_states)
    if _is_told(new_state, ignore_states, only_states):
        user, password = str(Secret("EMAIL_USERNAME").get()), str(Secret("EMAIL_PASSWORD").get())
        with smtplib.SMTP_SSL(*GMAIL, timeout=TIMEOUT_SECONDS) as server:
            server.login(user, password)
            server.send_message(mail_message(tracked_obj, new_state, to=user))
    return new_state


def mail_message(tracked_obj: Any, state: State, *, to: str) -> EmailMessage:
    """Return the mail that tells of a task or flow that entered a state."""
    name, subject = type(state).__name__, escaped(tracked_obj.name)
    mail = EmailMessage()
    mail["Subject"] = f"Headwater: {' '.join(subject.split())} is now {name}"
    mail["From"] = mail["To"] = to
    mail.set_content(f"{subject} is now in a {name} state.\n\n{escaped(shown(state.message or '', str))}\n")
    return mail


def _is_told(state: State, ignored: Collection[type[State]] | None, only: Collection[type[State]] | None) -> bool:
    if ignored and isinstance(state, tuple(ignored)):
        return False
    return not only or isinstance(state, tuple(only))
