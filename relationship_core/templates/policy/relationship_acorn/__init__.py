"""A policy: nobody is asked for anything in the first days after an order."""

from relationship_core import Policy, hookimpl

DAYS = 3
"""So long after an order nobody is asked."""


@hookimpl
def relationship_policies() -> tuple[Policy, ...]:
    """The policy ``acorn``, which is also the reason that people are shown."""
    import polars as pl

    over = pl.col("last_order_at") + pl.duration(days=DAYS)
    return (
        Policy(
            name="acorn",
            refuses=over > pl.col("now"),
            until=over,
            detail=pl.format("ordered on {}", pl.col("last_order_at").dt.strftime("%Y-%m-%d")),
            purposes=("marketing",),
            natures=("ask",),
            summary=f"The last order was less than {DAYS} days ago.",
        ),
    )
