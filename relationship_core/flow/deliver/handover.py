"""Handing over: one call of a channel, and what can be said of its messages afterwards, whatever it does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from relationship_core.errors import ConfigurationError, UnsupportedError, WrongArgumentError
from relationship_core.flow.deliver.outlets import Outlet
from relationship_core.flow.message_states import FAILED
from relationship_core.model.message import Message, Receipt
from relationship_core.ports import Lookup

logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What is known of one message that was handed over.

    Attributes:
        receipt: what the channel answered, or what is said in its place.
        failed: whether the channel cannot deliver it as it is, so that it never left.
    """

    receipt: Receipt
    failed: bool = False

    @property
    def state(self) -> str:
        """What became of it, in a word."""
        return FAILED if self.failed else self.receipt.state

    @property
    def is_trouble(self) -> bool:
        """Whether it speaks against the channel, or the line to it."""
        return self.state in {"deferred", "unknown"}


class Handed(NamedTuple):
    """What came of one call.

    Attributes:
        answers: of the messages in their order; of fewer, where the rest was surely not sent.
        misconfigured: what is wrong with the credentials or the settings, so that nothing more can be sent.
    """

    answers: Sequence[Answer]
    misconfigured: str = ""


def hand_over(outlet: Outlet, messages: Sequence[Message]) -> Handed:
    """Call the channel once; or for each message alone, where it tells that one of them is not for it."""
    try:
        return Handed([Answer(each) for each in _checked(outlet.channel.send(tuple(messages)), messages)])
    except WrongArgumentError as error:  # a mistake of the plugin, which may have sent before it made it
        return Handed(_after_failure(outlet, messages, error))
    except ConfigurationError as error:
        return Handed((), str(error))
    except UnsupportedError as error:
        if len(messages) > 1:
            return _one_by_one(outlet, messages)
        return Handed([_failed(messages[0], str(error))])
    except Exception as error:  # noqa: BLE001  the core owns every try around plugin code; what it raised is logged
        return Handed(_after_failure(outlet, messages, error))


def looked_up(outlet: Outlet, messages: Sequence[str], detail: str) -> list[Receipt]:
    """What can be said of messages that may have been sent, by their ids.

    A channel that can look tells which it has, and the others are sent again. A provider that knows a message again
    by its id is simply asked again. Of any other nobody knows.
    """
    if isinstance(outlet.channel, Lookup):
        try:
            found = frozenset(outlet.channel.sent(tuple(messages)))
        except Exception as error:  # noqa: BLE001  a channel that cannot look leaves them unknown
            logger.warning("channel %s failed to look messages up with %s", outlet.name, type(error).__name__)
        else:
            return [
                Receipt(message=each, state="accepted" if each in found else "deferred", detail=detail)
                for each in messages
            ]
    if outlet.is_idempotent:
        return [Receipt(message=each, state="deferred", detail=detail) for each in messages]
    return [Receipt(message=each, state="unknown", detail=detail) for each in messages]


def _one_by_one(outlet: Outlet, messages: Sequence[Message]) -> Handed:
    """None was sent, since the channel cannot deliver one of them: which one, it tells of each alone."""
    answers: list[Answer] = []
    for message in messages:
        handed = hand_over(outlet, (message,))
        answers += handed.answers
        if handed.misconfigured:
            return Handed(answers, handed.misconfigured)
    return Handed(answers)


def _failed(message: Message, detail: str) -> Answer:
    return Answer(Receipt(message=message.id, state="rejected", detail=detail), failed=True)


def _after_failure(outlet: Outlet, messages: Sequence[Message], error: Exception) -> list[Answer]:
    name = type(error).__name__
    logger.warning(
        "channel %s failed on %d messages, from %s, with %s", outlet.name, len(messages), messages[0].id, name
    )
    ids = [message.id for message in messages]
    return [Answer(each) for each in looked_up(outlet, ids, f"the channel failed with {name}")]


def _checked(receipts: object, messages: Sequence[Message]) -> Sequence[Receipt]:
    """The receipts, one for each message in the same order.

    Raises:
        TypeError: they are something else.
    """
    answered = list(receipts) if isinstance(receipts, Sequence) else []
    right = len(answered) == len(messages) and all(
        isinstance(receipt, Receipt) and receipt.message == message.id
        for receipt, message in zip(answered, messages, strict=True)
    )
    if not right:
        words = "the channel answered with something else than a receipt for each message in their order"
        raise TypeError(words)
    return answered
