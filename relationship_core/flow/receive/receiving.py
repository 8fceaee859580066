"""Receiving: a request is understood by its receiver, and what it says is kept once."""

from __future__ import annotations

import logging

from attrs import evolve

from relationship_core.flow.receive.events import keep_events
from relationship_core.flow.receive.received import Received
from relationship_core.flow.receive.replies import keep_replies
from relationship_core.flow.record.recorder import Recorder
from relationship_core.model.message import DeliveryEvent
from relationship_core.model.received import Heard, RawRequest, Refusal
from relationship_core.ports import Receiver

logger = logging.getLogger(__name__)

_NOT_UNDERSTOOD, _BROKEN = 400, 500


def receive(recorder: Recorder, receiver: Receiver, name: str, request: RawRequest) -> Received:
    """Take what a request says.

    The same may come again, and in any order: it comes to the same. What is kept is kept before the answer is given, so
    that a sender who gets none sends again.

    Args:
        recorder: what to work with.
        receiver: the receiver.
        name: the name of its instance; the source of what customers did.
        request: the request.

    Raises:
        RetriableError: the store cannot be written to now.
    """
    answer = _asked(receiver, name, request)
    if isinstance(answer, Refusal):
        return Received(status=answer.status, refused=answer.reason)
    return taken(recorder, name, answer)


def taken(recorder: Recorder, name: str, heard: Heard) -> Received:
    """Keep what was heard."""
    replied = [
        DeliveryEvent(message=each.message, type="replied", at=each.at)
        for each in heard.replies
        if each.message is not None
    ]
    kept = keep_events(recorder, name, [*heard.events, *replied])
    replies = keep_replies(recorder, name, heard.replies)
    return evolve(
        replies,
        events=kept.events,
        repeated=kept.repeated,
        ignored=kept.ignored + heard.ignored + replies.ignored,
        suppressed=kept.suppressed + replies.suppressed,
    )


def _asked(receiver: Receiver, name: str, request: RawRequest) -> Heard | Refusal:
    try:
        answer: object = receiver.receive(request)
    except Exception as error:  # noqa: BLE001  the core owns every try around plugin code; what it raised is logged
        logger.warning("receiver %s failed with %s", name, type(error).__name__)
        return Refusal(status=_BROKEN, reason=f"the receiver failed with {type(error).__name__}")
    if isinstance(answer, Heard | Refusal):
        return answer
    logger.warning("receiver %s answered with %s", name, type(answer).__name__)
    return Refusal(status=_BROKEN, reason="the receiver answered with something else than what it heard")
