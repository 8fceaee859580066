"""The measure of a buying centre: which contacts of an account are in touch with us."""

from __future__ import annotations

from relationship_core import Feature, KeyedMeasure, Steps, hookimpl
from relationship_core.builtin import kinds

IN_TOUCH_DAYS = 90
"""So long after an interaction a contact counts as in touch."""

_MICROSECONDS_A_DAY = 86_400_000_000


@hookimpl
def relationship_measures() -> tuple[KeyedMeasure, ...]:
    """When each present contact of an account was last in touch."""
    import polars as pl

    window = pl.lit(float(IN_TOUCH_DAYS * _MICROSECONDS_A_DAY))
    leaves = pl.col("value") + window
    now = pl.col("now").dt.epoch("us").cast(pl.Float64)
    leaves_at = leaves.cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    touch = [kind.name for kind in kinds.relationship_interaction_kinds() if kind.direction == "inbound"]
    return (
        KeyedMeasure(
            name="contact_touch",
            kinds=(*touch, "account_contact"),
            key="contact",
            combine="max",
            value=pl.col("at").dt.epoch("us"),
            features=(
                Feature(
                    name="contacts_in_touch",
                    value=(leaves > now).sum(),
                    motion=Steps(next_change=pl.when(leaves > now).then(leaves_at).min()),
                    absent=0,
                    summary=f"Contacts of an account who were in touch within the last {IN_TOUCH_DAYS} days.",
                ),
            ),
            summary="When each present contact of an account last did something, or was called or met.",
        ),
    )
