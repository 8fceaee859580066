"""Unknown messages: their channel may have sent them. Each delivery looks whether more can be said of them by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.abandoned import Outlets, outlet_of
from relationship_core.flow.deliver.assigning import taken_tasks
from relationship_core.flow.deliver.handover import looked_up
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import RESENT, settled, was_resent, write_settled
from relationship_core.flow.message_states import QUEUED, UNKNOWN
from relationship_core.flow.tasks.keeping import keep_tasks
from relationship_core.flow.versions import kept_campaigns
from relationship_core.ports import Store

LOOKED_UP = "the channel was asked once more"
"""What is told of a message about which its channel knew more later."""


def settle_unknown(store: Store, outlets: Outlets, studio: Studio, *, followed: Collection[str]) -> None:
    """Settle unknown messages where the channel can tell by now, or as the configuration wants it.

    A channel that can look is asked again. A service message may be sent once more, marked as sent again. Whatever is
    marketing stays as it is.

    Args:
        store: where the outbox is.
        outlets: how to get each channel instance, by name.
        studio: what rendering needs; its moment is the instant.
        followed: the campaigns with follow-ups.
    """
    counts = store.count(MESSAGES, ["channel", "purpose"], where={"state": UNKNOWN})
    for name in sorted(counts["channel"].unique()):
        outlet = outlet_of(outlets, name)
        if outlet is None:
            continue
        if outlet.can_look:
            rows = _unknown(store, name)
            told = looked_up(outlet, [str(row["id"]) for row in rows], LOOKED_UP)
            _keep_looked_up(store, studio, rows, {each.message: each.state for each in told}, followed=followed)
        if outlet.settings.resend_service and "service" in counts.filter(channel=name)["purpose"]:
            _resend(store, name, studio.moment.now)


def _unknown(store: Store, channel: str, **more: str) -> Sequence[Row]:
    return store.read(MESSAGES, where={"state": UNKNOWN, "channel": channel, **more}).to_dicts()


def _keep_looked_up(
    store: Store, studio: Studio, rows: Sequence[Row], told: Mapping[str, str], *, followed: Collection[str]
) -> None:
    now = studio.moment.now
    sure = {message: state for message, state in told.items() if state != UNKNOWN}
    taken = [row for row in rows if sure.get(str(row["id"])) == "accepted"]
    tasks = taken_tasks(taken, kept_campaigns(store), store, studio, now) if taken else []
    with store.transaction():
        # Another worker may have asked at the same time, and may be sending one by now.
        still = set(store.read(MESSAGES, where={"state": UNKNOWN, "id": list(sure)}, columns=["id"])["id"])
        done = [
            settled(row, "accepted" if sure[str(row["id"])] == "accepted" else QUEUED, now, detail=LOOKED_UP)
            for row in rows
            if row["id"] in still
        ]
        if done:
            write_settled(store, done, followed=followed)
            keep_tasks(store, [task for task in tasks if task.id in still])


def _resend(store: Store, channel: str, now: datetime) -> None:
    """Queue service messages once more, each only once."""
    with store.transaction():
        again = [row for row in _unknown(store, channel, purpose="service") if not was_resent(row)]
        if again:
            write_settled(store, [settled(row, QUEUED, now, detail=f"{RESENT}, {row['detail']}") for row in again])
