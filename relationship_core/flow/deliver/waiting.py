"""Waiting: what is left in the outbox when a delivery is over, and what each message waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from attrs import field, frozen

from relationship_core.columns import MESSAGES
from relationship_core.flow.campaigns.life import Lives
from relationship_core.flow.message_states import GOING_STATES, QUEUED
from relationship_core.ports import Store

_BY = ("channel", "campaign", "version", "not_before")


@frozen(kw_only=True)
class Waiting:
    """How many messages are left, by what they wait for.

    Attributes:
        reasons: ``campaign``: that theirs is active, or its content approved; ``time``: that it comes, since the
            channel deferred them or somebody must not be disturbed; ``breaker``: that their channel may be tried again;
            ``settings``: that somebody mends its credentials or settings; ``policy``: that a failing policy is mended;
            ``channel``: that it is configured; ``worker``: another delivery is at them, or has left them; ``turn``: the
            next delivery.
        next_at: when the first of those that wait for their time may go.
        inactive: campaigns that are not active, with how many wait for them.
        unapproved: campaigns that are, with how many wait that were planned with content that nobody approved.
    """

    reasons: Mapping[str, int]
    next_at: datetime | None
    inactive: Mapping[str, int] = field(factory=dict)
    unapproved: Mapping[str, int] = field(factory=dict)


def waiting(
    store: Store,
    lives: Lives,
    now: datetime,
    *,
    channels: Collection[str],
    open_until: Collection[str],
    misconfigured: Collection[str],
    halted: Collection[str],
) -> Waiting:
    """Count what is left.

    Args:
        store: where the outbox is.
        lives: the lives of the campaigns.
        now: the instant.
        channels: the channels that are configured.
        open_until: those whose breaker is open.
        misconfigured: those whose credentials or settings are wrong.
        halted: the campaigns on which a policy failed.
    """
    reasons: Counter[str] = Counter()
    inactive: Counter[str] = Counter()
    unapproved: Counter[str] = Counter()
    next_at: datetime | None = None
    left = store.count(MESSAGES, _BY, where={"state": QUEUED}).select(*_BY, "rows")
    for channel, campaign, version, not_before, rows in left.iter_rows():
        if (campaign, version) in lives.held:
            (unapproved if lives.of(campaign).state == "active" else inactive)[campaign] += rows
            reasons["campaign"] += rows
        elif not_before is not None and not_before > now:
            next_at = min(next_at or not_before, not_before)
            reasons["time"] += rows
        elif channel not in channels:
            reasons["channel"] += rows
        elif channel in misconfigured:
            reasons["settings"] += rows
        elif channel in open_until:
            reasons["breaker"] += rows
        else:
            reasons["policy" if campaign in halted else "turn"] += rows
    going = sum(store.count(MESSAGES, ["state"], where={"state": GOING_STATES})["rows"])
    if going:
        reasons["worker"] = going
    return Waiting(reasons=reasons, next_at=next_at, inactive=inactive, unapproved=unapproved)
