"""Asks Twilio, through its own client, over a session with a time-out, without environment and log."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]  # the library has no types
from twilio.http import HttpClient  # type: ignore[import-untyped]  # the library has no types
from twilio.http.response import Response  # type: ignore[import-untyped]  # the library has no types
from twilio.rest import Client  # type: ignore[import-untyped]  # the library has no types
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from relationship_core import retry_after
from relationship_twilio.errors import RefusedError, UnansweredError, UnreachableError
from relationship_twilio.settings import WORLD

if TYPE_CHECKING:
    from relationship_twilio.settings import TwilioSettings


class Transport:
    """Sends messages to Twilio's API."""

    def __init__(self, settings: TwilioSettings) -> None:
        self._session = _Session(settings.host, settings.timeout)
        self._client = Client(
            settings.api_key_sid or settings.account_sid,
            settings.auth_token.reveal(),
            settings.account_sid,
            http_client=self._session,
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},  # not the process's own
        )

    @property
    def retry_after(self) -> float | None:
        """The seconds that the last answer asked to wait, if it did."""
        return self._session.retry_after

    def create(self, parameters: Mapping[str, Any]) -> Any:
        """Make a message at Twilio; the answer is what the library makes of Twilio's.

        Raises:
            UnreachableError: nothing was said.
            UnansweredError: nobody knows what came of it.
            RefusedError: Twilio answered that it does not do it.
            Any other error: what was answered is not Twilio's.
        """
        try:
            return self._client.messages.create(**parameters)
        except TwilioException as error:
            # Of two classes in newer releases, without a common attribute beside these.
            raise RefusedError(_number(error, "status"), _number(error, "code")) from None

    def close(self) -> None:
        """End the connections; the next message makes another."""
        self._session.close()


class _Session(HttpClient):  # type: ignore[misc]  # the library has no types
    """What Twilio's client sends requests by. Its own has no time-out, drops Retry-After, and logs every address."""

    def __init__(self, host: str, timeout: float) -> None:
        super().__init__(logging.getLogger(__name__), False, timeout)
        self.retry_after: float | None = None
        self._host = host
        self._session = requests.Session()
        # Neither a proxy nor .netrc, whose password would take the token's place.
        self._session.trust_env = False

    def request(self, method: str, url: str, **given: Any) -> Response:
        self.retry_after = None
        given |= {"timeout": self.timeout, "allow_redirects": False}
        try:
            answer = self._session.request(method, url.replace(WORLD, self._host, 1), **given)
        except requests.RequestException as error:
            kind = UnreachableError if _is_unreachable(error) else UnansweredError
            raise kind(type(error).__name__) from None
        self.retry_after = retry_after(answer.headers.get("Retry-After", ""), answer.headers.get("Date", ""))
        return Response(answer.status_code, answer.content.decode("utf-8", "replace"), dict(answer.headers))

    def close(self) -> None:
        self._session.close()


def _is_unreachable(error: requests.RequestException) -> bool:
    """Whether it failed before anything was said."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return True
    return isinstance(reason, Exception) and any(isinstance(each, ssl.SSLCertVerificationError) for each in reason.args)


def _number(error: TwilioException, name: str) -> int | None:
    """A number of the library's error; None where Twilio's JSON had something else in its place."""
    found = getattr(error, name, None)
    return found if type(found) is int else None
