"""Places where mail lies: they are read, and nothing in them is changed."""

import mailbox
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relationship_core import Mailbox, RejectedError
from relationship_smtp.receiver import MailboxReceiver
from relationship_smtp.settings import MailboxSettings

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MAILS = (
    b"From: a@example.com\nSubject: one\n\nFirst.\n",
    b"Received: from mx\nFrom: b@example.com\n\n>From here to there.\n\n",
    b"X-Thing: \xff\n\n\xfe\n",
)


def state_of(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in (folder, *folder.rglob("*"))}


def bodies(path: Path) -> list[bytes]:
    place = MailboxReceiver(MailboxSettings(domain="example.com"))
    assert isinstance(place, Mailbox)
    requests = list(place.requests(path, now=NOW))
    assert {each.received_at for each in requests} <= {NOW}
    return [each.body for each in requests]


def test_a_maildir_is_read_and_left_alone(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Maildir")
    for mail in MAILS:
        box.add(mail)
    box.close()
    (tmp_path / "Maildir" / "tmp").rmdir()
    before = state_of(tmp_path)
    assert sorted(bodies(tmp_path / "Maildir")) == sorted(MAILS)
    assert state_of(tmp_path) == before


def test_an_mbox_is_read_and_left_alone(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "mbox")
    for mail in MAILS:
        box.add(mail)
    box.close()
    before = state_of(tmp_path)
    assert bodies(tmp_path / "mbox") == list(MAILS)
    assert state_of(tmp_path) == before


def test_one_mail_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "bounce.eml").write_bytes(MAILS[0])
    assert bodies(tmp_path / "bounce.eml") == [MAILS[0]]


def test_an_empty_mbox_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "mbox").touch()
    assert bodies(tmp_path / "mbox") == []


@pytest.mark.parametrize("content", [None, b"\x89PNG\r\n"])
def test_what_holds_no_mail_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "place").write_bytes(content)
    with pytest.raises(RejectedError, match="name a Maildir, an mbox"):
        bodies(tmp_path / "place")
    with pytest.raises(RejectedError, match="is no Maildir"):
        bodies(tmp_path)
