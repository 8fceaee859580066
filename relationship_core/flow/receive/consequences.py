"""Consequences: what was heard of messages suppresses addresses, takes back consent and becomes history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import polars as pl

from relationship_core.columns import CONSENTS, DELIVERY_EVENTS, MESSAGES, Page
from relationship_core.errors import RejectedError
from relationship_core.flow.message_states import GONE_STATES
from relationship_core.flow.permission.keys import held_back_keys
from relationship_core.flow.permission.standing import suppressions_of
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.recording import record
from relationship_core.flow.record.said import record_said
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.interaction import Interaction
from relationship_core.model.permission import Suppression, SuppressionReason

SOFT_BOUNCES, AMONG = 3, 5
"""So many of the last so many messages to an address came back: it is unreachable."""

REASONS: Mapping[str, SuppressionReason] = {"complained": "complaint", "unsubscribed": "unsubscribe"}
"""The events after which an address is not used any more as it was, whatever else they say."""

_UNSUBSCRIBED, _BOUNCED = "unsubscribed", "bounced"
_ALLOWING = ("grant", "confirm")


def draw_consequences(recorder: Recorder, receiver: str, new: pl.DataFrame, messages: pl.DataFrame) -> int:
    """Keep what follows from new events; how many addresses were suppressed.

    Args:
        recorder: what to work with.
        receiver: the name of the receiver instance.
        new: rows of DELIVERY_EVENTS, of whose message and type nothing was heard before, or that are ``said_again``.
        messages: the rows of MESSAGES that they are about.
    """
    joined = new.join(messages, left_on="message", right_on="id", suffix="_of_message", maintain_order="left")
    rows = joined.sort("at").unique(["message", "type"], keep="first", maintain_order=True).to_dicts()
    left = [each for each in rows if each["type"] == _UNSUBSCRIBED]
    if left:
        record(recorder, [_unsubscription(each, receiver) for each in left])
    suppressions = [
        *(_suppression(each, reason, receiver) for each in rows for reason in _reasons(each)),
        *_worn_out(recorder, receiver, rows),
    ]
    return suppress(recorder, suppressions)


def said_again(recorder: Recorder, again: pl.DataFrame, known: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Those of the events that are meant anew: after the last one of their kind the address or the topic was let go.

    Whoever signed up again may end it by the link of an old message. A link that is clicked twice says it once.

    Args:
        recorder: what to work with.
        again: rows of DELIVERY_EVENTS, of whose message and type something was heard before, of the types of REASONS.
        known: all that was heard of their messages.
        messages: the rows of MESSAGES that they are about.
    """
    if again.is_empty():
        return again
    before = known.select("message", "type", pl.col("at").alias("before"))
    joined = again.join(before, on=["message", "type"]).filter(pl.col("before") < pl.col("at"))
    last = joined.group_by(DELIVERY_EVENTS.key).agg(pl.col("before").max())
    told = last.join(messages, left_on="message", right_on="id").to_dicts()
    meant = [tuple(each[name] for name in DELIVERY_EVENTS.key) for each in told if _let_go(recorder, each)]
    keys = pl.DataFrame(meant, schema=DELIVERY_EVENTS.types(DELIVERY_EVENTS.key), orient="row")
    return again.join(keys, on=DELIVERY_EVENTS.key, how="semi", maintain_order="left")


def _let_go(recorder: Recorder, row: Mapping[str, Any]) -> bool:
    """Whether the customer allowed something, or the address was used again, between two events of one kind."""

    def between(instant: str) -> pl.Expr:
        return pl.col(instant).is_between(row["before"], row["at"])

    people = ties_of(recorder.store).resolved(pl.Series("customer", [row["customer"]], dtype=pl.String))
    acts = recorder.store.read(CONSENTS, page=Page(people), columns=["act", "at"])
    if acts.filter(pl.col("act").is_in(_ALLOWING), between("at")).height:
        return True
    point = {"medium": row["medium"], "address": row["address"], "country": None}
    named = pl.DataFrame([point], schema=dict.fromkeys(point, pl.String))
    kept = suppressions_of(held_back_keys(named, recorder.terms).select("medium", "key"), plain(recorder.store))
    return kept.filter(between("lifted_at")).height > 0


def suppress(recorder: Recorder, suppressions: Iterable[Suppression]) -> int:
    """Keep suppressions one by one, since an address that nobody can read holds back no other."""
    new = 0
    for each in suppressions:
        try:
            new += record_said(recorder, "suppressions", [each], Suppression).new
        except RejectedError:
            continue
    return new


def _reasons(row: Mapping[str, Any]) -> Iterator[SuppressionReason]:
    """Why the address is not used any more; what an event says itself beside what its type says."""
    by_type, said = REASONS.get(row["type"]), cast("SuppressionReason | None", row["suppression"])
    yield from dict.fromkeys(each for each in (by_type, said) if each)


def _suppression(row: Mapping[str, Any], reason: SuppressionReason, receiver: str) -> Suppression:
    topic = row["topic"] if reason == "unsubscribe" else ""
    return Suppression(
        medium=row["medium"],
        address=row["address"],
        scope=f"topic:{topic}" if topic else "",
        reason=reason,
        at=row["at"],
        source=receiver,
    )


def _unsubscription(row: Mapping[str, Any], receiver: str) -> Interaction:
    """The interaction that takes the consent back as well."""
    return Interaction(
        source=receiver,
        id=f"{row['message']}:{_UNSUBSCRIBED}:{row['at']:%Y%m%dT%H%M%S%f}",
        customer=row["customer"],
        kind="unsubscribe",
        at=row["at"],
        reference=row["message"],
        data={"topic": row["topic"]} if row["topic"] else {},
    )


def _worn_out(recorder: Recorder, receiver: str, rows: Sequence[Mapping[str, Any]]) -> list[Suppression]:
    """The addresses from which too many of the last messages came back, each for a while only."""
    soft = [each for each in rows if each["type"] == _BOUNCED and not each["suppression"]]
    came_back = frozenset(each["message"] for each in rows if each["type"] == _BOUNCED)
    worn = [each for each in soft if _came_back(recorder, each, came_back) >= SOFT_BOUNCES]
    return [_suppression(each, "soft_bounces", receiver) for each in worn]


def _came_back(recorder: Recorder, row: Mapping[str, Any], heard_now: frozenset[str]) -> int:
    """How many of the last messages to an address came back, this one and others of the same report among them."""
    store = plain(recorder.store)
    theirs = store.read(MESSAGES, page=Page.of([row["customer"]])).filter(
        pl.col("medium") == row["medium"],
        pl.col("address") == row["address"],
        pl.col("state").is_in(GONE_STATES) | (pl.col("id") == row["message"]),
    )
    last = theirs.sort(pl.coalesce("settled_at", "queued_at"), "id").tail(AMONG)["id"].to_list()
    known = store.read(DELIVERY_EVENTS, where={"message": last}, columns=["message", "type"])
    bounced = {message for message, kind in known.iter_rows() if kind == _BOUNCED}
    return len(bounced | heard_now.intersection(last))
