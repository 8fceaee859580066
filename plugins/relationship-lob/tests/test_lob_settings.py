"""The settings of the channel and the receiver for Lob."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from relationship_core import ConfigurationError, Engagement, Message, Secret
from relationship_lob.channel import LobChannel
from relationship_lob.settings import LobSettings

LIVE, TEST = "live_0123456789abcdef", "test_0123456789abcdef"
BAKERY = "Corner Bakery, 1 Main St, Springfield, IL 62701"


def opened(**settings: Any) -> LobChannel:
    return LobChannel(LobSettings(**{"api_key": Secret(LIVE), "sender_address": BAKERY, **settings}))


def test_a_price_is_what_the_settings_say() -> None:
    message = Message(
        id="0" * 32,
        engagement=Engagement(campaign="thanks", action="card", customer="c1", occasion="once"),
        channel="letters",
        address="1 Main St\nSpringfield, IL 62701",
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    price = opened(format="postcard", price=95.0).price(message)
    assert (price.parts, price.part, price.minor) == (1, "postcard", 95.0)
    assert opened().price(message).minor is None


WRONG = [
    ({"api_key": Secret("key_0123")}, "must be a secret key of Lob"),
    ({"api_key": Secret("live_pub_0123")}, "must be a secret key of Lob"),
    ({"api_key": Secret(TEST)}, "set sandbox = true"),
    ({"sandbox": True}, "must be a test key"),
    ({"price": -1.0}, "price must be a number of at least 0"),
    ({"country": "Germany"}, "country must be"),
    ({"host": "http://api.example.com"}, "begins with https://"),
    ({"timeout": 0.0}, "timeout must be a number above 0"),
    ({"sender_address": "Musterstr. 1, 80331 München"}, "in the United States"),
    ({"sender_address": ""}, "in the United States"),
]


@pytest.mark.parametrize(("settings", "told"), WRONG)
def test_wrong_settings_are_told_without_the_key(settings: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        opened(**settings)
    assert "0123" not in str(caught.value)
