"""Preview: what a campaign would say to one customer, without sending anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, frozen

from relationship_core.columns import CONTACT_POINTS, Page
from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.customers import find_customer
from relationship_core.flow.deliver.assigning import assignee_of, columns_of_assignees, is_task
from relationship_core.flow.deliver.render import Row, Studio, columns_named, known_of, rendered
from relationship_core.model.campaign import Campaign, Variant
from relationship_core.model.message import Message, Price
from relationship_core.ports import Store


@frozen(kw_only=True)
class Preview:
    """One variant of one action, filled in for one customer.

    Attributes:
        campaign: the campaign's name.
        action: the action's name.
        customer: the customer's id.
        message: what would be handed to the channel; its address is empty where the customer has none there.
        assignee: who would do it, where it is a task; else empty.
        price: what sending it would cost; None where its channel does not tell.
    """

    campaign: str
    action: str
    customer: str
    message: Message
    assignee: str = ""
    price: Price | None = None


def preview(
    store: Store,
    campaign: Campaign,
    customer: str | None,
    studio: Studio,
    media: Mapping[str, str],
    *,
    price: Callable[[Message], Price | None] = lambda _: None,
) -> Sequence[Preview]:
    """Fill in every variant of a campaign for one customer, the first one when None.

    Args:
        store: where the project lives.
        campaign: the campaign.
        customer: the customer's id, or None.
        studio: what messages are rendered with.
        media: the medium of each channel that the campaign names.
        price: what sending a message would cost.

    Raises:
        RejectedError: nobody has that id, or the project has no customers.
        ConfigurationError: a template names what is not known of this customer, or a channel cannot tell its price.
    """
    page = find_customer(store, customer) if customer is not None else _anybody(store, studio)
    who = page.first
    points = dict(store.read(CONTACT_POINTS, page=page, columns=["medium", "address"]).iter_rows())
    shown = []
    for action in campaign.actions:
        for place, variant in enumerate(action.variants):
            address = points.get(media[variant.channel], "")
            row = _row(campaign.name, action.name, who) | {
                "variant": place,
                "channel": variant.channel,
                "address": address,
                "medium": media[variant.channel],
            }
            names = columns_named(variant, studio.renderer) | columns_of_assignees([(campaign, row)], studio)
            known = known_of(store, studio, [who], names)[who]
            filled_in = _filled_in(row, variant, campaign, known, studio)
            shown.append(evolve(filled_in, price=price(filled_in.message)))
    return shown


def _anybody(store: Store, studio: Studio) -> Page:
    for page in store.pages(None, as_of=studio.moment.now, size=1):
        return page
    message = "there is nobody to preview for; import customers first"
    raise RejectedError(message)


def _row(campaign: str, action: str, customer: str) -> dict[str, object]:
    return {"id": "preview", "campaign": campaign, "action": action, "customer": customer, "occasion": "preview"}


def _filled_in(row: Row, variant: Variant, campaign: Campaign, known: Row, studio: Studio) -> Preview:
    try:
        message = rendered(row, variant, campaign, known, studio)
        assignee = assignee_of(row, campaign, known, studio) if is_task(row) else ""
    except RejectedError as error:
        where = f"campaign {campaign.name!r}, action {row['action']!r}, channel {row['channel']!r}"
        raise ConfigurationError(f"{where}: {error}") from error
    return Preview(
        campaign=campaign.name,
        action=str(row["action"]),
        customer=str(row["customer"]),
        message=message,
        assignee=assignee,
    )
