"""Consents: one batch of acts, kept once each; an act that takes permission back reaches every id of a customer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl

from relationship_core.columns import CONSENTS, CUSTOMERS, Page
from relationship_core.flow.permission.consents import REFUSALS
from relationship_core.flow.permission.keys import address_keys
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.record.addresses import named_address, one_address_rule
from relationship_core.flow.record.checks import sift
from relationship_core.flow.record.permission_rows import CONSENT_COLUMNS, SUPPRESSION_COLUMNS
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.spread import COPIED, SURVIVOR, kept_of_all, spread, with_survivors
from relationship_core.flow.record.suppressions import keep_suppressions
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import ties_of
from relationship_core.model.instants import utc
from relationship_core.ports import Store

_COMPARED = ("act", "at", "medium", "topic")
"""The columns in which an act that comes again must agree with what is kept under its id."""

_ORDER = "__order"


def commit_consents(recorder: Recorder, acts: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of acts of consent, and mark their customers for review.

    An act whose id is known is not kept again. Each is written under the id that was named, a withdrawal or an
    objection under every id of a merged customer; and these make a customer known whom nobody knew, so that none is
    ever lost. Such a one may be known here under another id: the address that it names is suppressed.

    Args:
        recorder: what to work with.
        acts: checked rows of consents, with any further columns.
        note: called inside the transaction with the number of new acts, and with those rows that cannot be kept, with
            one more column, ``reason``.

    Returns:
        How many were new.
    """
    store = recorder.store
    with store.transaction():
        ties = ties_of(store)
        rows = _with_ids(acts.with_row_index(_ORDER), recorder.terms)
        unknown = _of_unknown(store, rows)
        good, strangers = with_survivors(store, ties, rows, rows["act"].is_in(REFUSALS))
        good, unsold = _without_unsold(store, ties, good)
        kept = kept_of_all(store, ties, CONSENTS, good[SURVIVOR]) if good.height else _nothing()
        fresh, contradicting = _fresh(good, kept)
        if fresh.height:
            _keep(recorder, fresh, ties, kept)
            _hold_back(recorder, fresh.join(unknown, on=_ORDER, how="semi"))
        refused = pl.concat([each.select(*acts.columns, "reason") for each in (strangers, unsold, contradicting)])
        note(fresh.height, refused)
    return fresh.height


def put_consents(store: Store, rows: pl.DataFrame, ties: Ties, kept: pl.DataFrame) -> None:
    """Write acts with all columns of CONSENTS and SURVIVOR, and mark their customers for review.

    Args:
        store: where to.
        rows: the acts.
        ties: who is who.
        kept: what is kept of all ids of their customers.
    """
    written = _apart(spread(rows, ties, rows["act"].is_in(REFUSALS)), kept)
    store.put(CONSENTS, CONSENTS.conform(written).sort(CONSENTS.key))
    store.mark("review", rows[SURVIVOR].alias("customer").unique().sort())


def _apart(rows: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not kept yet; one whose id is another act's under this customer gets an id of its own."""
    key = list(CONSENTS.key)
    if kept.is_empty() and not rows.select(key).is_duplicated().any():
        return rows
    fresh = rows.join(kept, on=[*key, *_COMPARED], how="anti", nulls_equal=True, maintain_order="left")
    fresh = fresh.unique([*key, *_COMPARED], keep="first", maintain_order=True)
    shared = fresh.select(key).is_duplicated() & fresh[COPIED]
    known = fresh.select(pl.struct(key).is_in(kept.select(pl.struct(key)).to_series().implode())).to_series()
    if not (shared | known).any():
        return fresh
    content = pl.concat_str(pl.col("id", *_COMPARED).cast(pl.String).fill_null(""), separator="\x1f")
    made = [hashlib.blake2b(each.encode(), digest_size=16).hexdigest() for each in fresh.select(content).to_series()]
    renamed = pl.when(shared | known).then(pl.Series(made, dtype=pl.String)).otherwise("id").alias("id")
    return fresh.with_columns(renamed).join(kept, on=key, how="anti", maintain_order="left")


def _of_unknown(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """The refusals that name an address of somebody whom nobody knows."""
    named = rows.filter(pl.col("act").is_in(REFUSALS) & (pl.col("address") != "") & (pl.col("medium") != ""))
    known = store.read(CUSTOMERS, page=Page(named["customer"].unique().sort()), columns=["customer"])
    return named.join(known, on="customer", how="anti")


def _hold_back(recorder: Recorder, refusals: pl.DataFrame) -> None:
    """Suppress the addresses of these refusals, as far as they say; what is no address can be nobody's."""
    topic, medium = pl.col("topic"), pl.col("medium")
    said = refusals.with_columns(
        named_address(medium, pl.col("address")).alias("address"),
        pl.when(topic == "").then(pl.lit("marketing")).otherwise(pl.concat_str(pl.lit("topic:"), topic)).alias("scope"),
        pl.lit("unsubscribe").alias("reason"),
    )
    readable, _ = sift(said, [one_address_rule(medium, pl.col("address"))])
    if readable.height:
        keep_suppressions(recorder, readable.select(SUPPRESSION_COLUMNS))


def _nothing() -> pl.DataFrame:
    return CONSENTS.empty().with_columns(pl.lit("", pl.String).alias(SURVIVOR))


def _keep(recorder: Recorder, fresh: pl.DataFrame, ties: Ties, kept: pl.DataFrame) -> None:
    now = utc(recorder.clock())
    basis = pl.when((pl.col("act") == "grant") & (pl.col("basis") == "")).then(pl.lit("consent")).otherwise("basis")
    rows = fresh.with_columns(
        _hashed(recorder, fresh),
        basis.alias("basis"),
        pl.lit(now, CONSENTS.schema["recorded_at"]).alias("recorded_at"),
    )
    put_consents(recorder.store, rows, ties, kept)


def _hashed(recorder: Recorder, rows: pl.DataFrame) -> pl.Series:
    named = (rows["address"] != "").fill_null(value=False)
    if not named.any():
        return pl.repeat("", rows.height, dtype=pl.String, eager=True).alias("address_hash")
    known = recorder.store.read(CUSTOMERS, page=Page(rows[SURVIVOR].unique().sort()), columns=["customer", "country"])
    points = rows.select("medium", "address", pl.col(SURVIVOR).alias("customer")).join(
        known, on="customer", how="left", maintain_order="left"
    )
    keys = address_keys(points, recorder.terms)
    return pl.select(pl.when(named).then(keys).otherwise(pl.lit("")).alias("address_hash")).to_series()


def _with_ids(acts: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Give every act an id that has none: a keyed hash of its content."""
    if not (acts["id"] == "").any():
        return acts
    content = [name for name in CONSENT_COLUMNS if name not in {"id", "customer"}]
    texts = acts.select(
        pl.concat_str(pl.col(content).cast(pl.String).fill_null(""), separator="\x1f").alias("text")
    ).to_series()
    salt = terms.salt.encode()
    made = [hashlib.blake2b(text.encode(), digest_size=16, key=salt).hexdigest() for text in texts]
    return acts.with_columns(
        pl.when(pl.col("id") == "").then(pl.Series(made, dtype=pl.String)).otherwise("id").alias("id")
    )


def _without_unsold(store: Store, ties: Ties, acts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The acts but the soft opt-ins that rest on no recorded sale to their customer before them; and the latter."""
    soft = (pl.col("act") == "grant") & (pl.col("basis") == "soft_opt_in")
    reason = "the soft opt-in names no order of this customer that is recorded, has an amount, and is not later than it"
    told = pl.lit(reason).alias("reason")
    resting = acts.filter(soft)
    if resting.is_empty():
        return acts, acts.clear().with_columns(told)
    named = pl.col("evidence").str.splitn(":", 2).struct
    source, id = named.field("field_0").alias("source"), named.field("field_1").alias("id")
    keys = resting.select(_ORDER, SURVIVOR, source, id, pl.col("at").alias("granted_at"))
    kept = store.kept(keys.select("source", "id"), columns=["source", "id", "customer", "kind", "amount", "at"])
    orders = kept.filter((pl.col("kind") == "order") & (pl.col("amount") > 0))
    orders = orders.with_columns(ties.resolved(orders["customer"]).alias(SURVIVOR))
    sold = keys.join(orders, on=["source", "id", SURVIVOR]).filter(pl.col("at") <= pl.col("granted_at"))[_ORDER]
    unsold = soft & ~pl.col(_ORDER).is_in(sold.implode())
    return acts.filter(~unsold), acts.filter(unsold).with_columns(told)


def _fresh(acts: pl.DataFrame, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The acts whose id their customer does not have yet, each once; and those that contradict what it is.

    What one id of a merged customer allowed is no news from another one of them; what it refused is.
    """
    told = pl.lit("the id was recorded before with another act, time, medium or topic").alias("reason")
    refusal, theirs, own = pl.col("act").is_in(REFUSALS), [SURVIVOR, "id"], ["customer", "id"]
    if kept.is_empty() and not acts.select(theirs).is_duplicated().any():
        return acts, acts.clear().with_columns(told)
    single = acts.unique(own, keep="first", maintain_order=True)
    given = single.filter(~refusal).unique(theirs, keep="first", maintain_order=True).join(kept, on=theirs, how="anti")
    refused = single.filter(refusal).join(kept, on=own, how="anti")
    first = pl.concat([given, refused]).sort(_ORDER)
    again = acts.join(first, on=_ORDER, how="anti", maintain_order="left")
    columns = [SURVIVOR, *own, *_COMPARED]
    known = pl.concat([kept.select(columns), first.select(columns)])
    differing = [
        again.filter(which).join(known, on=[*key, *_COMPARED], how="anti", nulls_equal=True, maintain_order="left")
        for which, key in ((~refusal, theirs), (refusal, own))
    ]
    return first, pl.concat(differing).sort(_ORDER).with_columns(told)
