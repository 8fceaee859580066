"""Permission at the last moment: what was allowed when a message was planned is asked again when it is claimed.

So is whether the customer has reached the campaign's goal since.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.columns import Page
from relationship_core.declarations import Policy
from relationship_core.flow.candidate_columns import GOAL_REACHED
from relationship_core.flow.contact.quiet import Clocks, with_quiet_hours
from relationship_core.flow.contact.verdicts import POLICY_FAILED, with_reasons
from relationship_core.flow.permission.resting import PERMISSION_COLUMNS, rests_on
from relationship_core.flow.permission.standing import permission_of, with_keys, with_permission
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.united import ties_of
from relationship_core.ports import Store
from relationship_core.table import INSTANT

_ASKED = PERMISSION_COLUMNS | {GOAL_REACHED}
"""What policies that are asked again rest on."""


def _asked_again(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """Those that rest on permission, without what they say about time: that is for planning."""
    return tuple(evolve(policy, until=None, defers=None) for policy in policies if rests_on(policy, _ASKED))


@frozen(kw_only=True)
class Gate:
    """What permission is asked by when a message is claimed.

    Attributes:
        terms: what permission is judged by, the same as in planning.
        policies: the policies; those that rest on permission alone are asked again.
        clocks: by which it is told whether a customer may be disturbed now.
        approval: whether campaigns must have been approved for their messages to go.
        followed: the campaigns with follow-ups, for which those who got a message wait in the next plan.
    """

    terms: Terms
    policies: tuple[Policy, ...] = field(converter=_asked_again)
    clocks: Clocks
    approval: bool = False
    followed: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Asked:
    """What permission says of claimed messages.

    Attributes:
        stopped: those that may not go any more, by id, with the reason.
        unjudged: those of which it is not known, since a policy failed on their campaign, by id, with what happened.
    """

    stopped: Mapping[str, str]
    unjudged: Mapping[str, str]


def asked_again(
    messages: pl.DataFrame, store: Store, gate: Gate, now: datetime, halted: MutableMapping[str, str]
) -> Asked:
    """Ask for the permission of claimed messages as it stands: whatever was refused meanwhile counts.

    Args:
        messages: rows of MESSAGES, with ``purpose``, ``nature`` and ``topic`` in every one, and ``goal_reached``.
        store: where permission is kept.
        gate: what it is asked by.
        now: the instant.
        halted: the campaigns on which a policy failed before, with what happened; those on which one fails now are
            added.
    """
    informed = _informed(messages, store, gate, now).with_columns(
        pl.lit(now, INSTANT).alias("now"), pl.lit(value=False).alias("held")
    )
    told = with_reasons(informed, gate.policies, halted).filter(pl.col("reason").is_not_null())
    failed = pl.col("reason") == POLICY_FAILED
    reason = pl.when(pl.col("detail") == "").then("reason").otherwise(pl.concat_str("reason", pl.lit(": "), "detail"))
    return Asked(
        stopped=dict(told.filter(~failed).select("id", reason).iter_rows()),
        unjudged=dict(told.filter(failed).select("id", "detail").iter_rows()),
    )


def disturbing(messages: pl.DataFrame, store: Store, gate: Gate, now: datetime) -> Mapping[str, datetime]:
    """The claimed messages that would disturb their customers now, by id, with the end of quiet hours there.

    Args:
        messages: rows of MESSAGES.
        store: where the zones and countries of customers are.
        gate: what holds by the clock.
        now: the instant.
    """
    customers = _customers(messages, store)
    addressed = messages.select("id", "medium", "address").with_columns(customers)
    told = with_quiet_hours(addressed, store=store, now=now, clocks=gate.clocks)
    return dict(told.filter(pl.col("quiet_until").is_not_null()).select("id", "quiet_until").iter_rows())


def _customers(messages: pl.DataFrame, store: Store) -> pl.Series:
    """Whose the messages are now, in their order."""
    return ties_of(store).resolved(messages["customer"]).alias("customer")


def _informed(messages: pl.DataFrame, store: Store, gate: Gate, now: datetime) -> pl.DataFrame:
    customers = _customers(messages, store)
    page = Page(customers.unique().sort())
    known = permission_of(store, page, gate.terms, now, as_it_stands=True)
    places = page.customers.alias("customer").to_frame().with_row_index("place")
    rows = messages.with_columns(customers).join(places, on="customer", how="left", maintain_order="left")
    rows = with_keys(rows, known, store)
    informed = pl.concat(
        with_permission(part, known, topic=str(topic), purpose=str(purpose))
        for (topic, purpose), part in rows.group_by("topic", "purpose")
    )
    return informed.with_columns(known.wishes.gather(informed["place"]).alias("wish"))
