"""A session with an SMTP server: opened, encrypted, logged in, and then used for many messages."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from relationship_core import ConfigurationError
from relationship_smtp.settings import PORTS
from relationship_smtp.words import without_people

if TYPE_CHECKING:
    from relationship_smtp.settings import SmtpSettings

Stage: TypeAlias = Literal["MAIL", "RCPT", "DATA", "message"]
"""What was answered, or was to be: a command, or the message after its last line."""

GO_ON = 354
CLOSING = 421
_GOOD = range(200, 300)
_REFUSALS = range(400, 600)
_NO_AUTHENTICATION = (530, 534, 535, 538)
"""Codes of a server that wants another login than it got (RFC 4954)."""
_NEVER = range(500, 600)
_NO_ANSWER = "the server's answer is none that SMTP has there"
_GOODBYE_SECONDS = 5.0


class UnreachableError(Exception):
    """There is no session now; its words are for a receipt."""


class Outcome(NamedTuple):
    """How far a message came, and what was answered there.

    Attributes:
        stage: where the answer was given that decides.
        code: the reply code; 0 where no answer came, or one that is none of SMTP.
        words: the server's words, or in ours what happened.
        is_whole: whether the server may have all of the message.
    """

    stage: Stage
    code: int
    words: str
    is_whole: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether the server has the message and answers for it from now on."""
        return self.stage == "message" and self.code in _GOOD

    @property
    def is_broken(self) -> bool:
        """Whether the session cannot be used any more."""
        return self.code in {0, CLOSING}


class Session:
    """One connection; whoever gets an outcome that is broken closes it."""

    def __init__(self, settings: SmtpSettings, context: ssl.SSLContext | None) -> None:
        """Connect, encrypt and log in.

        Args:
            settings: how.
            context: by which certificates are checked; None for no encryption.

        Raises:
            UnreachableError: it may work later.
            ConfigurationError: it works when somebody has changed the settings, or the server.
        """
        self._settings = settings
        self._context = context
        self._return_path = settings.return_path
        self._is_dirty = False
        self._smtp = self._connected()
        try:
            self._greet()
            self._log_in()
        except BaseException:  # Ctrl-C leaves no open connection behind either
            self._smtp.close()
            raise
        self._can_pipeline = self._smtp.has_extn("pipelining")
        self._tells_size = self._smtp.has_extn("size")
        self._tells_envelope = self._smtp.has_extn("dsn")

    @property
    def size_limit(self) -> int | None:
        """The bytes of the largest message that the server takes; None where it has not said."""
        told = self._smtp.esmtp_features.get("size", "")
        return int(told) if told.isascii() and told.isdigit() and int(told) else None

    def hand_over(self, message: str, recipient: str, content: bytes) -> Outcome:
        """Send one message.

        Args:
            message: its id, which a bounce repeats where the server can see to that.
            recipient: its address.
            content: it, in lines that end with CR LF, those with a dot in front having two.
        """
        commands = self._commands(message, recipient, len(content))
        answers = self._asked_at_once(commands) if self._can_pipeline else self._asked_in_turn(commands)
        refused = next((each for each in answers if not _is_good(each)), None)
        if refused is None:
            return self._message_sent(content)
        if answers[-1].stage == "DATA" and answers[-1].code == GO_ON:
            # Everything was asked at once, and the server waits for the text of a message for nobody (RFC 2920).
            self._ended_empty()
        self._is_dirty = True
        return refused

    def close(self) -> None:
        """Say goodbye and let go; may be called twice."""
        with suppress(OSError, ValueError):
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(_GOODBYE_SECONDS)
                self._smtp.quit()
        self._smtp.close()

    def drop(self) -> None:
        """Let go without a word."""
        self._smtp.close()

    def _connected(self) -> smtplib.SMTP:
        given = self._settings
        port = given.port or PORTS[given.tls]
        hello = given.hello or given.message_domain
        try:
            if given.tls == "implicit":
                made: smtplib.SMTP = smtplib.SMTP_SSL(
                    given.host, port, local_hostname=hello, timeout=given.timeout, context=self._context
                )
            else:
                made = smtplib.SMTP(given.host, port, local_hostname=hello, timeout=given.timeout)
        except OSError as error:
            raise self._unopened(error) from error
        if made.sock is not None:
            # Commands, and the end of a message, are not to wait for each other.
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _greet(self) -> None:
        try:
            self._smtp.ehlo_or_helo_if_needed()
            if self._settings.tls == "starttls":
                if not self._smtp.has_extn("starttls"):
                    message = (
                        f"the server {self._settings.host} offers no encryption (STARTTLS), or somebody in between "
                        "keeps it from us; nothing was sent: set tls to 'implicit', or to 'none' where that is meant"
                    )
                    raise ConfigurationError(message)
                self._smtp.starttls(context=self._context)
                self._smtp.ehlo_or_helo_if_needed()
        except (OSError, ValueError) as error:  # every error of smtplib is an OSError
            raise self._unopened(error) from error

    def _log_in(self) -> None:
        given = self._settings
        if given.password is None:
            return
        failure, code = "", 0
        try:
            self._smtp.login(given.user, given.password.reveal())
        except smtplib.SMTPResponseException as error:
            code, failure = error.smtp_code, f"{error.smtp_code} {self._said(error.smtp_error)}"
        except smtplib.SMTPNotSupportedError:
            code, failure = _NO_AUTHENTICATION[0], "it takes no login here"
        except (OSError, ValueError) as error:
            failure = _cause(error)
        # Outside of the handlers, so that nothing of the login hangs on what is raised.
        if failure and code not in _NEVER:
            told = f"the server put off the login: {failure}"
            raise UnreachableError(told)
        if failure:
            raise ConfigurationError(self._refused_login(failure))

    def _refused_login(self, answer: str) -> str:
        return (
            f"the server {self._settings.host} refuses the login ({answer}); nothing was sent: correct user and "
            "password of the channel"
        )

    def refused_sender(self, outcome: Outcome) -> str:
        """Why nothing can be sent, where the server refused not the message but us; empty where it did not."""
        answer = f"{outcome.code} {outcome.words}"
        if outcome.code in _NO_AUTHENTICATION:
            return self._refused_login(answer)
        # 552 speaks of the message's size.
        is_of_message = outcome.code == 552 or "5.3.4" in outcome.words  # noqa: PLR2004  the code of one reply
        if outcome.stage == "MAIL" and outcome.code in _NEVER and not is_of_message:
            return (
                f"the server {self._settings.host} refuses mail from us ({answer}); nothing was sent: correct sender "
                "or envelope_sender of the channel, or ask whoever runs the server"
            )
        return ""

    def _commands(self, message: str, recipient: str, size: int) -> tuple[tuple[Stage, str], ...]:
        told = f" SIZE={size}" if self._tells_size else ""
        if self._tells_envelope:
            told += f" RET=HDRS ENVID={message}"
        return (
            ("MAIL", f"MAIL FROM:<{self._return_path}>{told}\r\n"),
            ("RCPT", f"RCPT TO:<{recipient}>\r\n"),
            ("DATA", "DATA\r\n"),
        )

    def _asked_at_once(self, commands: tuple[tuple[Stage, str], ...]) -> list[Outcome]:
        reset = "RSET\r\n" if self._is_dirty else ""
        failure = self._sent(reset + "".join(command for _stage, command in commands))
        if failure:
            return [Outcome("MAIL", 0, failure)]
        answers = []
        if self._is_dirty:
            self._is_dirty = False
            cleared = self._answer("MAIL")
            if cleared.is_broken:
                return [cleared]
        for stage, _command in commands:
            answers.append(self._answer(stage))
            if answers[-1].is_broken:
                break
        return answers

    def _asked_in_turn(self, commands: tuple[tuple[Stage, str], ...]) -> list[Outcome]:
        answers: list[Outcome] = []
        if self._is_dirty:
            self._is_dirty = False
            failure = self._sent("RSET\r\n")
            cleared = Outcome("MAIL", 0, failure) if failure else self._answer("MAIL")
            if cleared.is_broken:
                return [cleared]
        for stage, command in commands:
            failure = self._sent(command)
            answers.append(Outcome(stage, 0, failure) if failure else self._answer(stage))
            if not _is_good(answers[-1]):
                break
        return answers

    def _message_sent(self, content: bytes) -> Outcome:
        # All of it at once: where that fails, its last byte has not left us, so that the server has no whole message.
        failure = self._sent(content + b".\r\n")
        if failure:
            return Outcome("message", 0, f"{failure} in the middle of the message")
        sock = self._smtp.sock
        if sock is not None:
            sock.settimeout(self._settings.answer_timeout)
        answer = self._answer("message")
        if sock is not None and not answer.is_broken:
            sock.settimeout(self._settings.timeout)
        return answer._replace(is_whole=answer.code == 0)

    def _ended_empty(self) -> None:
        if not self._sent(".\r\n"):
            self._answer("message")

    def _sent(self, content: str | bytes) -> str:
        """What kept the content from being sent; empty where it was."""
        try:
            self._smtp.send(content)
        except OSError as error:
            return f"the connection was lost ({_cause(error)})"
        return ""

    def _answer(self, stage: Stage) -> Outcome:
        try:
            code, said = self._smtp.getreply()
        except smtplib.SMTPServerDisconnected as error:
            return Outcome(stage, 0, _cause(error))
        except (OSError, ValueError):
            return Outcome(stage, 0, _NO_ANSWER)
        answer = Outcome(stage, code, said.decode("ascii", "replace"))
        return answer if _is_good(answer) or code in _REFUSALS else Outcome(stage, 0, _NO_ANSWER)

    def _said(self, answer: bytes | str) -> str:
        words = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
        given = self._settings
        return without_people(words, [given.user], [given.password.reveal()] if given.password else [])

    def _unopened(self, error: Exception) -> Exception:
        """What to raise where there is no session."""
        given = self._settings
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConfigurationError(
                f"the certificate of the server {given.host} does not hold ({error.verify_message}); nothing was sent: "
                "correct host, or give ca_file where the server has an authority of its own"
            )
        if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            return ConfigurationError(
                f"the server {given.host} does not begin with encryption on this port; nothing was sent: set tls to "
                "'starttls', or correct the port"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            return UnreachableError(f"the server's greeting was {error.smtp_code} {self._said(error.smtp_error)}")
        return UnreachableError(f"no connection to the server: {_cause(error)}")


def _is_good(answer: Outcome) -> bool:
    return answer.code == GO_ON if answer.stage == "DATA" else answer.code in _GOOD


def _cause(error: Exception) -> str:
    """What broke, without anything that was sent or said."""
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "it was refused"
    if isinstance(error, socket.gaierror):
        return "its name is unknown"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the connection was closed"
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).lower().replace("_", " ")
    return (getattr(error, "strerror", None) or type(error).__name__).lower()
