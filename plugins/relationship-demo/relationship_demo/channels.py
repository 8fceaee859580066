"""Channels of other distributions, which the demo's messages go through when that is asked for."""

from __future__ import annotations

from importlib.util import find_spec

import click

from relationship_core import Choice, ConfigurationError

_HIGHEST_PORT = 65_535
_POSTAL = {"groceries": ("cards", "postcard", "US"), "garage": ("letters", "letter", "DE")}
"""Of each business: its channel of the medium post, what that prints, and where the post leaves from."""


def smtp_channel(place: str) -> dict[str, Choice]:
    """The demo's e-mail, by the mail server at ``HOST:PORT``.

    Raises:
        BadParameter: that is no place.
        ConfigurationError: relationship-smtp is not installed.
    """
    host, separator, port = place.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= _HIGHEST_PORT:
        message = f"{place!r} is not HOST:PORT, such as localhost:1025."
        raise click.BadParameter(message, param_hint="'--smtp'")
    _require("relationship_smtp", "smtp", "--smtp")
    # A test server on one's own machine has no certificate, and the people are made up.
    settings = {"host": host.strip("[]"), "port": int(port), "tls": "none"}
    return {"mail": Choice(use="smtp", settings=settings)}


def post_channel(business: str) -> dict[str, Choice]:
    """The demo's cards or letters, as files to print.

    Raises:
        ConfigurationError: relationship-post is not installed.
    """
    _require("relationship_post", "post", "--post")
    name, format_, country = _POSTAL[business]
    # Nobody lives at these addresses: the postal code does not exist, on purpose.
    settings = {"path": "outbox/print", "format": format_, "country": country, "check_addresses": False}
    return {name: Choice(use="post", settings=settings)}


def _require(package: str, extra: str, option: str) -> None:
    if find_spec(package) is None:
        message = (
            f"{option} needs a package that is not installed; install it with: pip install relationship-demo[{extra}]"
        )
        raise ConfigurationError(message)
