"""Delivering: messages are claimed, handed to their channels, and settled."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from attrs import field, frozen

from relationship_core.columns import MESSAGES
from relationship_core.flow.campaigns.life import Lives, count_acts, read_lives
from relationship_core.flow.deliver.abandoned import Outlets, settle_abandoned
from relationship_core.flow.deliver.breaker import OpenBreaker, Streak, keep_breaker, opened, read_breaker
from relationship_core.flow.deliver.desk import Desk, prepare, send
from relationship_core.flow.deliver.epoch import NoWitness, Witness, advance, refuse_restored
from relationship_core.flow.deliver.next_variant import queue_next_variants
from relationship_core.flow.deliver.outlets import LEASE
from relationship_core.flow.deliver.pace import Pace
from relationship_core.flow.deliver.permission import Gate
from relationship_core.flow.deliver.portions import Portion
from relationship_core.flow.deliver.present import Present
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import release
from relationship_core.flow.deliver.unknown import settle_unknown
from relationship_core.flow.deliver.waiting import waiting
from relationship_core.flow.deliver.worker import working
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.versions import kept_campaigns
from relationship_core.model.instants import utc
from relationship_core.model.message import Receipt
from relationship_core.ports import Clock, Store

if TYPE_CHECKING:
    import polars as pl


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
        failed: they could not be rendered, or their channel cannot deliver them as they are.
        stopped: permission was taken back, the goal reached, the campaign archived, or the task cancelled.
        unjudged: they stay queued, since a policy failed when it was asked once more.
        waiting: channels that are left alone after too much trouble, each with until when.
        misconfigured: channels whose credentials or settings are wrong, with what to change.
        policy_failed: campaigns on whose messages a policy failed, with what happened.
        inactive: campaigns that are not active, with how many messages of theirs wait in the outbox.
        unapproved: campaigns that are, with how many wait that were planned with content that nobody approved.
        left: how many messages are left in the outbox, by what they wait for: ``campaign``, ``time``, ``breaker``,
            ``settings``, ``policy``, ``channel``, ``worker``, ``turn``; nothing where all are in a final state.
        next_at: when the first of those that wait for their time may go; None where none does.
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
    waiting: Mapping[str, datetime] = field(factory=dict)
    misconfigured: Mapping[str, str] = field(factory=dict)
    policy_failed: Mapping[str, str] = field(factory=dict)
    inactive: Mapping[str, int] = field(factory=dict)
    unapproved: Mapping[str, int] = field(factory=dict)
    left: Mapping[str, int] = field(factory=dict)
    next_at: datetime | None = None


def deliver(
    store: Store,
    outlets: Outlets,
    studio: Studio,
    gate: Gate,
    clock: Clock,
    *,
    witness: Witness | None = None,
    suppress: Callable[[Sequence[Row]], object] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
    announce: Callable[[Sequence[Receipt]], None] | None = None,
    progress: Listener = silent,
) -> Delivered:
    """Hand every queued message that may go now to its channel.

    What "now" is goes on with the clock: permission, quiet hours and expiry are judged anew at every claim.

    Args:
        store: where the outbox is.
        outlets: how to get each channel instance, by name.
        studio: what rendering needs; its moment is the instant at which the delivery begins.
        gate: what permission is asked by, once more.
        clock: tells how much time passes while messages are sent.
        witness: what remembers outside of the store how often was claimed.
        suppress: keeps suppressions of addresses that will never work, inside a transaction.
        wait: waits for so many seconds, where a channel has a rate.
        announce: told the receipts of each batch after they were kept.
        progress: told how many messages are done.

    Raises:
        RejectedError: the store was restored from a backup.
    """
    witness = witness or NoWitness()
    refuse_restored(store, witness)
    totals: Counter[str] = Counter()
    halted: dict[str, str] = {}
    open_until: dict[str, datetime] = {}
    misconfigured: dict[str, str] = {}
    present = Present(as_of=studio.moment.now, since=utc(clock()), clock=clock)
    tell = _Telling(totals, announce, progress)
    claims = 0
    with working() as worker:
        settle_abandoned(store, outlets, studio, present.now, totals, worker=worker, followed=gate.followed)
        settle_unknown(store, outlets, studio, followed=gate.followed)
        turns = deque(sorted(outlets))
        while turns:
            name = turns.popleft()
            if store.count(MESSAGES, ["channel"], where={"channel": name, "state": "queued"}).is_empty():
                continue
            outlet = outlets[name]()
            desk = Desk(
                store=store,
                outlet=outlet,
                pace=Pace(outlet.settings.rate, burst=outlet.call_size, clock=clock, wait=wait),
                streak=Streak(outlet.settings.breaker),
                portion=Portion(outlet),
                worker=worker,
                studio=studio,
                gate=gate,
                present=present,
                halted=halted,
                suppress=suppress,
            )
            ended = _empty_outbox(desk, outlets, witness, tell)
            claims += ended.claims
            if ended.open_until is not None:
                open_until[name] = ended.open_until
            if ended.misconfigured:
                misconfigured[name] = ended.misconfigured
            # A channel that comes before in the alphabet has had its turn.
            turns.extend(sorted(ended.passed_on - {*turns, *open_until, *misconfigured}))
        if claims:
            # What was sent in the last claim is told from what a backup has that was made in the middle of it.
            witness.write(_next_epoch(store))
    left = waiting(
        store,
        read_lives(store, approval=gate.approval),
        present.now,
        channels=outlets,
        open_until=open_until,
        misconfigured=misconfigured,
        halted=halted,
    )
    return Delivered(
        as_of=studio.moment.now,
        waiting=open_until,
        misconfigured=misconfigured,
        policy_failed=halted,
        inactive=left.inactive,
        unapproved=left.unapproved,
        left=left.reasons,
        next_at=left.next_at,
        **totals,
    )


class _Telling(NamedTuple):
    """What counts, and who is told."""

    totals: Counter[str]
    announce: Callable[[Sequence[Receipt]], None] | None
    progress: Listener


class _Ended(NamedTuple):
    """How it ended at one channel.

    Attributes:
        claims: after how many claims.
        passed_on: the channels that have messages now which this one rejected.
        open_until: until when it is left alone.
        misconfigured: what is wrong with its credentials or settings.
    """

    claims: int
    passed_on: frozenset[str] = frozenset()
    open_until: datetime | None = None
    misconfigured: str = ""


class _Claim(NamedTuple):
    """Messages that were claimed together; of a channel whose breaker was open, one to try it with."""

    messages: pl.DataFrame
    lives: Lives
    now: datetime
    epoch: int
    breaker: OpenBreaker | None


def _empty_outbox(desk: Desk, outlets: Outlets, witness: Witness, tell: _Telling) -> _Ended:
    """Deliver claim by claim, until nothing more may go."""
    campaigns = kept_campaigns(desk.store)
    unjudged: list[Row] = []
    claims = 0
    passed_on: frozenset[str] = frozenset()
    try:
        while True:
            claim = _claim(desk)
            if isinstance(claim, OpenBreaker):
                return _Ended(claims, passed_on, open_until=claim.until)
            if claim.messages.is_empty():
                return _Ended(claims, passed_on)
            claims += 1
            witness.write(claim.epoch)
            if not campaigns.keys() >= {*claim.messages.select("campaign", "version").iter_rows()}:
                campaigns = kept_campaigns(desk.store)  # somebody has planned meanwhile
            ready, untold = prepare(desk, claim.messages, campaigns, tell.totals, claim.now, over=claim.lives.archived)
            # They stay claimed while this delivery lasts: once they are queued, the next claim would take them again.
            unjudged += untold
            may = partial(_same_acts, desk.store, claim.lives)
            sent = send(desk, ready, tell.totals, until=claim.now + LEASE, may=may)
            release(desk.store, sent.rest, desk.worker, claim.now)
            passed_on |= queue_next_variants(sent.rejected, campaigns, desk.store, outlets, desk.gate, now=claim.now)
            open_until = _keep_breaker(desk, claim, learned=bool(sent.receipts))
            desk.portion.note(claim.messages.height, (desk.present.now - claim.now).total_seconds())
            if tell.announce is not None and sent.receipts:
                tell.announce(sent.receipts)
            tell.progress(Progress(step="deliver", done=sum(tell.totals.values())))
            if sent.misconfigured or open_until is not None:
                return _Ended(claims, passed_on, open_until, sent.misconfigured)
    finally:
        release(desk.store, unjudged, desk.worker, desk.present.now)


def _claim(desk: Desk) -> _Claim | OpenBreaker:
    """Claim what may go next, durably; or the breaker that leaves the channel alone.

    An open breaker whose time has come lets one message through. It is kept as open for longer before that one goes,
    so that of several workers one alone tries the channel, and one that dies of it leaves it alone.
    """
    store, name, now = desk.store, desk.outlet.name, desk.present.now
    with store.transaction(durable=True):
        breaker = read_breaker(store, name) if desk.outlet.settings.breaker else None
        if breaker is not None and breaker.until > now:
            return breaker
        lives = read_lives(store, approval=desk.gate.approval)
        messages = store.claim(
            worker=desk.worker,
            channel=name,
            as_of=now,
            until=now + LEASE,
            limit=1 if breaker is not None else desk.portion.size,
            held=lives.held,
        )
        if messages.is_empty():
            return _Claim(messages, lives, now, 0, breaker)
        if breaker is not None:
            keep_breaker(store, name, opened(name, breaker, now))
        return _Claim(messages, lives, now, advance(store), breaker)


def _keep_breaker(desk: Desk, claim: _Claim, *, learned: bool) -> datetime | None:
    """Open or close the breaker by what the messages of a claim have told; until when, where it is open."""
    store, name, now = desk.store, desk.outlet.name, desk.present.now
    before = claim.breaker
    if before is None and not desk.streak.is_too_long:
        return None
    if before is None or (learned and desk.streak.is_trouble):
        after: OpenBreaker | None = opened(name, before, now)
    else:
        after = None if learned else before  # no message came to the channel: the next one tries it
    with store.transaction():
        keep_breaker(store, name, after)
    return after.until if after is not None and after is not before else None


def _next_epoch(store: Store) -> int:
    with store.transaction(durable=True):
        return advance(store)


def _same_acts(store: Store, lives: Lives) -> bool:
    """Whether nothing was done with any campaign since their lives were read."""
    return count_acts(store) == lives.acts
