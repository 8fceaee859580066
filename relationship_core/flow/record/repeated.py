"""Interactions that come again: the same once more is welcome, something else under the same id is not."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import INTERACTIONS
from relationship_core.flow.ties import NO_TIES, Ties
from relationship_core.ports import Store

COMPARED = {"customer": "customer", "kind": "kind", "at": "time", "amount": "amount", "reference": "reference"}
"""The columns that a repetition must have in common with what is kept, and what a person calls them."""

_SHOWN = 40
"""So much of an id is told."""


def contradicting(store: Store, interactions: pl.DataFrame, new: pl.DataFrame, ties: Ties = NO_TIES) -> pl.DataFrame:
    """The rows whose (source, id) is kept with other content, with one more column, ``reason``.

    Customer, kind, time, amount and reference are compared; ids that were merged are one customer. Lines and data
    are not: they are nested, comparing them costs more than all the rest, and what they say of money the amount
    says, too. Where every row is new nothing is read; otherwise only what is kept under the ids that came again.

    Args:
        store: where the rows have just been appended; inside that transaction.
        interactions: rows of INTERACTIONS, with any further columns.
        new: those that ``append`` returned.
        ties: who is who.
    """
    if new.height == interactions.height:
        return interactions.clear().with_columns(reason=pl.lit("", pl.String))
    key = list(INTERACTIONS.key)
    fresh = new.select(key).with_columns(__new=pl.lit(value=True))
    # Of ids that come twice in these rows, one may be new and the other contradict it.
    again = pl.struct(key).is_duplicated() | pl.col("__new").is_null()
    rows = interactions.join(fresh, on=key, how="left", maintain_order="left").filter(again).drop("__new")
    kept = store.kept(rows.select(key), columns=[*key, *COMPARED])
    both = rows.join(kept, on=key, how="left", suffix="__kept", maintain_order="left")
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}__kept")) for name in COMPARED}
    if ties.survivors:
        one, other = (ties.resolved(both[name]) for name in ("customer", "customer__kept"))
        # A column, not a literal: only a column stays beside its rows when they are filtered.
        both = both.with_columns(one.ne_missing(other).alias("__another"))
        differs["customer"] = pl.col("__another")
    others = [pl.when(differs[name]).then(pl.lit(f"another {told}")) for name, told in COMPARED.items()]
    return (
        both.filter(pl.any_horizontal(differs.values()))
        .with_columns(
            reason=pl.format(
                "the id '{}' of '{}' was recorded before with {}",
                pl.col("id").str.slice(0, _SHOWN),
                pl.col("source").str.slice(0, _SHOWN),
                pl.concat_str(others, separator=" and ", ignore_nulls=True),
            )
        )
        .select(*interactions.columns, "reason")
    )
