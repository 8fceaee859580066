"""The channel ``smtp``: each message is built, handed over in a session that stays open, and answered for."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relationship_core import ConfigurationError, Receipt, eml, refusal
from relationship_smtp.codes import status_in, suppression_for
from relationship_smtp.content import ready
from relationship_smtp.session import Outcome, Session, UnreachableError
from relationship_smtp.words import without_people

if TYPE_CHECKING:
    from relationship_core import Message
    from relationship_smtp.settings import SmtpSettings

_DEFERRED = range(400, 500)
_QUEUED = re.compile(r"\bqueued as ([A-Za-z0-9._-]{1,64})|\bid=([A-Za-z0-9._-]{1,64})")


class SmtpChannel:
    """Hands e-mail to a server. The session is opened with the first message, and again when it was lost."""

    medium = "email"

    def __init__(self, settings: SmtpSettings) -> None:
        """Take the settings; nobody is connected to yet."""
        self._settings = settings
        self._domain = settings.message_domain
        self._context: ssl.SSLContext | None = None
        self._session: Session | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Hand over the messages, one after the other.

        Raises:
            ConfigurationError: the server refuses us, or we do not trust it, and it has none of the messages.
        """
        receipts: list[Receipt] = []
        trouble = ""
        was_asked = False
        for message in messages:
            problem, content = self._built(message)
            if problem:
                receipts.append(_rejected(message, problem))
            elif trouble:  # it would only be waited for once more
                receipts.append(Receipt(message=message.id, state="deferred", detail=trouble))
            else:
                try:
                    receipts.append(self._delivered(message, content))
                    was_asked = True
                except UnreachableError as error:
                    trouble = str(error)
                    receipts.append(Receipt(message=message.id, state="deferred", detail=trouble))
                except ConfigurationError as error:
                    if was_asked:
                        trouble = str(error)
                        receipts.append(Receipt(message=message.id, state="deferred", detail=trouble))
                    else:
                        raise
        return receipts

    def close(self) -> None:
        """Say goodbye to the server; may be called twice."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _built(self, message: Message) -> tuple[str, bytes]:
        """Why a message cannot be sent, or its bytes as the server gets them."""
        problem = refusal(message, self.medium)
        if problem:
            return problem, b""
        given = self._settings
        headers = [("Auto-Submitted", "auto-generated")]
        if message.unsubscribe:
            headers.append(("Precedence", "bulk"))
        if given.feedback_id:
            engagement = message.engagement
            told = f"{engagement.campaign}:{engagement.action}:{message.channel}:{given.feedback_id}"
            headers.append(("Feedback-ID", told))
        try:
            content = eml(
                ready(message, inline_css=given.inline_css),
                sender=given.sender,
                domain=self._domain,
                reply_to=given.reply_to,
                headers=headers,
            )
        except UnicodeError:
            return "it holds a character that mail cannot carry", b""
        except ValueError:
            return "its HTML has a style sheet that cannot be read", b""
        if len(content) > given.size_limit:
            return f"it has more than {given.size_limit} bytes, the channel's size_limit", b""
        # A line that begins with a dot gets another one, which the server takes off again (RFC 5321, 4.5.2).
        return "", content.replace(b"\n.", b"\n..")

    def _delivered(self, message: Message, content: bytes) -> Receipt:
        was_open = self._session is not None
        session = self._opened()
        limit = session.size_limit
        if limit is not None and len(content) > limit:
            return _rejected(message, f"it has more than {limit} bytes, which is all that the server takes")
        outcome = session.hand_over(message.id, message.address, content)
        if outcome.is_broken:
            self._dropped()
            if was_open and outcome.stage != "message":  # the server had closed what nobody used for a while
                session = self._opened()
                outcome = session.hand_over(message.id, message.address, content)
                if outcome.is_broken:
                    self._dropped()
        if outcome.is_taken:
            found = _QUEUED.search(outcome.words)
            return Receipt(message=message.id, state="accepted", reference=found and (found[1] or found[2]))
        outcome = outcome._replace(words=self._clean(outcome.words, message))
        refused = session.refused_sender(outcome)
        if refused:
            raise ConfigurationError(refused)
        return _untaken(message, outcome)

    def _opened(self) -> Session:
        if self._session is None:
            if self._context is None and self._settings.tls != "none":
                self._context = _trusting(self._settings)
            self._session = Session(self._settings, self._context)
        return self._session

    def _dropped(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._session = None

    def _clean(self, words: str, message: Message) -> str:
        given = self._settings
        people = (message.address, message.recipient, given.user)
        secrets = (message.unsubscribe, given.password.reveal() if given.password else "")
        return without_people(words, people, secrets)


def _trusting(settings: SmtpSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    except (OSError, ssl.SSLError) as error:
        message = f"the certificates in {settings.ca_file} cannot be read; give ca_file a file in PEM"
        raise ConfigurationError(message) from error


def _rejected(message: Message, problem: str) -> Receipt:
    return Receipt(message=message.id, state="rejected", detail=problem)


def _untaken(message: Message, outcome: Outcome) -> Receipt:
    detail = f"{outcome.stage}: {outcome.code} {outcome.words}" if outcome.code else outcome.words
    if outcome.is_whole:
        return Receipt(message=message.id, state="unknown", detail=f"{detail} after the whole message")
    if outcome.code == 0 or outcome.code in _DEFERRED:
        return Receipt(message=message.id, state="deferred", detail=detail)
    suppression = suppression_for(status_in(outcome.words)) if outcome.stage in {"RCPT", "message"} else None
    return Receipt(message=message.id, state="rejected", detail=detail, suppression=suppression)
