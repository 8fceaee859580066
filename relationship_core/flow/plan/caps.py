"""Caps: so many messages in a rolling window for one customer, and no more.

In the window is what has gone within it, and everything that waits. So whatever is planned before a delivery, and
whenever that comes, no window ever holds more messages than its cap: at the moment at which the last of them was
planned, all others were in it already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl

from relationship_core.config.contact import Cap
from relationship_core.flow.plan.contacts import CONTACT_AT
from relationship_core.table import INSTANT

ROOM = "room"
"""The column that holds, for each cap by its name, how many more there may be; null where it does not hold."""


def with_caps(candidates: pl.DataFrame, contacts: pl.DataFrame, caps: Mapping[str, Cap]) -> pl.DataFrame:
    """Add ``cap``, the name of a cap that is reached, ``cap_until``, when it is not any more, and ``room``.

    Where several are reached it is the one that lasts longest. ``room`` is for ``beyond_caps``.

    Args:
        candidates: with ``now``, ``purpose`` and ``medium``.
        contacts: what counts as a contact, as ``contacts_of`` gives it.
        caps: the caps by name.
    """
    if not caps:
        return candidates.with_columns(
            pl.lit(None, pl.String).alias("cap"),
            pl.lit(None, INSTANT).alias("cap_until"),
            pl.lit(None, pl.Struct({"": pl.Int64})).alias(ROOM),
        )
    names = sorted(caps)
    frame = candidates
    for number, name in enumerate(names):
        inside = _inside(candidates, contacts, caps[name])
        frame = frame.join(
            inside.rename({"left": f"left:{number}", "until": f"until:{number}"}),
            on="customer",
            how="left",
            maintain_order="left",
        ).with_columns(
            pl.when(_holds(caps[name]))
            .then(pl.col(f"left:{number}").fill_null(caps[name].count))
            .alias(f"left:{number}")
        )
    reached = [pl.when(pl.col(f"left:{number}") <= 0).then(pl.col(f"until:{number}")) for number in range(len(names))]
    latest = pl.max_horizontal(reached)
    which = pl.coalesce(pl.when(until == latest).then(pl.lit(name)) for name, until in zip(names, reached, strict=True))
    room = pl.struct(pl.col(f"left:{number}").alias(name) for number, name in enumerate(names))
    return frame.with_columns(which.alias("cap"), latest.cast(INSTANT).alias("cap_until"), room.alias(ROOM)).drop(
        f"{part}:{number}" for number in range(len(names)) for part in ("left", "until")
    )


def _holds(cap: Cap) -> pl.Expr:
    """Which messages, or candidates, a cap counts and holds back."""
    of_purpose = pl.col("purpose").fill_null("marketing").is_in(cap.purposes)
    return (of_purpose & pl.col("medium").is_in(cap.media)).fill_null(value=False) if cap.media else of_purpose


def _inside(candidates: pl.DataFrame, contacts: pl.DataFrame, cap: Cap) -> pl.DataFrame:
    """``customer``, how many more there may be, and when there may be one again."""
    window = pl.duration(days=cap.days)
    now = candidates.select(pl.col("now").first()).to_series()
    inside = contacts.filter(_holds(cap) & (pl.col(CONTACT_AT) + window > pl.lit(now).first()))
    return inside.group_by("customer").agg(
        (cap.count - pl.len().cast(pl.Int64)).alias("left"),
        # One may follow as soon as no more than all but one place is taken.
        (pl.col(CONTACT_AT).sort(descending=True).slice(cap.count - 1, 1).first() + window).alias("until"),
    )


def beyond_caps(ranked: pl.DataFrame) -> pl.Series:
    """The name of the cap that each of these would exceed, given those above it; null where there is room.

    Args:
        ranked: candidates that are to be messages, with ``customer`` and ``room``, the better claim first.
    """
    rooms = ranked[ROOM].struct.unnest()
    names = rooms.columns
    crowded = [(pl.col(name).count() > pl.col(name).min()).over("customer") for name in names]
    customers = ranked.select("customer", pl.int_range(pl.len()).alias("place:"))
    taken: Counter[tuple[str, str]] = Counter()
    full: list[str | None] = [None] * ranked.height
    for row in customers.hstack(rooms).filter(pl.any_horizontal(crowded)).iter_rows(named=True):
        holding = [name for name in names if row[name] is not None]
        refusing = next((name for name in holding if taken[row["customer"], name] >= row[name]), None)
        if refusing is None:
            taken.update((row["customer"], name) for name in holding)
        full[row["place:"]] = refusing
    return pl.Series("cap", full, dtype=pl.String)
