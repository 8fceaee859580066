"""What templates say of an offer: ``offer.code`` and the rest, and whether a text tells of it at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from relationship_core.chosen import variants_of
from relationship_core.errors import ConfigurationError
from relationship_core.flow.offers.codes import coupon_code
from relationship_core.flow.offers.validity import last_valid_day
from relationship_core.flow.standing import Moment
from relationship_core.model.money import minor_digits
from relationship_core.ports import Renderer
from relationship_core.table import INSTANT

if TYPE_CHECKING:
    from relationship_core.model.campaign import Campaign, Variant
    from relationship_core.model.offer import Offer

OFFER = "offer"
"""The variable under which templates know it."""


def offer_names(offer: Offer | None) -> Mapping[str, frozenset[str]]:
    """What templates may name of an offer; nothing where there is none."""
    if offer is None:
        return {}
    given = [name for name in ("percent", "amount") if getattr(offer, name) is not None]
    return {OFFER: frozenset({"summary", "code", "until", *given})}


def offer_words(offer: Offer | None, message: str, *, salt: str, moment: Moment, currency: str) -> Mapping[str, object]:
    """What templates read of the offer that a message carries; nothing where it carries none.

    Args:
        offer: the campaign's.
        message: the message's id.
        salt: the project's; empty for a sample.
        moment: when the message goes.
        currency: the project's.
    """
    if offer is None:
        return {}
    words: dict[str, object] = {
        "summary": offer.summary,
        "code": coupon_code(offer, message, salt),
        "until": _last_day(moment, offer.days),
    }
    if offer.percent is not None:
        words["percent"] = int(offer.percent) if offer.percent.is_integer() else offer.percent
    if offer.amount is not None:
        digits = minor_digits(currency)
        words["amount"] = f"{offer.amount / 10**digits:.{digits}f}"
    return {OFFER: words}


def _last_day(moment: Moment, days: int | None) -> str:
    """The last day on which a coupon of now is valid, as ISO text; empty for ever."""
    if days is None:
        return ""
    last = pl.select(last_valid_day(pl.lit(moment.now, INSTANT), pl.lit(days, pl.Int64), moment.zone)).item()
    return str(last.isoformat())


def tells_of_offer(variant: Variant, renderer: Renderer) -> bool:
    """Whether a text names its campaign's offer, so that its message issues a coupon.

    One that cannot be read any more, since the renderer is another one now, is taken to do so: rather honour a coupon
    too many than refuse one that a customer holds.
    """
    try:
        return any(_names_offer(paths) for paths in _paths(variant, renderer))
    except Exception:  # noqa: BLE001  a renderer may be a plugin's, and what was sent was sent
        return True


def check_offer(campaign: Campaign, renderer: Renderer) -> None:
    """Refuse what templates show to be wrong about an offer: one that nobody is told of, and a text without one.

    Raises:
        ConfigurationError: the campaign carries an offer that no template names, or a template names one that it does
            not carry.
    """
    naming = [
        where
        for where, variant in variants_of(campaign)
        if any(_names_offer(paths) for paths in _paths(variant, renderer))
    ]
    if campaign.offer is None and naming:
        marketing = "" if campaign.purpose == "marketing" else ", and purpose = 'marketing', which an offer makes it"
        message = (
            f"{naming[0]}: the template names 'offer', and the campaign carries none; "
            f"say under [offer] what it offers{marketing}"
        )
        raise ConfigurationError(message)
    if campaign.offer is not None and not naming:
        message = (
            f"campaign {campaign.name!r}: none of its templates tells of its offer, so that nobody could take it up; "
            "name 'offer.code' or 'offer.summary' in one of them"
        )
        raise ConfigurationError(message)


def _paths(variant: Variant, renderer: Renderer) -> Iterable[frozenset[str]]:
    return [renderer.variables(template) for template in (variant.subject, variant.text, variant.html)]


def _names_offer(paths: Iterable[str]) -> bool:
    return any(path.partition(".")[0] == OFFER for path in paths)
