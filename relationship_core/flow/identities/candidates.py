"""Candidates: customers who may be one, because they share an address, a telephone number, or name and home.

They are found by grouping what is kept under the form in which it can be compared, never customer by customer. They
are listed with the reason; whether they are one is for a person to say, since families share telephones.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from attrs import frozen

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS
from relationship_core.flow.identities.telephones import comparable
from relationship_core.flow.normal_forms import mailbox, plain_words
from relationship_core.flow.united import plain, refreshed
from relationship_core.ports import Store

EMAIL, TELEPHONE, HOME = "the same e-mail address", "the same telephone number", "the same name and postal address"
"""Why customers are candidates, in words."""

_FOUND = {"customer": pl.String, "reason": pl.String, "key": pl.String}


@frozen(kw_only=True)
class Candidate:
    """Customers who may be one.

    Attributes:
        customers: their ids, in ascending order; accounts stand among accounts only.
        reasons: what they have in common.
    """

    customers: tuple[str, ...]
    reasons: tuple[str, ...]


@frozen(kw_only=True)
class Uncompared:
    """Somebody whose contact point could not be compared with those of others.

    Attributes:
        customer: whose it is.
        medium: which it is.
        reason: what is missing.
    """

    customer: str
    medium: str
    reason: str


@frozen(kw_only=True)
class Candidates:
    """Who may be one customer.

    Attributes:
        found: customers who share something, in ascending order of the first one's id.
        uncompared: contact points that could not be compared.
    """

    found: tuple[Candidate, ...]
    uncompared: tuple[Uncompared, ...]


def candidates(store: Store, country: str = "") -> Candidates:
    """Find customers who may be one.

    E-mail addresses are compared without regard to case; dots and what follows a plus are left as they are, since
    only the provider knows whether they matter. Telephone numbers are compared as the whole world dials them, E.164,
    with the extension. Names and postal addresses are compared without regard to case, punctuation and spacing.

    Args:
        store: where the customers are.
        country: ISO 3166-1 code of the country of telephone numbers whose customer has none; empty for none.
    """
    ties = refreshed(store)
    everybody, points = plain(store).read(CUSTOMERS, columns=["customer", "name", "country"]), _points(store)
    numbers, uncompared = comparable(points.filter(pl.col("medium") == "sms"), everybody, country)
    found = pl.concat([_by_email(points), numbers.with_columns(reason=pl.lit(TELEPHONE)).select(list(_FOUND)),
                       _by_home(points, everybody)])  # fmt: skip
    now = ties.resolved(found["customer"])
    is_account = now.is_in(sorted(ties.accounts))
    groups = (
        found.with_columns(now, is_account.alias("account"))
        .unique()
        .group_by("reason", "key", "account")
        .agg(pl.col("customer").sort())
        .filter(pl.col("customer").list.len() > 1)
        .group_by("customer")
        .agg(pl.col("reason").unique())
        .with_columns(pl.col("reason").list.sort())
        .sort("customer")
    )
    return Candidates(
        found=tuple(Candidate(customers=tuple(who), reasons=tuple(why)) for who, why in groups.iter_rows()),
        uncompared=tuple(_told(uncompared)),
    )


def _points(store: Store) -> pl.DataFrame:
    return plain(store).read(CONTACT_POINTS, columns=["customer", "medium", "address"])


def _told(uncompared: pl.DataFrame) -> Iterable[Uncompared]:
    rows = uncompared.select("customer", "reason").unique().sort("customer", "reason").iter_rows()
    return (Uncompared(customer=customer, medium="sms", reason=reason) for customer, reason in rows)


def _by_email(points: pl.DataFrame) -> pl.DataFrame:
    key = mailbox(pl.col("address")).alias("key")
    return points.filter(pl.col("medium") == "email").select("customer", pl.lit(EMAIL).alias("reason"), key)


def _by_home(points: pl.DataFrame, everybody: pl.DataFrame) -> pl.DataFrame:
    homes = points.filter(pl.col("medium") == "post").join(everybody, on="customer")
    name, home = plain_words(pl.col("name")), plain_words(pl.col("address"))
    return (
        homes.filter(name.is_not_null() & (name != ""))
        .select("customer", pl.lit(HOME).alias("reason"), pl.concat_str(name, pl.lit("\n"), home).alias("key"))
    )  # fmt: skip
