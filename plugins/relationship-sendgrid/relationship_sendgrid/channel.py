"""The channel ``sendgrid``: e-mail through SendGrid's API."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relationship_core import ConfigurationError, Receipt, refusal
from relationship_sendgrid.answers import Outcome, outcome_of
from relationship_sendgrid.errors import UnansweredError, UnreachableError
from relationship_sendgrid.requests import MOST_BYTES, Numbered, document, grouped, size

if TYPE_CHECKING:
    from relationship_core import Message
    from relationship_sendgrid.settings import SendGridSettings
    from relationship_sendgrid.transport import Transport

_LEFT = "not handed over, since SendGrid was in trouble before it"


class SendGridChannel:
    """Hands messages to SendGrid: those with the same content in one request, the others in one each."""

    medium = "email"

    def __init__(self, settings: SendGridSettings) -> None:
        """Take the settings; nobody is asked yet."""
        self._settings = settings
        self._transport: Transport | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Hand over the messages.

        Raises:
            ConfigurationError: SendGrid does not know the key, or does not allow the sender; nothing was sent.
        """
        receipts: dict[int, Receipt] = {}
        good: list[Numbered] = []
        for number, message in enumerate(messages):
            problem = _problem(message)
            if problem:
                receipts[number] = Receipt(message=message.id, state="rejected", detail=problem)
            else:
                good.append((number, message))
        try:
            self._hand_over(deque(grouped(good)), receipts)
        finally:
            # Between two calls SendGrid may end the connection, and what is said into an ended one is unknown.
            self.close()
        return [receipts[number] for number in range(len(messages))]

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def _opened(self) -> Transport:
        """The transport, whose libraries are imported when something is sent: most commands send nothing."""
        if self._transport is None:
            from relationship_sendgrid.transport import Transport

            self._transport = Transport(self._settings)
        return self._transport

    def _hand_over(self, waiting: deque[Sequence[Numbered]], receipts: dict[int, Receipt]) -> None:
        while waiting:
            group = waiting.popleft()
            said = self._ask([message for _, message in group])
            if said.mend and not any(each.state in {"accepted", "unknown"} for each in receipts.values()):
                raise ConfigurationError(said.mend)
            if said.state == "rejected" and len(group) > 1:
                waiting.extendleft(reversed(_without_fault(group, said, receipts)))
                continue
            is_address = any(said.at_fault.values())
            for number, message in group:
                receipts[number] = _receipt(message, said, is_address=is_address)
            if said.stops:
                left = Outcome(state="deferred", detail=_LEFT, retry_after=said.retry_after)
                receipts.update((number, _receipt(message, left)) for rest in waiting for number, message in rest)
                return

    def _ask(self, messages: Sequence[Message]) -> Outcome:
        try:
            answer = self._opened().send(document(messages, self._settings))
        except UnreachableError as error:
            return Outcome(state="deferred", detail=f"SendGrid cannot be reached: {error}", stops=True)
        except UnansweredError as error:
            return Outcome(state="unknown", detail=f"SendGrid gave no answer: {error}", stops=True)
        hidden = {text for each in messages for text in (each.address, each.recipient, each.subject, each.unsubscribe)}
        return outcome_of(answer, sandbox=self._settings.sandbox, hidden=hidden)


def _problem(message: Message) -> str:
    """Why SendGrid would never take a message; empty where it may."""
    problem = refusal(message, "email")
    if problem:
        return problem
    if not all(each.name.isprintable() and each.type.isprintable() for each in message.attachments):
        return "the name or the type of a file holds a line break or another control character"
    if not message.subject or not (message.text or message.html):
        return "it has no subject, or neither text nor HTML"
    if size(message) > MOST_BYTES:
        return f"with its files it is larger than the {MOST_BYTES // 1_000_000} MB that SendGrid takes"
    return ""


def _without_fault(
    group: Sequence[Numbered], said: Outcome, receipts: dict[int, Receipt]
) -> Sequence[Sequence[Numbered]]:
    """What is left of a refused request to hand over; whose fault it was gets a receipt.

    SendGrid refuses a request as a whole. Where it does not say for which message, each goes alone.
    """
    at_fault = {place: is_address for place, is_address in said.at_fault.items() if place < len(group)}
    if not at_fault:
        return [[each] for each in group]
    for place, is_address in at_fault.items():
        number, message = group[place]
        receipts[number] = _receipt(message, said, is_address=is_address)
    rest = [each for place, each in enumerate(group) if place not in at_fault]
    return [rest] if rest else []


def _receipt(message: Message, said: Outcome, *, is_address: bool = False) -> Receipt:
    return Receipt(
        message=message.id,
        state=said.state,
        reference=said.reference,
        detail=said.detail,
        retry_after=said.retry_after,
        suppression="hard_bounce" if said.state == "rejected" and is_address else None,
    )
