"""Delivering: messages are claimed, handed to their channels, and settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

from attrs import field, frozen

from relationship_core.columns import MESSAGES
from relationship_core.flow.campaigns.life import Lives, count_acts, read_lives
from relationship_core.flow.deliver.abandoned import settle_abandoned
from relationship_core.flow.deliver.desk import Desk, prepare, send
from relationship_core.flow.deliver.permission import Gate
from relationship_core.flow.deliver.present import Present
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import keep_settled, settled
from relationship_core.flow.deliver.worker import working
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.versions import kept_campaigns
from relationship_core.model.instants import utc
from relationship_core.model.message import Receipt
from relationship_core.ports import Channel, Clock, Store

CLAIM_SIZE = 500
"""So many messages are claimed, and rendered, together."""
LEASE = timedelta(minutes=15)
"""How long a claim lasts where nobody can tell whether its worker still runs."""
BREAKER = 5
"""So many messages deferred or unknown in a row, and the rest of the channel's messages stay queued."""


@frozen(kw_only=True)
class Delivered:
    """What became of the messages that a delivery handled.

    Attributes:
        as_of: the instant at which it began.
        accepted: the channel took them.
        rejected: the channel will never take them.
        deferred: they stay queued for later.
        unknown: the channel may have sent them; they are not sent again by themselves.
        expired: they were not worth sending any more.
        failed: they could not be rendered.
        stopped: permission was taken back, the goal reached, the campaign archived, or the task cancelled.
        unjudged: they stay queued, since a policy failed when it was asked once more.
        waiting: channels whose breaker opened; the rest of their messages stays queued.
        policy_failed: campaigns on whose messages a policy failed, with what happened.
        inactive: campaigns that are not active, with how many messages of theirs wait in the outbox.
        unapproved: campaigns that are, with how many wait that were planned with content that nobody approved.
    """

    as_of: datetime
    accepted: int = 0
    rejected: int = 0
    deferred: int = 0
    unknown: int = 0
    expired: int = 0
    failed: int = 0
    stopped: int = 0
    unjudged: int = 0
    waiting: tuple[str, ...] = ()
    policy_failed: Mapping[str, str] = field(factory=dict)
    inactive: Mapping[str, int] = field(factory=dict)
    unapproved: Mapping[str, int] = field(factory=dict)


def deliver(
    store: Store,
    channels: Mapping[str, Callable[[], Channel]],
    studio: Studio,
    gate: Gate,
    clock: Clock,
    *,
    announce: Callable[[Sequence[Receipt]], None] | None = None,
    progress: Listener = silent,
) -> Delivered:
    """Hand every queued message that may go now to its channel.

    What "now" is goes on with the clock: permission, quiet hours and expiry are judged anew at every claim.

    Args:
        store: where the outbox is.
        channels: how to get each channel instance, by name.
        studio: what rendering needs; its moment is the instant at which the delivery begins.
        gate: what permission is asked by, once more.
        clock: tells how much time passes while messages are sent.
        announce: told the receipts of each batch after they were kept.
        progress: told how many messages are done.
    """
    totals: Counter[str] = Counter()
    waiting = []
    halted: dict[str, str] = {}
    present = Present(as_of=studio.moment.now, since=utc(clock()), clock=clock)
    settle_abandoned(store, channels, studio, present.now, totals, followed=gate.followed)
    with working() as worker:
        for name in sorted(channels):
            if not store.count(MESSAGES, ["channel"], where={"channel": name, "state": "queued"}).is_empty():
                desk = Desk(
                    store=store,
                    channel=channels[name](),
                    name=name,
                    worker=worker,
                    studio=studio,
                    gate=gate,
                    present=present,
                    halted=halted,
                )
                if not _empty_outbox(desk, totals, announce, progress):
                    waiting.append(name)
    inactive, unapproved = _held(store, approval=gate.approval)
    return Delivered(
        as_of=studio.moment.now,
        waiting=tuple(waiting),
        policy_failed=halted,
        inactive=inactive,
        unapproved=unapproved,
        **totals,
    )


def _empty_outbox(
    desk: Desk,
    totals: Counter[str],
    announce: Callable[[Sequence[Receipt]], None] | None,
    progress: Listener,
) -> bool:
    """Deliver claim by claim; False where the breaker opened."""
    campaigns = kept_campaigns(desk.store)
    unjudged: list[Row] = []
    trouble = 0
    while True:
        now = desk.present.now
        with desk.store.transaction(durable=True):
            lives = read_lives(desk.store, approval=desk.gate.approval)
            claimed = desk.store.claim(
                worker=desk.worker,
                channel=desk.name,
                as_of=now,
                until=now + LEASE,
                limit=CLAIM_SIZE,
                held=lives.held,
            )
        if claimed.is_empty():
            keep_settled(desk.store, unjudged)
            return True
        if not campaigns.keys() >= {*claimed.select("campaign", "version").iter_rows()}:
            campaigns = kept_campaigns(desk.store)  # somebody has planned meanwhile
        ready, untold = prepare(desk, claimed, campaigns, totals, now, over=lives.archived)
        # They stay claimed while this delivery lasts: once they are queued, the next claim would take them again.
        unjudged += untold
        receipts = []
        unmoved = partial(_same_acts, desk.store, lives)
        with closing(send(desk, ready, totals, may=unmoved)) as sending:
            for receipt in sending:
                receipts.append(receipt)
                trouble = trouble + 1 if receipt.state in {"deferred", "unknown"} else 0
                if trouble >= BREAKER:
                    break
        if announce is not None and receipts:
            announce(receipts)
        progress(Progress(step="deliver", done=sum(totals.values())))
        rest = [settled(each.row, "queued", now) for each in ready[len(receipts) :]]
        if trouble >= BREAKER:
            keep_settled(desk.store, [*unjudged, *rest])
            return False
        keep_settled(desk.store, rest)


def _same_acts(store: Store, lives: Lives) -> bool:
    """Whether nothing was done with any campaign since their lives were read."""
    return count_acts(store) == lives.acts


def _held(store: Store, *, approval: bool) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many messages wait for their campaigns to be active, and how many for an approval, where there are some."""
    lives = read_lives(store, approval=approval)
    inactive: Counter[str] = Counter()
    unapproved: Counter[str] = Counter()
    for name, version, rows in store.count(MESSAGES, ["campaign", "version"], where={"state": "queued"}).iter_rows():
        if (name, version) in lives.held:
            (unapproved if lives.of(name).state == "active" else inactive)[name] += rows
    return dict(inactive), dict(unapproved)
