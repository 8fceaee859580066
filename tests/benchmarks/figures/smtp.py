"""E-mail from the outbox to a mail server, against a bare loop that sends the same bytes ready-made."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from attrs import frozen

from data import NOW
from measuring import Figure, Timing, at_most, timed
from projects import DATABASE, Prepared, copied, open_project
from relationship_core import (
    Action,
    Campaign,
    Choice,
    ContactPoint,
    Customer,
    DeliverySettings,
    Occasion,
    Relationships,
    Variant,
)

REPEATS = 3
TARGETS = {1: 0.25, 20: 0.4}
"""How many messages may be attempted at once, and the share of the bare loop's rate that is asked for then."""
SHARE = 200
"""One customer in so many gets a mail."""

HOST, SENDER = "127.0.0.1", "Corner Bakery <hello@example.com>"
SUBJECT = "Grüße aus der Bäckerei, {{ customer.name }}"
TEXT = """Dear {{ customer.name }},

thank you for coming back. This is what {{ project.name }} has baked for you this week: rye, spelt, and the small ones
with cardamom. If anything was not as it should be, an answer to this mail reaches us.

{{ project.name }}, {{ project.postal_address }}
"""
HTML = """<!doctype html><html><body style="font-family: sans-serif; color: #222">
<h1 style="color: #7a3b00">Dear {{ customer.name }},</h1>
<p>thank you for coming back. This is what <b>{{ project.name }}</b> has baked for you this week:</p>
<ul><li>rye</li><li>spelt</li><li>the small ones with cardamom</li></ul>
<p>If anything was not as it should be, an answer to this mail reaches us.</p>
<p style="font-size: 80%">{{ project.name }}, {{ project.postal_address }}</p>
</body></html>
"""
_POST_OFFICE = Path(__file__).parent.parent / "post_office_queue.py"
_PATIENCE_SECONDS = 10.0


@frozen(kw_only=True)
class _Run:
    """One delivery with its probe."""

    delivery: Timing
    bare: Timing


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Claimed, filled in, built, committed, sent and settled; with one message attempted at once and with twenty."""
    count = prepared.size.customers // SHARE
    database = prepared.after(f"mailing-{count}", _nothing(prepared), lambda folder: _queue(folder, count))
    figures = []
    for attempting, share in TARGETS.items():
        runs = [_run(database, count, attempting) for _ in range(repeats)]
        rates = [count / median(getattr(run, part).wall for run in runs) for part in ("delivery", "bare")]
        figures.append(
            at_most(
                "smtp" if attempting == 1 else f"smtp {attempting}",
                f"deliver {count:,} mails with text and HTML to smtp-sink, {attempting} attempted at once",
                [(run.delivery, run.bare) for run in runs],
                1 / share,
                target=f"rate at least {share:g} of bare",
                notes=(
                    f"{rates[0]:,.0f} mails a second, bare {rates[1]:,.0f}",
                    *(_beside(count) if attempting == 1 else ()),
                ),
            )
        )
    return figures


def _nothing(prepared: Prepared) -> Path:
    """An empty database, to put customers into."""
    empty = prepared.folder / "empty.db"
    empty.touch()
    return empty


def _open(folder: Path, *, port: int = 25, attempting: int = 1) -> Relationships:
    settings = {"host": HOST, "port": port, "tls": "none"}
    return open_project(
        folder,
        campaigns=(_campaign(),),
        channels={"mail": Choice(use="smtp", settings=settings)},
        delivery={"mail": DeliverySettings(attempting=attempting)},
    )


def _campaign() -> Campaign:
    variant = Variant(channel="mail", subject=SUBJECT, text=TEXT, html=HTML)
    occasion = Occasion(name="occasion", when="")
    return Campaign(
        name="thanks",
        owner="Customer care",
        purpose="service",
        nature="give",
        actions=(Action(name="write", occasion=occasion, variants=(variant,)),),
    )


def _queue(folder: Path, count: int) -> None:
    with _open(folder) as project:
        project.record_customers(
            Customer(
                id=f"c{number}",
                name=f"Zoë {number}",
                contact_points=[ContactPoint(medium="email", address=f"c{number}@example.com", synthetic=True)],
            )
            for number in range(count)
        )
        project.review(as_of=NOW)
        project.plan(as_of=NOW)


def _run(database: Path, count: int, attempting: int) -> _Run:
    with copied(database) as folder, _sink() as port:
        mails = _mails(folder, count)
        bare, _ = timed(_send_bare, port, mails)
        with _open(folder, port=port, attempting=attempting) as project:
            delivery, delivered = timed(project.deliver)
    if delivered.accepted != count:
        message = f"{delivered.accepted} of {count} mails were accepted"
        raise RuntimeError(message)
    return _Run(delivery=delivery, bare=bare)


def _mails(folder: Path, count: int) -> list[bytes]:
    """The bytes of as many mails, as the product writes them: of another outbox that goes into a folder."""
    beside = folder / "beside"
    beside.mkdir()
    shutil.copyfile(folder / DATABASE, beside / DATABASE)
    with open_project(
        beside,
        campaigns=(_campaign(),),
        channels={"mail": Choice(use="folder", settings={"path": beside / "outbox"})},
    ) as project:
        project.deliver()
    mails = [file.read_bytes() for file in sorted((beside / "outbox").iterdir())]
    if len(mails) != count:
        message = f"there are {len(mails)} mails, not {count}"
        raise RuntimeError(message)
    return mails


def _send_bare(port: int, mails: Sequence[bytes]) -> None:
    with smtplib.SMTP(HOST, port, local_hostname="example.com") as smtp:
        for number, mail in enumerate(mails):
            smtp.sendmail("hello@example.com", [f"c{number}@example.com"], mail)


@contextmanager
def _sink() -> Iterator[int]:
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
    if program is None:
        message = "smtp-sink is missing; install Debian's package postfix, as .ci/run does"
        raise RuntimeError(message)
    with socket.socket() as place:
        place.bind((HOST, 0))
        port = place.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([program, *user, f"{HOST}:{port}", "100"]) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        with suppress(ConnectionRefusedError), socket.create_connection((HOST, port)):
            return
    message = "smtp-sink does not listen"
    raise RuntimeError(message)


def _beside(count: int) -> tuple[str, ...]:
    """What django-post-office takes for as many mails to the same server, where it is installed."""
    if find_spec("post_office") is None:
        return ("django-post-office is not installed and was not measured",)
    with _sink() as port:
        words = {"subject": SUBJECT, "text": TEXT, "html": HTML}
        command = [sys.executable, str(_POST_OFFICE), str(port), str(count)]
        done = subprocess.run(command, input=json.dumps(words), check=True, capture_output=True, text=True)
    took = json.loads(done.stdout)
    rate = count / (took["queueing"] + took["sending"])
    parts = f"queueing {took['queueing']:.2f} s, sending {took['sending']:.2f} s"
    return (f"django-post-office {took['version']}: {parts}, {rate:,.0f} mails a second",)
