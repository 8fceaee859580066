"""The ledger: for each customer, what we gave and what we asked, and which ask has no answer yet.

The contact balance is what everybody begins with, plus our gives, minus our asks, each by its weight. What messages
gave and asked loses half of its weight in ``[ledger] half_life_days``; what was recorded as given and asked beside
them are the measures ``given`` and ``asked``, which fade by their own half-life. A message counts once it waits to be
sent, and no more once it came to nothing; one that was held out was neither a give nor an ask.

A follow-up takes the place of what its campaign asked before on the same occasion: that ask is not open for it.
"""

from __future__ import annotations

import polars as pl

from relationship_core.config.contact import LedgerSettings
from relationship_core.declarations import Measure
from relationship_core.flow.candidate_columns import STEP_AT
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.message_states import HELD_OUT
from relationship_core.flow.plan.contacts import CONTACT_AT
from relationship_core.model.validation import LONGEST_DAYS
from relationship_core.table import INSTANT

_DIGITS = 9
_ROUNDED = 10.0**-_DIGITS
"""A give and an ask of one instant and one weight leave the balance as it was, whatever became of the last digits."""
_ASKED = (pl.col("nature") == "ask") & (pl.col("state") != HELD_OUT)
_SAME_OCCASION = ("campaign", "occasion")


def with_ledger(
    candidates: pl.DataFrame, contacts: pl.DataFrame, settings: LedgerSettings, catalog: Catalog
) -> pl.DataFrame:
    """Add ``contact_balance``, ``contact_balance_until``, ``open_ask_at`` and ``open_ask_until``.

    ``contact_balance_until`` is when the balance may reach the candidate's weight by asks that fade, never too late:
    it takes gives for lasting and all asks for those that fade fastest.

    Args:
        candidates: with ``now``, ``weight``, those of LEDGER_COLUMNS that the catalog has, and ``step_at`` where there
            are follow-ups among them.
        contacts: what counts as a contact, as ``contacts_of`` gives it.
        settings: ``[ledger]``.
        catalog: every column there is.
    """
    balanced = candidates.join(
        _entries(candidates, contacts, settings), on="customer", how="left", maintain_order="left"
    )
    frame = _with_last_asks(balanced, contacts.filter(_ASKED))
    gives = pl.col("gives:").fill_null(0.0) + _number(frame, "given")
    asks = pl.col("asks:").fill_null(0.0) + _number(frame, "asked")
    # What a balance is rounded to counts for the weight, too.
    without_asks = settings.start + gives - pl.col("weight") + _ROUNDED
    wait = (asks / without_asks).log(2) * min(settings.half_life_days, _half_life(catalog))
    lifts = (asks > without_asks) & (without_asks > 0)
    asked_at = pl.max_horizontal("asked_at:", _instant(frame, "favour_open_last_at"))
    ends = asked_at + pl.duration(days=settings.ask_days)
    answered = (_instant(frame, "last_answer_at") > asked_at).fill_null(value=False)
    is_open = (ends > pl.col("now")) & ~answered
    return frame.with_columns(
        (settings.start + gives - asks).round(_DIGITS).alias("contact_balance"),
        pl.when(lifts)
        .then(pl.col("now") + pl.duration(microseconds=1) + pl.duration(days=wait.clip(0.0, LONGEST_DAYS)))
        .cast(INSTANT)
        .alias("contact_balance_until"),
        pl.when(is_open).then(asked_at).cast(INSTANT).alias("open_ask_at"),
        pl.when(is_open).then(ends).cast(INSTANT).alias("open_ask_until"),
    ).drop("gives:", "asks:", "asked_at:")


def _with_last_asks(candidates: pl.DataFrame, asks: pl.DataFrame) -> pl.DataFrame:
    """Add ``asked_at:``, when our last ask by a message was, but for those in whose place a follow-up comes."""
    last = pl.col(CONTACT_AT).max().alias("asked_at:")
    everyone = candidates.join(asks.group_by("customer").agg(last), on="customer", how="left", maintain_order="left")
    follows = pl.col(STEP_AT).is_not_null()
    if STEP_AT not in candidates.columns or not candidates.select(follows.any()).item():
        return everyone
    own = candidates.filter(follows).select("customer", *_SAME_OCCASION)
    others = (
        own.join(asks.select("customer", CONTACT_AT, pl.struct(_SAME_OCCASION).alias("of:")), on="customer")
        .filter(pl.col("of:") != pl.struct(_SAME_OCCASION))
        .group_by(own.columns)
        .agg(last.alias("others_at:"))
    )
    return (
        everyone.join(others, on=own.columns, how="left", maintain_order="left")
        .with_columns(pl.when(follows).then("others_at:").otherwise("asked_at:").alias("asked_at:"))
        .drop("others_at:")
    )


def _entries(candidates: pl.DataFrame, contacts: pl.DataFrame, settings: LedgerSettings) -> pl.DataFrame:
    """``customer``, and the gives and the asks of our messages as they weigh now."""
    now = pl.lit(candidates["now"].first(), dtype=INSTANT)
    age_days = (now - pl.col(CONTACT_AT)).clip(pl.duration()) / pl.duration(days=1)
    weighs = pl.col("weight").fill_null(0.0) * pl.lit(2.0).pow(-age_days / settings.half_life_days)
    gives = (pl.col("nature") == "give") & (pl.col("state") != HELD_OUT)
    return (
        contacts.with_columns(weighs.alias("weighs"))
        .group_by("customer")
        .agg(
            pl.col("weighs").filter(gives).sum().alias("gives:"),
            pl.col("weighs").filter(_ASKED).sum().alias("asks:"),
        )
    )


def _number(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).fill_null(0.0) if name in frame.columns else pl.lit(0.0)


def _instant(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, INSTANT)


def _half_life(catalog: Catalog) -> float:
    half_lives = (
        each.half_life_days for each in catalog.measures if isinstance(each, Measure) and each.name == "asked"
    )
    return next((days for days in half_lives if days is not None), float("inf"))
