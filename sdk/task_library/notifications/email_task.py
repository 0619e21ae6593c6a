"""A task that sends a mail."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from headwater.sdk.context.secrets import Secret
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task

TIMEOUT_SECONDS = 60.0
"""How long each step of the conversation with the server may take: some servers let a sender wait before they answer."""
_TYPES = ("SSL", "STARTTLS", "INSECURE")
_SETTINGS = (
    "subject",
    "msg",
    "email_to",
    "email_from",
    "smtp_server",
    "smtp_port",
    "smtp_type",
    "msg_plain",
    "email_to_cc",
    "email_to_bcc",
    "attachments",
)
_Addresses = str | Iterable[str] | None


class EmailTask(Task):
    """Sends a mail over SMTP, logged in with the secrets `EMAIL_USERNAME` and `EMAIL_PASSWORD`. Arguments of `run` are stronger.

    Args:
        subject: the subject.
        msg: the text as HTML.
        email_to: whom it is for: an address, several separated by commas, or a list.
        email_from: whom it is from; the secret `EMAIL_USERNAME` by default, or `headwater@<this host>` without a login.
        smtp_server: the host of the server.
        smtp_port: the server's port.
        smtp_type: `SSL`, `STARTTLS`, or `INSECURE`: without encryption and without a login, for servers of one's own network.
        msg_plain: the text as plain text, for programs that show no HTML.
        email_to_cc: who gets a copy.
        email_to_bcc: who gets a copy without others knowing.
        attachments: paths of files to attach.
        settings: the settings of every task.

    Raises:
        InvalidTask: there is no such `smtp_type`.

    """

    def __init__(  # noqa: PLR0917 - the order people know
        self,
        subject: str | None = None,
        msg: str | None = None,
        email_to: _Addresses = None,
        email_from: str | None = None,
        smtp_server: str = "smtp.gmail.com",
        smtp_port: int = 465,
        smtp_type: str = "SSL",
        msg_plain: str | None = None,
        email_to_cc: _Addresses = None,
        email_to_bcc: _Addresses = None,
        attachments: Iterable[str | os.PathLike[str]] | None = None,
        **settings: Any,
    ) -> None:
        _check_type(smtp_type)
        self.subject = subject
        self.msg = msg
        self.email_to = email_to
        self.email_from = email_from
        self.smtp_server = smtp_server
        self.smtp_port = smtp_port
        self.smtp_type = smtp_type
        self.msg_plain = msg_plain
        self.email_to_cc = email_to_cc
        self.email_to_bcc = email_to_bcc
        self.attachments = list(attachments or ())
        super().__init__(**settings)

    @defaults_from_attrs(*_SETTINGS)
    def run(  # noqa: PLR0917 - see above
        self,
        subject: str | None = None,
        msg: str | None = None,
        email_to: _Addresses = None,
        email_from: str | None = None,
        smtp_server: str | None = None,
        smtp_port: int | None = None,
        smtp_type: str | None = None,
        msg_plain: str | None = None,
        email_to_cc: _Addresses = None,
        email_to_bcc: _Addresses = None,
        attachments: Iterable[str | os.PathLike[str]] | None = None,
    ) -> None:
        """Send the mail.

        Raises:
            SecretNotFound: a secret for the login is not here.
            InvalidTask: it is for no one, or there is no such `smtp_type`.
            OSError: the server cannot be reached or refuses, or an attachment cannot be read.

        """
        kind = _check_type(str(smtp_type))
        login = None if kind == "INSECURE" else (str(Secret("EMAIL_USERNAME").get()), str(Secret("EMAIL_PASSWORD").get()))
        mail = EmailMessage()
        addresses = {"To": email_to, "Cc": email_to_cc, "Bcc": email_to_bcc}
        mail["Subject"] = subject or ""
        mail["From"] = email_from or (login[0] if login else f"headwater@{socket.getfqdn()}")
        for name, given in addresses.items():
            if given:
                mail[name] = given if isinstance(given, str) else ", ".join(given)
        _write_text(mail, msg, msg_plain)
        for path in attachments or ():
            mail.add_attachment(Path(path).read_bytes(), maintype="application", subtype="octet-stream", filename=Path(path).name)
        server = _connected(str(smtp_server), int(smtp_port or 0), kind)
        try:
            if login is not None:
                server.login(*login)
            server.send_message(mail)
            server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            if any(addresses.values()):
                raise
            raise InvalidTask("The mail is for no one.", hint="Give EmailTask email_to=, email_to_cc= or email_to_bcc=.") from error
        finally:
            server.close()


def _check_type(smtp_type: str) -> str:
    if smtp_type not in _TYPES:
        raise InvalidTask(f"smtp_type={smtp_type!r} is not known.", hint=f"It must be one of {', '.join(_TYPES)}.")
    return smtp_type


def _write_text(mail: EmailMessage, html: str | None, plain: str | None) -> None:
    """Write the texts. Programs show the last one that they can."""
    if plain or not html:
        mail.set_content(plain or "")
        if html:
            mail.add_alternative(html, subtype="html")
    else:
        mail.set_content(html, subtype="html")


def _connected(host: str, port: int, kind: str) -> smtplib.SMTP:
    if kind == "SSL":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    if kind == "STARTTLS":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server
