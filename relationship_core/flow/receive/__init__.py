"""Receiving: what providers, mailboxes and customers report of messages becomes events, permission and history."""

from relationship_core.flow.receive.received import Received
from relationship_core.flow.receive.receiving import receive

__all__ = ["Received", "receive"]
