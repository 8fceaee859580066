"""The settings of the channel and of the receiver."""

from __future__ import annotations

import re
from email.utils import getaddresses
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen, validators

from relationship_core import ConfigurationError, Secret

Encryption: TypeAlias = Literal["starttls", "implicit", "none"]

PORTS = {"starttls": 587, "implicit": 465, "none": 25}
"""The port of each kind of encryption, where none is given (RFC 8314)."""

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*)", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_FEEDBACK = re.compile(r"[A-Za-z0-9._-]{0,100}", re.ASCII)
_HIGHEST_PORT = 65_535
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@frozen(kw_only=True)
class SmtpSettings:
    """Settings of ``use = "smtp"``.

    Attributes:
        host: the server's name; its certificate must be for it.
        port: 587 with ``starttls``, 465 with ``implicit`` and 25 with ``none`` where it is not given.
        tls: ``starttls`` encrypts before anything is said, ``implicit`` from the first byte, ``none`` never; the first
            two refuse a server whose certificate does not hold.
        ca_file: certificates, in PEM, of the authorities that are trusted instead of the system's.
        user: who logs in; empty for nobody.
        password: the user's password.
        sender: for From, a name and an address; ``[project] sender`` unless given here.
        reply_to: for Reply-To, as the sender; empty for none.
        envelope_sender: the address that bounces go to; empty for the sender's.
        domain: the right side of Message-ID; empty for the sender's domain. A receiver of bounces needs the same.
        hello: the name that we say hello with; empty for ``domain``.
        feedback_id: your name in Feedback-ID, by which providers of mailboxes tell you about complaints by campaign;
            empty for no such header.
        inline_css: whether style sheets in the HTML are moved into the elements they are for.
        size_limit: a message of more bytes, attachments included, is rejected.
        timeout: how many seconds to wait for a connection and for each answer.
        answer_timeout: how many seconds to wait for the answer to a whole message. Without it nobody knows what became
            of the message, so that the standard asks for ten minutes (RFC 5321).
    """

    host: str = field(validator=validators.min_len(1))
    port: int | None = None
    tls: Encryption = field(default="starttls", validator=validators.in_(PORTS))
    ca_file: Path | None = None
    user: str = ""
    password: Secret | None = None
    sender: str = field(default="", metadata={"project": "sender"})
    reply_to: str = ""
    envelope_sender: str = ""
    domain: str = ""
    hello: str = ""
    feedback_id: str = ""
    inline_css: bool = True
    size_limit: int = field(default=10_000_000, validator=validators.ge(1_000))
    timeout: float = field(default=60.0, validator=validators.gt(0))
    answer_timeout: float = field(default=600.0, validator=validators.gt(0))

    def __attrs_post_init__(self) -> None:
        """Refuse what no mail could be sent with."""
        _check_server(self)
        _check_login(self)
        if not self.sender:
            _refuse("nobody is named as sender; set sender here or in [project]")
        for name, value in (("sender", self.sender), ("reply_to", self.reply_to)):
            _check_sender(name, value)
        if self.envelope_sender and not _ADDRESS.fullmatch(self.envelope_sender):
            _refuse(f"envelope_sender must be an e-mail address alone, not {self.envelope_sender!r}")
        for name, value in (("domain", self.domain), ("hello", self.hello)):
            _check_domain(name, value)
        if not _FEEDBACK.fullmatch(self.feedback_id):
            _refuse("feedback_id must be letters, digits, dots, hyphens and underscores, at most 100")

    @property
    def return_path(self) -> str:
        """The address that bounces go to."""
        return self.envelope_sender or address_of(self.sender)

    @property
    def message_domain(self) -> str:
        """The right side of Message-ID."""
        return self.domain or address_of(self.sender).partition("@")[2]


@frozen(kw_only=True)
class MailboxSettings:
    """Settings of ``use = "mailbox"``.

    Attributes:
        domain: the right side of the Message-ID of our messages; empty for the sender's domain.
        sender: who our messages are from; ``[project] sender`` unless given here. Mail from there is no reply.
    """

    domain: str = ""
    sender: str = field(default="", metadata={"project": "sender"})

    def __attrs_post_init__(self) -> None:
        """Refuse settings by which no message of ours could be told."""
        _check_domain("domain", self.domain)
        _check_sender("sender", self.sender)
        if not self.message_domain:
            _refuse("nothing tells our own messages; set domain to that of the channel, or sender in [project]")

    @property
    def message_domain(self) -> str:
        """The right side of Message-ID."""
        return self.domain or address_of(self.sender).partition("@")[2]


def address_of(sender: str) -> str:
    """The address of a sender; empty where there is not just one, or more than one line."""
    found = getaddresses([sender]) if sender.isprintable() else []
    address = found[0][1] if len(found) == 1 else ""
    return address if _ADDRESS.fullmatch(address) else ""


def _check_server(settings: SmtpSettings) -> None:
    if not settings.host.isascii() or re.search(r"[\s/@]", settings.host):
        _refuse(f"host must be the name of a server such as smtp.example.com, not {settings.host!r}")
    if settings.port is not None and not 0 < settings.port <= _HIGHEST_PORT:
        _refuse(f"port must be from 1 to {_HIGHEST_PORT}, not {settings.port}")
    if settings.ca_file is not None and not settings.ca_file.is_file():
        _refuse(f"there is no file of certificates {settings.ca_file}; correct ca_file or leave it out")


def _check_login(settings: SmtpSettings) -> None:
    password = settings.password.reveal() if settings.password is not None else ""
    if bool(settings.user) != bool(password):
        _refuse("user and password are given together, or neither; add the missing one")
    if settings.user and settings.tls == "none" and settings.host not in _LOOPBACK:
        _refuse("the password would be sent without encryption; set tls to 'starttls' or 'implicit'")
    if not (settings.user + password).isascii():
        _refuse("user and password must be ASCII, which is all that SMTP servers agree on")


def _check_sender(name: str, value: str) -> None:
    if value and not address_of(value):
        _refuse(f"{name} must be an address, or a name and an address in angle brackets, not {value!r}")


def _check_domain(name: str, value: str) -> None:
    if value and not _DOMAIN.fullmatch(value):
        _refuse(f"{name} must be the name of a domain such as example.com, not {value!r}")


def _refuse(problem: str) -> None:
    raise ConfigurationError(problem)
