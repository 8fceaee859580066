"""Replies: what customers write becomes history, and a stop word ends messages to their address at once."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

import polars as pl
from attrs import evolve

from relationship_core.columns import MESSAGES, Page
from relationship_core.errors import RejectedError
from relationship_core.flow.permission.holders import holders
from relationship_core.flow.receive.consequences import suppress
from relationship_core.flow.receive.received import Received
from relationship_core.flow.receive.told import within, written
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.recording import record
from relationship_core.flow.record.suppressions import lift
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.instants import utc
from relationship_core.model.interaction import Interaction
from relationship_core.model.message import Reply
from relationship_core.model.permission import Suppression

logger = logging.getLogger(__name__)

LONGEST_TEXT = 2_000
"""So many characters of a reply are kept."""


def keep_replies(recorder: Recorder, receiver: str, replies: Sequence[Reply]) -> Received:
    """Record replies as interactions of whoever wrote them, and do at once what they ask for in set words.

    Args:
        recorder: what to work with.
        receiver: the name of the receiver instance; the source of the interactions.
        replies: the replies; the same may come again.

    Returns:
        How many were recorded, are nobody's, and cannot be kept; and how many addresses were suppressed.
    """
    suppressed = recorded = unmatched = ignored = 0
    for reply in sorted(map(_written, replies), key=lambda each: (utc(each.at), each.id)):
        if _is_known(recorder, receiver, reply):
            continue  # it was heeded before it was kept; an old word must not undo a newer one
        # Whoever it is: the address is not used any more.
        suppressed += _heeded(recorder, receiver, reply)
        customer = _writer(recorder, reply)
        if customer is None:
            unmatched += 1
            continue
        try:
            recorded += record(recorder, [_interaction(recorder, receiver, reply, customer)]).new
        except RejectedError as error:
            # Another worker may have kept it meanwhile, at another time; what nobody can keep holds nothing back.
            if not _is_known(recorder, receiver, reply):
                logger.warning("a reply that %s heard of cannot be kept: %s", receiver, type(error).__name__)
                ignored += 1
    return Received(replies=recorded, unmatched=unmatched, suppressed=suppressed, ignored=ignored)


def _written(reply: Reply) -> Reply:
    if "".join((reply.id, reply.medium, reply.address, reply.text, reply.message or "")).isascii():
        return reply
    return evolve(
        reply,
        id=written(reply.id),
        medium=written(reply.medium),
        address=written(reply.address),
        text=written(reply.text),
        message=None if reply.message is None else written(reply.message),
    )


def _is_known(recorder: Recorder, receiver: str, reply: Reply) -> bool:
    """Whether this very reply was recorded before, whatever time was told of it then."""
    sought = pl.DataFrame({"source": [receiver], "id": [reply.id]})
    return plain(recorder.store).kept(sought, columns=["id"]).height > 0


def _heeded(recorder: Recorder, receiver: str, reply: Reply) -> int:
    at = within(reply.at, recorder.clock())
    if reply.wish == "stop":
        stop = Suppression(medium=reply.medium, address=reply.address, reason="stop", at=at, source=receiver)
        return suppress(recorder, [stop])
    if reply.wish == "start":
        with contextlib.suppress(RejectedError):  # where nothing had stopped it by then
            lift(recorder, reply.medium, reply.address, scope=None, actor=receiver, reason="stop", until=at)
    return 0


def _writer(recorder: Recorder, reply: Reply) -> str | None:
    """Who wrote it: whoever got the message that it answers, or the only one who has the address."""
    store = plain(recorder.store)
    if reply.message is not None:
        asked = store.read(MESSAGES, where={"id": reply.message}, columns=["customer"])
        if asked.height:
            return str(asked["customer"][0])
    named = pl.DataFrame({"medium": [reply.medium], "address": [reply.address]})
    people = ties_of(recorder.store).resolved(holders(recorder.store, named, recorder.terms)["customer"]).unique()
    if len(people) <= 1:
        return people[0] if len(people) else None
    return _last_addressed(recorder, reply.medium, people)


def _last_addressed(recorder: Recorder, medium: str, people: pl.Series) -> str | None:
    """Of several who share an address, the one whom a message went to last."""
    sent = recorder.store.read(MESSAGES, page=Page(people.sort())).filter(
        pl.col("medium") == medium, pl.col("settled_at").is_not_null()
    )
    return str(sent.sort("settled_at", "id")["customer"][-1]) if sent.height else None


def _interaction(recorder: Recorder, receiver: str, reply: Reply, customer: str) -> Interaction:
    return Interaction(
        source=receiver,
        id=reply.id,
        customer=customer,
        kind="reply",
        at=within(reply.at, recorder.clock()),
        reference=reply.message,
        data={"text": reply.text[:LONGEST_TEXT]} if reply.text else {},
    )
