"""What Twilio's error codes mean for a message and its address.

Codes and titles: https://www.twilio.com/docs/api/errors; which of them speak of the address for good was judged by
their descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from relationship_core import ReceiptState, SuppressionReason


@frozen(kw_only=True)
class Code:
    """One error code.

    Attributes:
        words: what it says, without anything of the message.
        state: what becomes of a message that is answered with it.
        suppression: why the number must not be used again; None where nothing speaks against it.
        mend: what a person has to change before any message can be sent; empty where one can.
    """

    words: str
    state: ReceiptState = "rejected"
    suppression: SuppressionReason | None = None
    mend: str = ""


def _of_settings(words: str, mend: str) -> Code:
    return Code(words=words, state="deferred", mend=mend)


_CREDENTIALS = "set account_sid and auth_token as Twilio's console shows them"
_SENDER = "set sender to a number of this account that can send SMS, or use a messaging service"

CODES: Mapping[int, Code] = MappingProxyType(
    {
        # of the address: for good
        21211: Code(words="the number is no telephone number", suppression="hard_bounce"),
        21614: Code(words="the number is no mobile number", suppression="hard_bounce"),
        21635: Code(words="the number is a landline", suppression="hard_bounce"),
        30006: Code(words="a landline, or a carrier that cannot be reached", suppression="hard_bounce"),
        21610: Code(words="they have answered STOP to this sender", suppression="stop"),
        # of the address: perhaps another time
        30003: Code(words="the telephone is switched off or out of reach"),
        30005: Code(words="the telephone is unknown or no longer in service"),
        30008: Code(words="the carrier gave no reason"),
        # of this message
        21408: Code(words="the account may not send to that country; allow it in Twilio's console, Geo permissions"),
        21602: Code(words="it has no text"),
        21604: Code(words="it has no number to go to"),
        21608: Code(words="a trial account sends to verified numbers only"),
        21612: Code(words="this sender cannot reach that number"),
        21617: Code(words="it is longer than 1600 characters"),
        30004: Code(words="the number is blocked, or does not take such messages"),
        30007: Code(words="a carrier filtered it; look at its content before anything like it is sent again"),
        30019: Code(words="it is larger than the carrier takes"),
        30034: Code(words="the sender is not registered for application-to-person messages in that country"),
        30036: Code(words="it was not sent before its validity period ended"),
        # later
        20429: Code(words="too many requests", state="deferred"),
        30001: Code(words="the queue is full", state="deferred"),
        60728: Code(words="too many requests", state="deferred"),
        63017: Code(words="too many messages at once", state="deferred"),
        63038: Code(words="the account's messages of the day are used up", state="deferred"),
        # of the settings
        20003: _of_settings("Twilio does not know the credentials", _CREDENTIALS),
        20005: _of_settings("the account is not active", "see in Twilio's console what it waits for"),
        20008: _of_settings(
            "test credentials cannot do this", "set sandbox = true, or the account's own account_sid and auth_token"
        ),
        20404: _of_settings("there is no such account", "set account_sid as Twilio's console shows it"),
        21212: _of_settings("the sender is no number", _SENDER),
        21603: _of_settings("there is no sender", _SENDER),
        21606: _of_settings("the sender is no number of this account that can send SMS", _SENDER),
        21609: _of_settings("callback_url is no address that Twilio can call", "set callback_url to a public address"),
        21659: _of_settings("the sender is no number of this account", _SENDER),
        21660: _of_settings("the sender and the account do not belong together", _SENDER),
        21701: _of_settings("there is no such messaging service", "set messaging_service as the console shows it"),
        21703: _of_settings("the messaging service has no numbers", "add a number to it in Twilio's console"),
        21704: _of_settings("the messaging service has no numbers", "add a number to it in Twilio's console"),
        21705: _of_settings("there is no such messaging service", "set messaging_service as the console shows it"),
    }
)
