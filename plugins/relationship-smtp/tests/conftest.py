"""What the tests of this plugin share: real servers, certificates, and a project that sends through them."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from asyncio.base_events import Server
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from relationship_core import (
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    DeliverySettings,
    Occasion,
    PreferenceSettings,
    ProjectSettings,
    Relationships,
    Settings,
    Variant,
    load_plugins,
)

PRESENT = datetime(2030, 1, 1, 9, tzinfo=UTC)
LOGIN = (b"bakery", b"correct horse battery")
PATIENCE_SECONDS = 10.0


class Inbox:
    """A handler of aiosmtpd that keeps the bytes of every message, as they came over the wire."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802  its signature
        self.mails.append(envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 2.0.0 Ok: queued as 4F1D2"


class AnyPort(Controller):
    """A server at a port that the system chose."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd leaves it open


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("certificates") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def certified(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """What a server needs to show a certificate for a name."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


def _knows(_server: object, _session: object, _envelope: object, _mechanism: str, login: Any) -> AuthResult:
    known = isinstance(login, LoginPassword) and (login.login, login.password) == LOGIN
    return AuthResult(success=known, handled=False)  # handled: it would have answered itself


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, int, Inbox]]]:
    """Starts aiosmtpd on loopback: its host, its port, and what it gets; it stops with the test."""
    with ExitStack() as stack:

        def start(*, tls: ssl.SSLContext | None = None, implicit: bool = False, **more: Any) -> tuple[str, int, Inbox]:
            inbox = Inbox()
            known: dict[str, Any] = {"ssl_context": tls} if implicit else {"tls_context": tls}
            controller = AnyPort(inbox, hostname="127.0.0.1", port=0, **known, **more)
            controller.start()
            stack.callback(controller.stop)
            return controller.hostname, controller.port, inbox

        yield start


@pytest.fixture
def login() -> dict[str, Any]:
    """What makes aiosmtpd ask for user and password, over an encrypted connection alone."""
    return {"authenticator": _knows, "auth_required": True, "auth_require_tls": True}


@contextmanager
def _sink(*options: str) -> Iterator[int]:
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
    assert program is not None, "smtp-sink is missing: install Debian's package postfix, as .ci/run does"
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([program, *user, *options, f"127.0.0.1:{port}", "100"]) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, f"smtp-sink ended with {process.returncode}"
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    pytest.fail("smtp-sink does not listen")


@pytest.fixture
def sink() -> Iterator[Callable[..., int]]:
    """Starts Postfix's smtp-sink with some options: its port; it stops with the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(_sink(*options))


@pytest.fixture
def make_project() -> Callable[..., Relationships]:
    """A project in memory with so many customers, a message of service for each, and the channel ``news`` by smtp."""

    def make(port: int, *, customers: int, delivery: DeliverySettings | None = None, **more: Any) -> Relationships:
        channel = {"host": "127.0.0.1", "port": port, "tls": "none", "timeout": 10.0, "answer_timeout": 10.0, **more}
        project = Relationships(
            settings=Settings(
                project=ProjectSettings(sender="Corner Bakery <hello@example.com>", postal_address="1 Main Street"),
                channels={"news": Choice(use="smtp", settings=channel)},
                receivers={"bounces": Choice(use="mailbox")},
                delivery={} if delivery is None else {"news": delivery},
                consent=ConsentSettings(without=("email",)),
                preference=PreferenceSettings(unasked="close"),
            ),
            campaigns=[_campaign()],
            clock=lambda: PRESENT,
            plugins=load_plugins(),
        )
        project.record_customers(_customer(number) for number in range(customers))
        project.review(as_of=PRESENT)
        project.plan(as_of=PRESENT)
        return project

    return make


def _campaign() -> Campaign:
    variant = Variant(
        channel="news", subject="Grüße, {{ customer.name }}", text="Thank you.\n", html="<p>Thank you.</p>"
    )
    occasion = Occasion(name="occasion", when="")
    return Campaign(
        name="thanks",
        owner="tests",
        purpose="service",
        nature="give",
        actions=[Action(name="write", occasion=occasion, variants=[variant])],
    )


def _customer(number: int) -> Customer:
    point = ContactPoint(medium="email", address=f"c{number}@example.com", synthetic=True)
    return Customer(id=f"c{number}", name=f"Zoë {number}", contact_points=[point])
