"""The channel ``lob``: one request for each letter or postcard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import requests

from relationship_core import ConfigurationError, Price, Receipt, RejectedError, UnsupportedError, refusal
from relationship_lob.addresses import HOME, fields
from relationship_lob.answers import deferred, document_of, receipt_of, refuse_credentials, unreached
from relationship_lob.content import pages

if TYPE_CHECKING:
    from relationship_core import Message
    from relationship_lob.settings import LobSettings

_OK = 200


class LobChannel:
    """Hands letters or postcards to Lob, each under the message's id, which Lob never takes twice within a day."""

    medium = "post"

    def __init__(self, settings: LobSettings) -> None:
        """Take the settings; nothing is connected yet.

        Raises:
            ConfigurationError: the sender's address is none in the United States.
        """
        self._settings = settings
        self._sender = _sender(settings.sender_address)
        self._session = requests.Session()
        # Neither a proxy nor a password of the machine's: what goes out is what is configured here.
        self._session.trust_env = False

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Hand over the messages, one after the other.

        Raises:
            UnsupportedError: a message has an attachment.
            ConfigurationError: Lob does not know the key, or the account is not in order.
        """
        if any(each.attachments for each in messages):
            message = "Lob prints no attachments: send them by e-mail, or put what they say into the text"
            raise UnsupportedError(message)
        return [self._deliver(each) for each in messages]

    def price(self, message: Message) -> Price:
        """What one piece costs, as the settings say."""
        del message
        return Price(parts=1, part=self._settings.format, minor=self._settings.price)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _deliver(self, message: Message) -> Receipt:
        settings = self._settings
        if problem := refusal(message, self.medium):
            return Receipt(message=message.id, state="rejected", detail=problem)
        try:
            address = fields(message.address, message.recipient, (message.country or settings.country).upper())
            files = pages(message, kind=settings.format, size=settings.size)
            encoded = {name: (f"{name}.html", html.encode(), "text/html") for name, html in files.items()}
        except RejectedError as error:
            return Receipt(message=message.id, state="rejected", detail=str(error))
        if settings.verify and address["address_country"] == HOME and (found := self._doubt(message, address)):
            return found
        try:
            response = self._post(
                f"/{settings.format}s",
                data=self._form(message, address),
                files=encoded,
                headers={"Idempotency-Key": message.id},
            )
        except requests.RequestException as error:
            return unreached(message.id, error)
        return receipt_of(message.id, response)

    def _form(self, message: Message, address: Mapping[str, str]) -> Mapping[str, str]:
        settings = self._settings
        own: dict[str, str] = (
            {"color": str(settings.color).lower(), "address_placement": "top_first_page"}
            if settings.format == "letter"
            else {"size": settings.size}
        )
        if address["address_country"] == HOME:
            own["mail_type"] = settings.mail_type
        return {
            **{f"to[{name}]": value for name, value in address.items()},
            **self._sender,
            **own,
            "use_type": settings.use_type,
            "metadata[message]": message.id,
        }

    def _doubt(self, message: Message, address: Mapping[str, str]) -> Receipt | None:
        """The receipt of a message whose address is undeliverable, or cannot be verified now; None where it may go."""
        asked = {
            "primary_line": address["address_line1"],
            "secondary_line": address.get("address_line2", ""),
            "city": address["address_city"],
            "state": address["address_state"],
            "zip_code": address["address_zip"],
        }
        try:
            response = self._post("/us_verifications", data=asked)
        except requests.RequestException as error:
            return unreached(message.id, error)
        refuse_credentials(response)
        found = document_of(response).get("deliverability")
        if response.status_code != _OK or not isinstance(found, str):
            return deferred(message.id, response)
        if found != "undeliverable":
            return None
        detail = "Lob's verification finds no such address"
        return Receipt(message=message.id, state="rejected", detail=detail, suppression="hard_bounce")

    def _post(
        self,
        path: str,
        *,
        data: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        settings = self._settings
        return self._session.post(
            f"{settings.host}{path}",
            data=data,
            files=files,
            headers=headers,
            auth=(settings.api_key.reveal(), ""),
            timeout=settings.timeout,
            allow_redirects=False,
        )


def _sender(address: str) -> Mapping[str, str]:
    """The sender's fields, or the id of an address that Lob keeps."""
    if address.startswith("adr_"):
        return {"from": address}
    lines = address if "\n" in address else _lines(address)
    try:
        found = fields(lines, "", HOME)
    except RejectedError as error:
        message = (
            "sender_address must be the lines of an address in the United States with a name, as in: "
            f"Corner Bakery, 1 Main St, Springfield, IL 62701; or the id of one at Lob, adr_...: {error}"
        )
        raise ConfigurationError(message) from error
    return {f"from[{name}]": value for name, value in found.items()}


def _lines(address: str) -> str:
    """An address in one line, with a line for each part; the state stays with the city."""
    parts = [part.strip() for part in address.split(",")]
    joined: list[str] = []
    for part in parts:
        if joined and part[:2].isupper() and part[2:3] == " " and part[3:].replace("-", "").isdigit():
            joined[-1] = f"{joined[-1]}, {part}"
        else:
            joined.append(part)
    return "\n".join(joined)
