"""How Twilio writes telephone numbers and the ids of messages."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN = re.compile("[ \u00a0\u202f()./-]")
_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


def is_number(text: str) -> bool:
    """Whether a text is a number as ITU-T E.164 has it, with a plus sign: ``+15551234567``."""
    return _NUMBER.fullmatch(text) is not None


def is_message_sid(text: object) -> bool:
    """Whether something is Twilio's id of an SMS or MMS."""
    return isinstance(text, str) and _SID.fullmatch(text) is not None


def dialled(text: str) -> str:
    """An international number without what people write between its digits.

    A zero in brackets stays, since it is not dialled from abroad: whoever wrote it meant either number.
    """
    return text if not text.startswith("+") or "(0" in text else _BETWEEN.sub("", text)
