"""There and back: messages that were delivered, and what a mailbox says of them."""

import mailbox
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from relationship_core import INTERACTIONS, SUPPRESSIONS, Relationships

SENT = "Tue, 01 Jan 2030 08:30:00 +0000"


def report(kind: str, told: str, original: bytes) -> bytes:
    """A report about a mail, with the mail as it came over the wire."""
    head = f'From: machine@mx.example.com\r\nDate: {SENT}\r\nContent-Type: multipart/report; boundary="B"\r\n\r\n'
    parts = f"--B\r\nContent-Type: {kind}\r\n\r\n{told}\r\n\r\n--B\r\nContent-Type: message/rfc822\r\n\r\n"
    return f"{head}{parts}".encode() + original + b"\r\n--B--\r\n"


def bounce(original: bytes) -> bytes:
    told = "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@example.com\r\nAction: failed\r\nStatus: 5.1.1"
    return report("message/delivery-status", told, original)


def complaint(original: bytes) -> bytes:
    return report("message/feedback-report", "Feedback-Type: abuse\r\nVersion: 1", original)


def answer(original: bytes) -> bytes:
    mail = message_from_bytes(original)
    reply = EmailMessage()
    reply["From"], reply["To"] = str(mail["To"]).partition("<")[2].strip(">"), "hello@example.com"
    reply["Date"], reply["Message-ID"] = SENT, "<reply@mail.example.com>"
    reply["In-Reply-To"] = mail["Message-ID"]
    reply.set_content("Thank you too!")
    return reply.as_bytes()


@pytest.fixture
def sent(
    serve: Callable[..., Any], make_project: Callable[..., Relationships], tmp_path: Path
) -> Callable[[], tuple[Relationships, Path, str]]:
    """A project whose three messages came back as a bounce, a complaint and a reply."""

    def send() -> tuple[Relationships, Path, str]:
        _host, port, inbox = serve()
        project = make_project(port, customers=3)
        assert project.deliver().accepted == 3
        box = mailbox.Maildir(tmp_path / "Maildir")
        for made, mail in zip((bounce, complaint, answer), inbox.mails, strict=True):
            box.add(made(mail))
        box.close()
        replied = str(message_from_bytes(inbox.mails[-1])["To"]).partition("<")[2].partition("@")[0]
        return project, tmp_path / "Maildir", replied

    return send


def test_what_comes_back_is_heard_once(sent: Callable[[], tuple[Relationships, Path, str]]) -> None:
    project, box, replied = sent()
    with project:
        first, again = (list(project.receivers.read_mailbox("bounces", box)) for _time in range(2))
        assert not any(each.refused for each in (*first, *again))
        assert len(first) == len(again) == 3
        assert sum(each.suppressed for each in first) == 2
        assert sum(each.replies for each in first) == 1
        assert sum(each.events + each.replies + each.suppressed for each in again) == 0
        suppressed = Counter(project.store.read(SUPPRESSIONS)["reason"])
        assert suppressed == {"hard_bounce": 1, "complaint": 1}
        replies = project.store.read(INTERACTIONS).filter(kind="reply")
        assert replies["customer"].to_list() == [replied]
