"""What Lob's answers mean: a receipt, or credentials and an account that somebody must mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from relationship_core import ConfigurationError, Receipt, retry_after

if TYPE_CHECKING:
    from requests import Response

    from relationship_core import SuppressionReason

_UNKNOWN_KEY = 401
_OF_THE_ACCOUNT = frozenset({402, 403})
_LATER = frozenset({408, 409, 425, 429})
_TAKEN = range(200, 300)
_REFUSED = range(400, 500)
_UNDELIVERABLE = "failed_deliverability_strictness"


def receipt_of(message: str, response: Response) -> Receipt:
    """The receipt for one message.

    What is not understood may be asked again: Lob knows the message by its id, and repeats nothing.

    Raises:
        ConfigurationError: the key or the account is not in order, and nothing was taken.
    """
    refuse_credentials(response)
    document = document_of(response)
    reference = document.get("id")
    if response.status_code in _TAKEN and isinstance(reference, str) and re.fullmatch(r"(ltr|psc)_\w{1,60}", reference):
        return Receipt(message=message, state="accepted", reference=reference)
    if response.status_code in _REFUSED and response.status_code not in _LATER:
        return _rejected(message, response.status_code, code_of(document))
    return deferred(message, response)


def deferred(message: str, response: Response) -> Receipt:
    """The receipt where Lob may be asked again, after the time that it gives."""
    said = "it has no time" if response.status_code in _LATER else "its answer is not understood"
    detail = f"Lob answered {response.status_code}: {code_of(document_of(response)) or said}"
    wait = retry_after(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
    return Receipt(message=message, state="deferred", detail=detail, retry_after=wait)


def unreached(message: str, error: Exception) -> Receipt:
    """The receipt where no answer came."""
    # The text of such an error may hold the address that was asked for; its kind says enough.
    return Receipt(message=message, state="deferred", detail=f"no answer from Lob: {type(error).__name__}")


def refuse_credentials(response: Response) -> None:
    """Refuse to go on with a key or an account that is not in order.

    Raises:
        ConfigurationError: it is not.
    """
    if response.status_code == _UNKNOWN_KEY:
        message = "Lob does not know the api_key: give the secret key that its dashboard shows under Settings, API Keys"
        raise ConfigurationError(message)
    if response.status_code in _OF_THE_ACCOUNT:
        code = code_of(document_of(response)) or "forbidden"
        message = (
            f"Lob's account may not do this ({response.status_code}, {code}): see to its settings and billing there"
        )
        raise ConfigurationError(message)


def document_of(response: Response) -> dict[str, Any]:
    """The answer as JSON; empty where it is none."""
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def code_of(document: dict[str, Any]) -> str:
    """Lob's code of an error; its sentence is left out, since it may repeat the address."""
    error = document.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,60}", code) else ""


def _rejected(message: str, status: int, code: str) -> Receipt:
    suppression: SuppressionReason | None = "hard_bounce" if code == _UNDELIVERABLE else None
    detail = f"Lob refused it: {status} {code or 'without a code'}"
    return Receipt(message=message, state="rejected", detail=detail, suppression=suppression)
