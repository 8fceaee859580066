"""What a preview says of the price of a message."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from relationship_core import (
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    Message,
    Price,
    Provider,
    Receipt,
    Relationships,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings

Open = Callable[..., Relationships]


class Paid:
    """A plugin with the channel ``paid``: each word of a message costs 3 cents."""

    medium = "email"

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        return [Receipt(message=each.id, state="accepted") for each in messages]

    def price(self, message: Message) -> Price:
        words = len(message.text.split())
        return Price(parts=words, part="word", minor=3.0 * words)

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(
                name="paid",
                factory=lambda _: self,
                settings=NullSettings,
                summary="Costs something.",
                capabilities=["price", "local"],
            ),
        )


class Broken(Paid):
    """One that cannot tell its price."""

    def price(self, message: Message) -> Price:
        raise LookupError(message.address)


@pytest.fixture
def priced(
    make_project: Open, make_campaign: Callable[..., Campaign], make_customer: Callable[..., Customer]
) -> Callable[..., Relationships]:
    def make(plugin: object | None) -> Relationships:
        choice = Choice(use="paid" if plugin else "null")
        given: dict[str, Any] = {"plugins": [plugin] if plugin else []}
        project = make_project(make_campaign("hello"), channels={"letters": choice}, **given)
        project.record_customers([make_customer("ada")])
        return project

    return make


def test_the_channel_is_asked_for_the_price_of_what_it_would_get(priced: Callable[..., Relationships]) -> None:
    (shown,) = priced(Paid()).preview("hello", "ada")
    words = len(shown.message.text.split())
    assert words > 1
    assert shown.price == Price(parts=words, part="word", minor=3.0 * words)


def test_a_channel_without_prices_tells_none(priced: Callable[..., Relationships]) -> None:
    (shown,) = priced(None).preview("hello", "ada")
    assert shown.price is None


def test_a_channel_that_fails_over_its_price_is_named(priced: Callable[..., Relationships]) -> None:
    with pytest.raises(ConfigurationError, match=r"channel 'letters' .* LookupError") as caught:
        priced(Broken()).preview("hello", "ada")
    assert "example.com" not in str(caught.value)
