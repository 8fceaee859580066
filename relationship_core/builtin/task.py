"""The task channel: work for people, which the project itself keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core import refusal, refuse_attachments

if TYPE_CHECKING:
    from relationship_core import Message, Receipt


@frozen(kw_only=True)
class TaskSettings:
    """Settings of ``use = "task"``; there are none."""


class TaskChannel:
    """Takes every well-formed message as work for somebody.

    The task itself is kept by the core, in the transaction that keeps the receipt. So whatever dies before that has
    made no task, and a channel that begins anew has taken nothing: what was cut short is handed over again.
    """

    medium = "task"

    def __init__(self, _settings: TaskSettings) -> None:
        self._taken: set[str] = set()

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Take the messages."""
        refuse_attachments(messages)
        return [self._receipt(message) for message in messages]

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        """Those of these messages that this very channel has taken."""
        return frozenset(self._taken.intersection(messages))

    def close(self) -> None:
        """Nothing is held."""

    def _receipt(self, message: Message) -> Receipt:
        from relationship_core import Receipt

        problem = refusal(message, self.medium)
        if problem:
            return Receipt(message=message.id, state="rejected", detail=problem)
        self._taken.add(message.id)
        return Receipt(message=message.id, state="accepted")
