"""Ties: which ids are one customer now, and who is a contact of which account.

History is never rewritten: an interaction keeps the id that was reported, and so do messages, contact points and
decisions. Ties say whom they count for now. A project without merges and accounts pays one fact for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl
from attrs import field, frozen

from relationship_core.columns import ALIASES, CONTACTS, INTERACTIONS, Page
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.model.instants import EARLIEST
from relationship_core.ports import Store
from relationship_core.table import INSTANT

TIES_FACT = "ties"
"""Under this name the store keeps how often ties were changed; nothing where there never was one."""

_COUNTED: dict[str, pl.DataType | type[pl.DataType]] = {
    "member": pl.String,
    "counts_for": pl.String,
    "contact": pl.String,
    "since": INSTANT,
    "until": INSTANT,
}
_ALIAS_OF = {"customer": pl.String, "survivor": pl.String}
_JOINED: dict[str, pl.DataType | type[pl.DataType]] = {"member": pl.String, "customer": pl.String, "since": INSTANT}


def _nothing_counted() -> pl.DataFrame:
    return pl.DataFrame(schema=_COUNTED)


def _nobody_merged() -> pl.DataFrame:
    return pl.DataFrame(schema=_ALIAS_OF)


def _nobody_joined() -> pl.DataFrame:
    return pl.DataFrame(schema=_JOINED)


@frozen(kw_only=True, eq=False)
class Ties:
    """Who is who, and who belongs to whom, at one time.

    Attributes:
        version: tells one state of the ties from the next.
        survivors: for each merged id the one that it stands for now, chains followed to their end.
        merged: the same as columns ``customer`` and ``survivor``.
        joined: since when each merged id, ``member``, stands for each id up to its survivor, ``customer``.
        linked: the merged ids that had been nobody's.
        contacts: rows of CONTACTS under the ids that customers and accounts have now.
        counted: whose history counts for whom, beside everybody's own: ``member`` is an id that was reported,
            ``counts_for`` a survivor or an account, from ``since`` and before ``until``; ``contact`` is the contact
            who acted, for an account of which they are one still, else null.
        accounts: the ids of all accounts.
        people: the ids of all contacts, also those of the past.
    """

    version: str = ""
    survivors: Mapping[str, str] = field(factory=dict)
    merged: pl.DataFrame = field(factory=_nobody_merged)
    joined: pl.DataFrame = field(factory=_nobody_joined)
    linked: frozenset[str] = frozenset()
    contacts: pl.DataFrame = field(factory=CONTACTS.empty)
    counted: pl.DataFrame = field(factory=_nothing_counted)
    accounts: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()

    def survivor(self, customer: str) -> str:
        """The id that a customer has now."""
        return self.survivors.get(customer, customer)

    def resolved(self, customers: pl.Series) -> pl.Series:
        """The ids that these customers have now, in their order."""
        if not self.survivors:
            return customers
        return pl.Series(customers.name, [self.survivor(each) for each in customers], dtype=pl.String)

    def group(self, customer: str) -> tuple[str, ...]:
        """All ids of one customer: the survivor's, then the others in ascending order."""
        survivor = self.survivor(customer)
        return (survivor, *self.merged.filter(pl.col("survivor") == survivor)["customer"].sort())

    def touched_by(self, customers: Iterable[str]) -> frozenset[str]:
        """Those whose numbers rest on the history of these ids."""
        ids = pl.Series(sorted(set(customers)), dtype=pl.String)
        others = self.counted.filter(pl.col("member").is_in(ids.implode()))["counts_for"]
        return frozenset(self.survivor(each) for each in ids) | frozenset(others)


NO_TIES = Ties()
"""The ties of a project in which nobody was merged and nobody is a contact."""


def read_ties(store: Store, known: Ties | None = None) -> Ties:
    """The ties as they are now; ``known`` where they have not changed since."""
    version = read_fact(store, TIES_FACT) or ""
    if known is not None and known.version == version:
        return known
    return _tied(version, store.read(ALIASES), store.read(CONTACTS)) if version else NO_TIES


def note_change(store: Store) -> Ties:
    """Note that ties have changed, inside the transaction that changed them, and read them."""
    write_fact(store, TIES_FACT, str(int(read_fact(store, TIES_FACT) or "0") + 1))
    return read_ties(store)


def _tied(version: str, aliases: pl.DataFrame, contacts: pl.DataFrame) -> Ties:
    into = dict(aliases.select("customer", "survivor").iter_rows())
    survivors = {customer: _end_of(into, customer) for customer in into}
    merged = pl.DataFrame({"customer": list(survivors), "survivor": list(survivors.values())}, schema=_ALIAS_OF)
    links = contacts.with_columns(
        pl.Series(name, [survivors.get(each, each) for each in contacts[name]], dtype=pl.String)
        for name in ("account", "customer")
    )
    return Ties(
        version=version,
        survivors=survivors,
        merged=merged,
        joined=_joined(aliases),
        linked=frozenset(aliases.filter(pl.col("linked"))["customer"]),
        contacts=links,
        counted=_counted(merged, links),
        accounts=frozenset(links["account"]),
        people=frozenset(links["customer"]),
    )


def _end_of(into: Mapping[str, str], customer: str) -> str:
    while customer in into:
        customer = into[customer]
    return customer


def _joined(aliases: pl.DataFrame) -> pl.DataFrame:
    """An id stands for another one since the last of the merges between them."""
    # An id that had been nobody's has no past of its own: it stands for its customer's from the beginning.
    since_when = pl.when(pl.col("linked").fill_null(value=False)).then(EARLIEST).otherwise("at")
    rows_of = aliases.select("customer", "survivor", since_when).iter_rows()
    into = {customer: (survivor, at) for customer, survivor, at in rows_of}
    rows = []
    for member, (survivor, at) in into.items():
        above, since = survivor, at
        rows.append((member, above, since))
        while above in into:
            above, later = into[above]
            since = max(since, later)
            rows.append((member, above, since))
    return pl.DataFrame(rows, schema=_JOINED, orient="row")


def _counted(merged: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    nothing, never = pl.lit(None, pl.String), pl.lit(None, INSTANT)
    of_aliases = merged.select(
        pl.col("customer").alias("member"),
        pl.col("survivor").alias("counts_for"),
        nothing.alias("contact"),
        never.alias("since"),
        never.alias("until"),
    )
    people = links.select("customer").unique()
    members = pl.concat(
        [
            people.select("customer", pl.col("customer").alias("member")),
            merged.select(pl.col("survivor").alias("customer"), pl.col("customer").alias("member")),
        ]
    )
    of_contacts = links.join(members, on="customer").select(
        "member",
        pl.col("account").alias("counts_for"),
        pl.when(pl.col("until").is_null()).then("customer").alias("contact"),
        "since",
        "until",
    )
    return pl.concat([of_aliases, of_contacts])


def counting(interactions: pl.DataFrame, ties: Ties) -> pl.DataFrame:
    """Rows of INTERACTIONS under those whom they count for: the survivor, and the accounts of a contact.

    Where there is anything to tell there is one more column, ``contact``: who acted, where a row counts for an
    account and they are a contact of it still. Other columns stay.
    """
    if ties.counted.is_empty():
        return interactions
    ids = interactions["customer"].unique().implode()
    counted = ties.counted.filter(pl.col("member").is_in(ids))
    return _under_their_names(interactions, counted, ~pl.col("customer").is_in(ties.merged["customer"].implode()))


def history(store: Store, ties: Ties, page: Page) -> pl.DataFrame:
    """The interactions that count for a page's customers, under their ids; ``contact`` as in ``counting``.

    Args:
        store: the store itself.
        ties: the ties.
        page: customers, none of whom is merged into another.
    """
    if ties.counted.is_empty():
        return store.read(INTERACTIONS, page=page)
    customers = page.customers.implode()
    counted = ties.counted.filter(pl.col("counts_for").is_in(customers))
    if counted.is_empty():
        return store.read(INTERACTIONS, page=page)
    ids = pl.concat([page.customers.alias("customer"), counted["member"].alias("customer")]).unique().sort()
    return _under_their_names(store.read(INTERACTIONS, page=Page(ids)), counted, pl.col("customer").is_in(customers))


def _under_their_names(rows: pl.DataFrame, counted: pl.DataFrame, own: pl.Expr) -> pl.DataFrame:
    if counted.is_empty():
        return rows
    at, since, until = pl.col("at"), pl.col("since"), pl.col("until")
    others = rows.join(counted, left_on="customer", right_on="member", maintain_order="left").filter(
        (since.is_null() | (since <= at)) & (until.is_null() | (at < until))
    )
    if counted.select("member", "counts_for").is_duplicated().any():
        # Two ids of one contact were linked to one account: what happened counts once.
        key = [*INTERACTIONS.key, "counts_for"]
        others = others.sort("contact", nulls_last=True, maintain_order=True).unique(
            key, keep="first", maintain_order=True
        )
    named = others.with_columns(pl.col("counts_for").alias("customer"))
    mine = rows.filter(own).with_columns(pl.lit(None, pl.String).alias("contact"))
    return pl.concat([mine, named.select(mine.columns)])
