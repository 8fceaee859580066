"""Permission at the last moment: what was allowed when a message was planned is asked again when it is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import field, frozen

from relationship_core.columns import Page
from relationship_core.declarations import Policy
from relationship_core.flow.permission.standing import permission_of, with_keys, with_permission
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.plan.quiet import Clocks, with_quiet_hours
from relationship_core.flow.united import ties_of
from relationship_core.ports import Store

_PERMISSION = frozenset({"consent", "suppressed", "wish"})
_KNOWN = _PERMISSION | {"campaign", "action", "occasion", "purpose", "nature", "topic", "channel", "medium"}
"""What a policy may read to be asked again: the message's own columns, and at least one of permission."""


def _asked_again(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies if _rests_on_permission(policy))


def _rests_on_permission(policy: Policy) -> bool:
    if policy.refuses is None:
        return False
    named = {*policy.refuses.meta.root_names()}
    if policy.detail is not None:
        named |= {*policy.detail.meta.root_names()}
    return bool(named & _PERMISSION) and named <= _KNOWN


@frozen(kw_only=True)
class Gate:
    """What permission is asked by when a message is claimed.

    Attributes:
        terms: what permission is judged by, the same as in planning.
        policies: the policies; those that rest on permission alone are asked again.
        clocks: by which it is told whether a customer may be disturbed now.
    """

    terms: Terms
    policies: tuple[Policy, ...] = field(converter=_asked_again)
    clocks: Clocks


def stopped(messages: pl.DataFrame, store: Store, gate: Gate, now: datetime) -> Mapping[str, str]:
    """The claimed messages that may not go any more, by id, with the reason.

    Args:
        messages: rows of MESSAGES, with ``purpose``, ``nature`` and ``topic`` in every one.
        store: where permission is.
        gate: what it is asked by.
        now: the delivery's instant.
    """
    if messages.is_empty():
        return {}
    informed = _informed(messages, store, gate, now)
    reason = pl.lit(None, pl.String)
    for policy in reversed(gate.policies):
        reason = pl.when(_refuses(policy, informed)).then(_told(policy, informed)).otherwise(reason)
    found = informed.select("id", reason.alias("reason")).drop_nulls()
    return dict(found.iter_rows())


def disturbing(messages: pl.DataFrame, store: Store, gate: Gate, now: datetime) -> Mapping[str, datetime]:
    """The claimed messages that would disturb their customers now, by id, with the end of quiet hours there.

    Args:
        messages: rows of MESSAGES.
        store: where the zones and countries of customers are.
        gate: what holds by the clock.
        now: the delivery's instant.
    """
    customers = ties_of(store).resolved(messages["customer"]).alias("customer")
    addressed = messages.select("id", "medium", "address").with_columns(customers)
    told = with_quiet_hours(addressed, store=store, now=now, clocks=gate.clocks)
    return dict(told.filter(pl.col("quiet_until").is_not_null()).select("id", "quiet_until").iter_rows())


def _informed(messages: pl.DataFrame, store: Store, gate: Gate, now: datetime) -> pl.DataFrame:
    customers = ties_of(store).resolved(messages["customer"]).alias("customer")
    page = Page(customers.unique().sort())
    known = permission_of(store, page, gate.terms, now)
    places = page.customers.alias("customer").to_frame().with_row_index("place")
    rows = messages.with_columns(customers).join(places, on="customer", how="left", maintain_order="left")
    rows = with_keys(rows, known)
    informed = pl.concat(
        with_permission(part, known, topic=str(topic), purpose=str(purpose))
        for (topic, purpose), part in rows.group_by("topic", "purpose")
    )
    return informed.with_columns(known.wishes.gather(informed["place"]).alias("wish"))


def _refuses(policy: Policy, informed: pl.DataFrame) -> pl.Series:
    nobody = pl.repeat(value=False, n=informed.height, dtype=pl.Boolean, eager=True)
    if policy.refuses is None:
        return nobody
    holds = pl.col("purpose").is_in(policy.purposes) & pl.col("nature").is_in(policy.natures)
    try:
        return informed.select(pl.lit(nobody) | (policy.refuses.fill_null(value=False) & holds)).to_series()
    except Exception:  # noqa: BLE001  a policy that fails allows nothing
        return informed.select(holds).to_series()


def _told(policy: Policy, informed: pl.DataFrame) -> pl.Series:
    """The policy's name, and its detail where it has any."""
    name = pl.lit(policy.name)
    detail = pl.lit("") if policy.detail is None else policy.detail.cast(pl.String).fill_null("")
    told = pl.when(detail == "").then(name).otherwise(pl.concat_str(name, pl.lit(": "), detail))
    try:
        return informed.select(pl.repeat("", pl.len()) + told).to_series()
    except Exception as error:  # noqa: BLE001  what it raised is told by its type
        return pl.Series([f"{policy.name}: the policy failed with {type(error).__name__}"] * informed.height)
