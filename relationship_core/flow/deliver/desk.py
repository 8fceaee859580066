"""A desk: one worker's place at one channel, where claimed messages are rendered and handed over one by one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.errors import RejectedError
from relationship_core.flow.deliver.permission import Gate, disturbing, stopped
from relationship_core.flow.deliver.render import Row, Studio, columns_named, known_of, rendered, variant_of
from relationship_core.flow.deliver.settling import keep_settled, settled, settled_by
from relationship_core.model.campaign import Campaign
from relationship_core.model.message import Message, Receipt
from relationship_core.ports import Channel, Lookup, Store

logger = logging.getLogger(__name__)


@frozen(kw_only=True)
class Desk:
    """One worker's place at one channel.

    Attributes:
        store: where the outbox is.
        channel: the channel.
        name: the name of its instance.
        worker: who claims messages here.
        studio: what rendering needs.
        gate: what permission is asked by.
    """

    store: Store
    channel: Channel
    name: str
    worker: str
    studio: Studio
    gate: Gate

    @property
    def now(self) -> datetime:
        """The delivery's instant."""
        return self.studio.moment.now


def prepare(
    desk: Desk, claimed: pl.DataFrame, campaigns: Mapping[tuple[str, str], Campaign], totals: Counter[str]
) -> list[tuple[Row, Message]]:
    """Render what is still to be sent; settle what is not."""
    claimed = _with_campaigns(claimed, campaigns)
    rows = claimed.to_dicts()
    held = stopped(claimed, desk.store, desk.gate, desk.now)
    waits = disturbing(claimed, desk.store, desk.gate, desk.now)
    variants = [variant_of(campaigns[row["campaign"], row["version"]], row) for row in rows]
    names = frozenset[str]().union(*(columns_named(each, desk.studio.renderer) for each in set(variants)))
    known = known_of(desk.store, desk.studio, [row["customer"] for row in rows], names)
    ready: list[tuple[Row, Message]] = []
    done: list[Row] = []
    for row, variant in zip(rows, variants, strict=True):
        campaign = campaigns[row["campaign"], row["version"]]
        if row["expires_at"] is not None and row["expires_at"] <= desk.now:
            done.append(settled(row, "expired", desk.now))
        elif row["id"] in held:
            done.append(settled(row, "stopped", desk.now, detail=held[row["id"]]))
        elif row["id"] in waits:
            done.append({**settled(row, "queued", desk.now), "not_before": waits[row["id"]]})
        else:
            try:
                message = rendered(row, variant, campaign, known[row["customer"]], desk.studio)
            except RejectedError as error:
                done.append(settled(row, "failed", desk.now, detail=str(error)))
            except Exception as error:  # noqa: BLE001  a renderer may be a plugin's, and fails this message only
                detail = f"the renderer failed with {type(error).__name__}"
                done.append(settled(row, "failed", desk.now, detail=detail))
            else:
                ready.append((row, message))
    keep_settled(desk.store, done)
    totals.update("deferred" if row["state"] == "queued" else str(row["state"]) for row in done)
    return ready


def _with_campaigns(claimed: pl.DataFrame, campaigns: Mapping[tuple[str, str], Campaign]) -> pl.DataFrame:
    """Purpose, nature and topic as their campaigns have them, where a message was queued before it kept them."""
    theirs = [campaigns[key] for key in claimed.select("campaign", "version").iter_rows()]
    return claimed.with_columns(
        pl.coalesce(name, pl.Series([getattr(each, name) for each in theirs], dtype=pl.String)).alias(name)
        for name in ("purpose", "nature", "topic")
    )


def send(desk: Desk, ready: Sequence[tuple[Row, Message]], totals: Counter[str]) -> Generator[Receipt]:
    """Send one by one; each commit keeps the last receipt and the next attempt together."""
    done: list[Row] = []
    try:
        for row, message in ready:
            keep_settled(desk.store, done, attempting=message.id)
            done = []
            receipt = _hand_over(desk, message)
            done = [settled_by(receipt, row, desk.now)]
            totals[receipt.state] += 1
            yield receipt
    finally:
        keep_settled(desk.store, done)


def _hand_over(desk: Desk, message: Message) -> Receipt:
    try:
        (receipt,) = desk.channel.send((message,))
        return _checked(receipt, message.id)
    except Exception as error:  # noqa: BLE001  the core owns every try around plugin code; what it raised is logged
        logger.warning("channel %s failed on message %s with %s", desk.name, message.id, type(error).__name__)
        return looked_up(desk.channel, message.id, f"the channel failed with {type(error).__name__}")


def _checked(receipt: object, message: str) -> Receipt:
    if not isinstance(receipt, Receipt) or receipt.message != message:
        words = "the channel answered with something else than the message's receipt"
        raise TypeError(words)
    return receipt


def looked_up(channel: Channel, message: str, detail: str) -> Receipt:
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


def release(desk: Desk, left: Sequence[tuple[Row, Message]]) -> None:
    """Put claimed messages back into the queue."""
    keep_settled(desk.store, [settled(row, "queued", desk.now) for row, _message in left])
