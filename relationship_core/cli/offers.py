"""``relate offers``: what messages offered, and who took it up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import as_of_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Coupon, OfferCount, OffersView, ProjectSettings


@click.command()
@click.argument("campaign", required=False)
@click.option("--customer", metavar="ID", help="The coupons of one customer alone.")
@as_of_option
@json_option
@project_options
def offers(folder: Path, campaign: str | None, customer: str | None, as_of: datetime | None, *, as_json: bool) -> None:
    """Show what was offered, and who took it up.

    For each campaign that carries an offer, or for one CAMPAIGN: how many coupons its messages issued, how many of
    them are open, redeemed and expired, what the orders with them came to, and what redeeming them has cost. Of one
    customer also each coupon, with its code.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.offers.show(campaign, customer=customer, as_of=as_of)
        project = relationships.settings.project
    if as_json:
        print_document(view)
    else:
        _show(view, project, customer)


COMMANDS = {"offers": offers}


def _show(view: OffersView, project: ProjectSettings, customer: str | None) -> None:
    from relationship_core.cli.show import clean, print_parts, table

    if not view.campaigns:
        click.echo("No campaign carries an offer; [offer] in the file of a campaign says what it offers.")
        return
    numbers = (">issued", ">open", ">redeemed", ">expired", ">revenue", ">cost")
    rows = [_row(each, project.currency) for each in view.campaigns]
    whose = f" to {clean(customer)}" if customer is not None else ""
    parts = [table(f"Offers{whose}", ("campaign", "offer", *numbers), rows)]
    if view.coupons:
        columns = ("code", "campaign", "issued", "until", "state", ">revenue")
        parts.append(table("Coupons", columns, [_coupon(each, project) for each in view.coupons]))
    print_parts(parts)


def _row(count: OfferCount, currency: str) -> tuple[str, ...]:
    from relationship_core.cli.show import money

    numbers = (count.issued, count.open, count.redeemed, count.expired)
    spent = (money(count.revenue, currency), money(count.cost, currency))
    return (count.campaign, count.summary, *(f"{each:,}" for each in numbers), *spent)


def _coupon(coupon: Coupon, project: ProjectSettings) -> tuple[str, ...]:
    from relationship_core.cli.show import money
    from relationship_core.cli.telling import day, last_day

    redeemed = f" {day(coupon.redeemed_at, project.zone)}" if coupon.redeemed_at else ""
    return (
        coupon.code,
        coupon.campaign,
        day(coupon.issued_at, project.zone),
        last_day(coupon.expires_at, project.zone) if coupon.expires_at else "for ever",
        coupon.state + redeemed,
        "" if coupon.revenue is None else money(coupon.revenue, project.currency),
    )
