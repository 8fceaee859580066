"""The channel ``twilio``: SMS through Twilio's API."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from relationship_core import ConfigurationError, Price, Receipt, refusal, refuse_attachments
from relationship_twilio.codes import CODES, Code
from relationship_twilio.errors import RefusedError, UnansweredError, UnreachableError
from relationship_twilio.identifiers import dialled, is_message_sid, is_number
from relationship_twilio.segments import segments

if TYPE_CHECKING:
    from relationship_core import Message
    from relationship_twilio.settings import TwilioSettings
    from relationship_twilio.transport import Transport

TEST_SENDER = "+15005550006"
"""The number that messages tried with test credentials are from; no account owns it."""
MOST_CHARACTERS = 1600
LONGEST_VALIDITY = 36_000
"""What Twilio takes: characters in units of 16 bits, and seconds."""

_LOWEST_CODE, _HIGHEST_CODE = 10_000, 99_999

_GONE_WRONG = frozenset({"failed", "undelivered", "canceled"})
_FORBIDDEN = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_LEFT = Code(words="not handed over, since Twilio was in trouble before it", state="deferred")


@frozen(kw_only=True)
class _Outcome:
    """What became of one message; with ``stops`` Twilio is better left alone for now."""

    code: Code
    reference: str | None = None
    retry_after: float | None = None
    stops: bool = False


class TwilioChannel:
    """Hands messages to Twilio, one request each."""

    medium = "sms"

    def __init__(self, settings: TwilioSettings) -> None:
        """Take the settings; nobody is asked yet."""
        self._settings = settings
        self._transport: Transport | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Hand over the messages.

        Raises:
            UnsupportedError: one has files; none was sent.
            ConfigurationError: Twilio does not know the credentials or the sender; nothing was sent.
        """
        refuse_attachments(messages)
        receipts: list[Receipt] = []
        left: _Outcome | None = None
        for message in messages:
            problem = _problem(message, self._settings.longest)
            said = _Outcome(code=Code(words=problem)) if problem else left or self._ask(message)
            if said.code.mend and not any(each.state in {"accepted", "unknown"} for each in receipts):
                wrong = f"{said.code.words}; {said.code.mend}"
                raise ConfigurationError(wrong)
            if said.stops:
                left = _Outcome(code=_LEFT, retry_after=said.retry_after)
            receipts.append(_receipt(message, said))
        return receipts

    def price(self, message: Message) -> Price:
        """How many segments the text has, and what they cost in the number's country."""
        count = segments(message.text).count
        each = self._segment_price(message)
        return Price(parts=count, part="segment", minor=None if each is None else count * each)

    def close(self) -> None:
        """End the connections."""
        if self._transport is not None:
            self._transport.close()

    def _opened(self) -> Transport:
        """The transport, whose libraries are imported when something is sent: most commands send nothing."""
        if self._transport is None:
            from relationship_twilio.transport import Transport

            self._transport = Transport(self._settings)
        return self._transport

    def _segment_price(self, message: Message) -> float | None:
        prices = self._settings.segment_prices
        country = (_country(message.address) or message.country or "") if prices else ""
        return prices.get(country, self._settings.segment_price)

    def _ask(self, message: Message) -> _Outcome:
        transport = self._opened()
        try:
            answer = transport.create(self._parameters(message))
        except UnreachableError as error:
            return _Outcome(code=Code(words=f"Twilio cannot be reached: {error}", state="deferred"), stops=True)
        except UnansweredError as error:
            return _Outcome(code=Code(words=f"Twilio gave no answer: {error}", state="unknown"), stops=True)
        except RefusedError as error:
            return _refused(error.status, error.code, transport.retry_after)
        except Exception:  # noqa: BLE001  the library fails in many ways over an answer that is not Twilio's
            return _unclear()
        return _taken(answer)

    def _parameters(self, message: Message) -> dict[str, Any]:
        settings = self._settings
        made: dict[str, Any] = {"to": dialled(message.address), "body": message.text}
        if settings.sandbox:
            return made | {"from_": TEST_SENDER}
        if settings.messaging_service:
            made["messaging_service_sid"] = settings.messaging_service
        else:
            made["from_"] = settings.sender
        if settings.callback_url:
            at = int(message.at.timestamp())
            made["status_callback"] = f"{settings.callback_url}?message={message.id}&at={at}"
        if message.expires_at is not None:
            seconds = int((message.expires_at - message.at).total_seconds())
            made["validity_period"] = max(1, min(seconds, LONGEST_VALIDITY))
        return made


def _problem(message: Message, longest: int) -> str:
    """Why Twilio would never take a message; empty where it may."""
    problem = refusal(message, "sms")
    if problem:
        return problem
    if not is_number(dialled(message.address)):
        return "the address is no number in the form +15551234567"
    return _problem_of_text(message.text, longest)


def _problem_of_text(text: str, longest: int) -> str:
    if not text.strip():
        return "it has no text"
    if len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
        return f"it is longer than the {MOST_CHARACTERS} characters that Twilio takes"
    count = segments(text).count
    if count > longest:
        return f"it has {count} segments, and {longest} are allowed"
    return ""


def _taken(answer: Any) -> _Outcome:
    """What an answer means that the library takes for a message."""
    sid = getattr(answer, "sid", None)
    if not is_message_sid(sid):
        return _unclear()
    if answer.status in _GONE_WRONG:
        return _Outcome(code=evolve(_known(answer.error_code), state="rejected", mend=""), reference=sid)
    return _Outcome(code=Code(words="", state="accepted"), reference=sid)


def _refused(status: object, code: object, retry_after: float | None) -> _Outcome:
    if not isinstance(status, int) or status < HTTPStatus.BAD_REQUEST:
        return _unclear()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        words = f"Twilio {status}: it failed, and may have sent it"
        return _Outcome(code=Code(words=words, state="unknown"), stops=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _Outcome(code=evolve(_known(code), state="deferred"), retry_after=retry_after, stops=True)
    known = _known(code)
    if status == HTTPStatus.UNAUTHORIZED or (status in _FORBIDDEN and code not in CODES):
        return _Outcome(code=known if known.mend else CODES[20003], stops=True)
    if status != HTTPStatus.BAD_REQUEST and code not in CODES:
        known = evolve(known, state="deferred")  # a time-out, or somebody between us and Twilio
    is_later = known.state == "deferred"
    return _Outcome(code=known, retry_after=retry_after if is_later else None, stops=is_later)


def _unclear() -> _Outcome:
    return _Outcome(code=Code(words="Twilio's answer is not understood", state="unknown"), stops=True)


def _known(code: object) -> Code:
    """What a code means; its words begin with it. Twilio's own words repeat the number, so that they are left out."""
    # Where there is none the library tells the status of HTTP in its place.
    if not isinstance(code, int) or not _LOWEST_CODE <= code <= _HIGHEST_CODE:
        return Code(words="Twilio gave no code")
    known = CODES.get(code, Code(words=f"see https://www.twilio.com/docs/api/errors/{code}"))
    return evolve(known, words=f"Twilio {code}: {known.words}")


def _receipt(message: Message, said: _Outcome) -> Receipt:
    return Receipt(
        message=message.id,
        state=said.code.state,
        reference=said.reference,
        detail=said.code.words,
        retry_after=said.retry_after if said.code.state == "deferred" else None,
        suppression=said.code.suppression if said.code.state == "rejected" else None,
    )


def _country(number: str) -> str | None:
    """The country of a number; None where it has none."""
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
