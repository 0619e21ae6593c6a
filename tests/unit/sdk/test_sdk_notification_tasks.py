"""Tasks that send mails and write to Slack, to real servers of this machine."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError, URLError

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness.servers import free_ports

from headwater import Flow, context
from headwater.sdk.context.secrets import SecretNotFound
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.states.state import State
from headwater.sdk.task_library.notifications import EmailTask, SlackTask
from headwater.sdk.task_library.secrets import PrefectSecret

SECRETS = {"EMAIL_USERNAME": "ana@example.com", "EMAIL_PASSWORD": "a b c"}


@dataclass
class MailServer:
    """A mail server: what it got, and who logged in."""

    port: int
    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.append((sorted(envelope.rcpt_tos), message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"a b c", handled=False)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate of this machine's own, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "certificate.pem").write_bytes(made.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    return server


@pytest.fixture(params=["SSL", "STARTTLS", "INSECURE"])
def mail(request: pytest.FixtureRequest, certificate: ssl.SSLContext) -> Iterator[tuple[str, MailServer]]:
    """A mail server of each kind."""
    server = MailServer(free_ports(1)[0])
    settings: dict[str, Any] = {
        "SSL": {"ssl_context": certificate, "authenticator": server.authenticate, "auth_require_tls": False},
        "STARTTLS": {"tls_context": certificate, "require_starttls": True, "authenticator": server.authenticate, "auth_required": True},
        "INSECURE": {},
    }[request.param]
    controller = Controller(server, hostname="localhost", port=server.port, **settings)
    controller.start()
    try:
        yield request.param, server
    finally:
        controller.stop()


def test_a_mail_reaches_all_it_is_for(run: Callable[..., State], mail: tuple[str, MailServer], tmp_path: Path) -> None:
    kind, server = mail
    (tmp_path / "Zahlen für Ana.csv").write_text("1,2\n")
    send = EmailTask(smtp_server="localhost", smtp_port=server.port, smtp_type=kind, email_to="ben@example.com, cy@example.com")
    with Flow("f") as flow:
        sent = send(
            subject="Grüße",
            msg="<b>Done ✓</b>",
            msg_plain="Done ✓",
            email_to_cc=["dan@example.com"],
            email_to_bcc="eve@example.com",
            attachments=[tmp_path / "Zahlen für Ana.csv"],
        )

    with context(secrets=SECRETS):
        state = run(flow).result[sent]

    assert state.is_successful(), state.result
    ((recipients, got),) = server.got
    assert recipients == [f"{name}@example.com" for name in ("ben", "cy", "dan", "eve")]
    assert (got["Subject"], got["To"], got["Cc"], got["Bcc"]) == ("Grüße", "ben@example.com, cy@example.com", "dan@example.com", None)
    assert got["From"] == "ana@example.com" if kind != "INSECURE" else got["From"].startswith("headwater@")
    texts = {part.get_content_type(): part.get_content().strip() for part in got.walk() if part.get_content_maintype() == "text"}
    assert texts == {"text/plain": "Done ✓", "text/html": "<b>Done ✓</b>"}
    assert [(each.get_filename(), each.get_content()) for each in got.iter_attachments()] == [("Zahlen für Ana.csv", b"1,2\n")]
    assert server.logins == ([] if kind == "INSECURE" else [("ana@example.com", "a b c")])


def test_a_mail_that_is_refused_fails_the_task(run: Callable[..., State], mail: tuple[str, MailServer]) -> None:
    kind, server = mail
    send = EmailTask(smtp_server="localhost", smtp_port=server.port, smtp_type=kind, msg="x")
    with Flow("f") as flow:
        wrong, nobody = send(email_to="ben@example.com"), send()

    with context(secrets={**SECRETS, "EMAIL_PASSWORD": "wrong"} if kind != "INSECURE" else {}):
        refused = run(flow).result[wrong].result
    with context(secrets=SECRETS):
        lost = run(flow).result[nobody].result

    assert isinstance(refused, smtplib.SMTPAuthenticationError) if kind != "INSECURE" else refused is None
    assert isinstance(lost, InvalidTask)
    assert str(lost) == "The mail is for no one."


def test_the_secrets_and_the_kind_of_connection_are_asked_for_first(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        without, unknown = EmailTask(msg="x")(email_to="ben@example.com"), EmailTask()(smtp_type="TLS")

    with context(secrets={}):
        state = run(flow)

    assert isinstance(state.result[without].result, SecretNotFound)
    assert isinstance(state.result[unknown].result, InvalidTask)
    with pytest.raises(InvalidTask, match="smtp_type='TLS' is not known"):
        EmailTask(smtp_type="TLS")


@dataclass
class Slack:
    """A webhook of Slack's, and what was posted to it."""

    address: str
    posted: list[Any] = field(default_factory=list)


@pytest.fixture
def slack() -> Iterator[Slack]:
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path == "/hook" else 404)
            self.end_headers()
            self.wfile.write(b"no_service")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Slack(f"http://127.0.0.1:{server.server_port}", got)
    server.shutdown()
    thread.join()
    server.server_close()


def test_slack_gets_texts_and_whole_messages(run: Callable[..., State], slack: Slack) -> None:
    blocks = {"text": "done", "blocks": [{"type": "divider"}]}
    with Flow("f") as flow:
        first = SlackTask("hello")()
        second = SlackTask(webhook_secret="OTHER")(message=blocks, upstream_tasks=[first])
        SlackTask()(message="from a secret task", webhook_url=PrefectSecret("OTHER"), upstream_tasks=[second])

    with context(secrets={"SLACK_WEBHOOK_URL": f"{slack.address}/hook", "OTHER": f"{slack.address}/hook"}):
        state = run(flow)

    assert state.is_successful(), state.result
    assert slack.posted == [{"text": "hello"}, blocks, {"text": "from a secret task"}]


@pytest.mark.parametrize(("url", "error"), [("{}/gone", HTTPError), ("http://127.0.0.1:1/hook", URLError), (None, SecretNotFound)])
def test_a_message_that_slack_does_not_take_fails_the_task(
    run: Callable[..., State], slack: Slack, url: str | None, error: type[Exception]
) -> None:
    with Flow("f") as flow:
        sent = SlackTask("hello")()

    with context(secrets={"SLACK_WEBHOOK_URL": url.format(slack.address)} if url else {}):
        state = run(flow).result[sent]

    assert isinstance(state.result, error)
    assert ("It answered: no_service" in getattr(state.result, "__notes__", [])) == (error is HTTPError)
