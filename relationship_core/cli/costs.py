"""Costs in rows: of one customer, and of the project by owner and campaign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from relationship_core import Costs
from relationship_core.cli.show import money, number

COLUMNS = (">messages", ">money", ">offers", ">our min", ">their min", ">in all")
"""What follows the names of a row; amounts are told without their currency, which the title has."""
CUSTOMER_COLUMNS = (">money", ">our min", ">their min", ">in all")
"""The same of one customer, narrow: what coupons cost is money too."""
RECORDED = "recorded with interactions"
TOGETHER = "together"


def rows_by_campaign(costs: Sequence[Costs], currency: str) -> Iterator[tuple[str, ...]]:
    """What one customer has cost: a row for each campaign, for what was recorded, and for all of it."""
    for each in costs:
        yield (each.campaign or RECORDED, *_narrow([each], currency))
    if len(costs) > 1:
        yield (TOGETHER, *_narrow(costs, currency))


def rows_by_owner(costs: Sequence[Costs], currency: str) -> Iterator[tuple[str, ...]]:
    """What campaigns have cost: a row for each, under its owner, with what the owner's cost together, and all."""
    owners = [list(own) for _, own in groupby(costs, key=lambda each: each.owner)]
    for own in owners:
        for place, each in enumerate(own):
            yield (each.owner if place == 0 else "", each.campaign, *_numbers([each], currency))
        if len(own) > 1:
            yield ("", TOGETHER, *_numbers(own, currency))
    if len(owners) > 1:
        yield ("all owners", TOGETHER, *_numbers(costs, currency))


def _numbers(costs: Sequence[Costs], currency: str) -> tuple[str, ...]:
    """The numbers of some costs together."""
    return (
        f"{sum(each.messages for each in costs):,}",
        _amount(sum(each.money for each in costs), currency),
        _amount(sum(each.offers for each in costs), currency),
        number(sum(each.our_minutes for each in costs)),
        number(sum(each.their_minutes for each in costs)),
        _amount(sum(each.total for each in costs), currency),
    )


def _narrow(costs: Sequence[Costs], currency: str) -> tuple[str, ...]:
    spent = _amount(sum(each.money + each.offers for each in costs), currency)
    return (spent, *_numbers(costs, currency)[3:])


def _amount(minor: float, currency: str) -> str:
    return money(minor, currency).removesuffix(f" {currency}")
