"""Deliver: the outbox in; rendered messages handed to channels, one receipt each, out.

A message is committed as attempting before its channel is called, so that whatever dies in between leaves at
most one message per channel of which nobody knows whether it went out. Such a message is never sent again by
itself: a channel that can look afterwards settles it, otherwise it stays unknown and is listed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta

import polars as pl
from attrs import frozen

from relationship_core.columns import MESSAGES, SUPPRESSIONS
from relationship_core.errors import RejectedError
from relationship_core.flow.deliver.render import (
    Row,
    Studio,
    facts_named,
    known_facts,
    rendered,
    variant_of,
)
from relationship_core.flow.deliver.worker import is_gone, is_here, working
from relationship_core.flow.plan.circumstances import CONTACTS, address_hash
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.united import ties_of
from relationship_core.flow.versions import kept_campaigns
from relationship_core.model.campaign import Campaign
from relationship_core.model.message import Message, Receipt
from relationship_core.ports import Channel, Lookup, Store

logger = logging.getLogger(__name__)

CLAIM_SIZE = 500
LEASE = timedelta(minutes=15)
"""How long a claim lasts where nobody can tell whether its worker still runs."""
BREAKER = 5
"""So many messages deferred or unknown in a row, and the rest of the channel's messages stay queued."""
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)

_SETTLED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    name: MESSAGES.schema[name]
    for name in (
        "id",
        "state",
        "not_before",
        "worker",
        "claimed_until",
        "attempts",
        "reference",
        "detail",
        "settled_at",
    )
}


@frozen(kw_only=True)
class Delivered:
    """What became of the messages that a delivery handled.

    Attributes:
        as_of: the delivery's instant.
        accepted: the channel took them.
        rejected: the channel will never take them.
        deferred: they stay queued for later.
        unknown: the channel may have sent them; they are not sent again by themselves.
        expired: they were not worth sending any more.
        failed: they could not be rendered, or their address was suppressed after planning.
        waiting: channels whose breaker opened; the rest of their messages stays queued.
    """

    as_of: datetime
    accepted: int = 0
    rejected: int = 0
    deferred: int = 0
    unknown: int = 0
    expired: int = 0
    failed: int = 0
    waiting: tuple[str, ...] = ()


def deliver(
    store: Store,
    channels: Mapping[str, Callable[[], Channel]],
    studio: Studio,
    *,
    announce: Callable[[Sequence[Receipt]], None] | None = None,
    progress: Listener = silent,
) -> Delivered:
    """Hand every queued message that may go now to its channel.

    Args:
        store: where the outbox is.
        channels: how to get each channel instance, by name.
        studio: what rendering needs; its moment is the delivery's instant.
        announce: told the receipts of each batch after they were kept.
        progress: told how many messages are done.
    """
    totals: Counter[str] = Counter()
    waiting = []
    _settle_abandoned(store, channels, studio.moment.now, totals)
    with working() as worker:
        for name in sorted(channels):
            if not store.count(MESSAGES, ["channel"], where={"channel": name, "state": "queued"}).is_empty():
                desk = _Desk(store=store, channel=channels[name](), name=name, worker=worker, studio=studio)
                if not _empty_outbox(desk, totals, announce, progress):
                    waiting.append(name)
    return Delivered(as_of=studio.moment.now, waiting=tuple(waiting), **totals)


@frozen(kw_only=True)
class _Desk:
    """One worker's place at one channel."""

    store: Store
    channel: Channel
    name: str
    worker: str
    studio: Studio

    @property
    def now(self) -> datetime:
        return self.studio.moment.now


def _empty_outbox(
    desk: _Desk,
    totals: Counter[str],
    announce: Callable[[Sequence[Receipt]], None] | None,
    progress: Listener,
) -> bool:
    """Deliver claim by claim; False where the breaker opened."""
    campaigns = kept_campaigns(desk.store)
    trouble = 0
    while True:
        with desk.store.transaction(durable=True):
            claimed = desk.store.claim(
                worker=desk.worker, channel=desk.name, as_of=desk.now, until=desk.now + LEASE, limit=CLAIM_SIZE
            )
        if claimed.is_empty():
            return True
        ready = _prepare(desk, claimed, campaigns, totals)
        receipts = []
        with closing(_send(desk, ready, totals)) as sending:
            for receipt in sending:
                receipts.append(receipt)
                trouble = trouble + 1 if receipt.state in {"deferred", "unknown"} else 0
                if trouble >= BREAKER:
                    break
        if announce is not None and receipts:
            announce(receipts)
        progress(Progress(step="deliver", done=sum(totals.values())))
        if trouble >= BREAKER:
            _release(desk, ready[len(receipts) :])
            return False


def _prepare(
    desk: _Desk, claimed: pl.DataFrame, campaigns: Mapping[tuple[str, str], Campaign], totals: Counter[str]
) -> list[tuple[Row, Message]]:
    """Render what is still to be sent; settle what is not."""
    rows = claimed.to_dicts()
    suppressed = _suppressed(desk.store)
    variants = [variant_of(campaigns[row["campaign"], row["version"]], row) for row in rows]
    names = frozenset[str]().union(*(facts_named(each, desk.studio.renderer) for each in set(variants)))
    facts = known_facts(desk.store, desk.studio, [row["customer"] for row in rows], names)
    ready: list[tuple[Row, Message]] = []
    settled: list[Row] = []
    for row, variant in zip(rows, variants, strict=True):
        campaign = campaigns[row["campaign"], row["version"]]
        if row["expires_at"] is not None and row["expires_at"] <= desk.now:
            settled.append(_settled(row, "expired", desk.now))
        elif (row["medium"], address_hash(row["address"])) in suppressed:
            settled.append(_settled(row, "failed", desk.now, detail="the address was suppressed after planning"))
        else:
            try:
                message = rendered(row, variant, campaign, facts[row["customer"]], desk.studio)
            except RejectedError as error:
                settled.append(_settled(row, "failed", desk.now, detail=str(error)))
            except Exception as error:  # noqa: BLE001  a renderer may be a plugin's, and fails this message only
                detail = f"the renderer failed with {type(error).__name__}"
                settled.append(_settled(row, "failed", desk.now, detail=detail))
            else:
                ready.append((row, message))
    _write(desk.store, settled)
    totals.update(str(row["state"]) for row in settled)
    return ready


def _suppressed(store: Store) -> frozenset[tuple[str, str]]:
    rows = store.read(SUPPRESSIONS, columns=["medium", "address_hash"])
    return frozenset((medium, hashed) for medium, hashed in rows.iter_rows())


def _send(desk: _Desk, ready: list[tuple[Row, Message]], totals: Counter[str]) -> Generator[Receipt]:
    """Send one by one; each commit keeps the last receipt and the next attempt together."""
    settled: list[Row] = []
    try:
        for row, message in ready:
            _write(desk.store, settled, attempting=message.id)
            settled = []
            receipt = _hand_over(desk, message)
            settled = [_after_receipt(row, receipt, desk.now)]
            totals[receipt.state] += 1
            yield receipt
    finally:
        _write(desk.store, settled)


def _hand_over(desk: _Desk, message: Message) -> Receipt:
    try:
        (receipt,) = desk.channel.send((message,))
        return _checked(receipt, message.id)
    except Exception as error:  # noqa: BLE001  the core owns every try around plugin code; what it raised is logged
        logger.warning("channel %s failed on message %s with %s", desk.name, message.id, type(error).__name__)
        return _looked_up(desk.channel, message.id, f"the channel failed with {type(error).__name__}")


def _checked(receipt: object, message: str) -> Receipt:
    if not isinstance(receipt, Receipt) or receipt.message != message:
        words = "the channel answered with something else than the message's receipt"
        raise TypeError(words)
    return receipt


def _looked_up(channel: Channel, message: str, detail: str) -> Receipt:
    """What can be said of a message that may have been sent."""
    unknown = Receipt(message=message, state="unknown", detail=detail)
    if not isinstance(channel, Lookup):
        return unknown
    try:
        found = message in channel.sent((message,))
    except Exception as error:  # noqa: BLE001  a channel that cannot look leaves it unknown
        logger.warning("a channel failed to look up message %s with %s", message, type(error).__name__)
        return unknown
    return Receipt(message=message, state="accepted" if found else "deferred", detail=detail)


def _after_receipt(row: Row, receipt: Receipt, now: datetime) -> Row:
    """The message's columns after its receipt; a deferred one waits and is queued again."""
    if receipt.state != "deferred":
        return _settled(row, receipt.state, now, detail=receipt.detail, reference=receipt.reference)
    attempts = int(str(row["attempts"])) + 1
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)
    if receipt.retry_after is not None:
        delay = max(delay, timedelta(seconds=receipt.retry_after))
    again = now + delay
    return {**_settled(row, "queued", now, detail=receipt.detail), "not_before": again, "attempts": attempts}


def _settled(row: Row, state: str, now: datetime, *, detail: str = "", reference: str | None = None) -> Row:
    return {
        "id": row["id"],
        "customer": row["customer"],
        "state": state,
        "not_before": row["not_before"],
        "worker": None,
        "claimed_until": None,
        "attempts": row["attempts"],
        "reference": reference,
        "detail": detail,
        "settled_at": now if state != "queued" else None,
    }


def _write(store: Store, settled: Sequence[Row], *, attempting: str | None = None) -> None:
    if not settled and attempting is None:
        return
    with store.transaction():
        if settled:
            store.update(MESSAGES, pl.DataFrame(list(settled), schema=dict(_SETTLED)))
            _free_slots(store, settled)
        if attempting is not None:
            store.update(MESSAGES, pl.DataFrame({"id": [attempting], "state": ["attempting"]}))


def _free_slots(store: Store, settled: Sequence[Row]) -> None:
    """What came to nothing was no contact: others may have waited for that customer's slot."""
    free = pl.Series("customer", [str(row["customer"]) for row in settled if row["state"] not in CONTACTS], pl.String)
    if len(free):
        store.mark("plan", ties_of(store).resolved(free).unique().sort())


def _release(desk: _Desk, left: Sequence[tuple[Row, Message]]) -> None:
    _write(desk.store, [_settled(row, "queued", desk.now) for row, _message in left])


def _settle_abandoned(
    store: Store, channels: Mapping[str, Callable[[], Channel]], now: datetime, totals: Counter[str]
) -> None:
    """Take over what workers that are gone had claimed or were attempting."""
    for state in ("claimed", "attempting"):
        rows = [
            row for row in store.read(MESSAGES, where={"state": state}).iter_rows(named=True) if _abandoned(row, now)
        ]
        settled = [_resumed(row, channels, now) for row in rows]
        _write(store, settled)
        totals.update(str(row["state"]) for row in settled if row["state"] != "queued")


def _abandoned(row: Row, now: datetime) -> bool:
    worker, until = str(row["worker"]), row["claimed_until"]
    if is_here(worker):
        return False
    return is_gone(worker) or (isinstance(until, datetime) and until <= now)


def _resumed(row: Row, channels: Mapping[str, Callable[[], Channel]], now: datetime) -> Row:
    if row["state"] == "claimed":
        return _settled(row, "queued", now)
    detail = "its worker died while sending it"
    if row["channel"] not in channels:
        return _settled(row, "unknown", now, detail=detail)
    receipt = _looked_up(channels[str(row["channel"])](), str(row["id"]), detail)
    return _settled(row, "queued" if receipt.state == "deferred" else receipt.state, now, detail=detail)
