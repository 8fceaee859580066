"""A score: which share of a customer's orders comes back.

Orders and returns are counted; the share is the mean of the Beta distribution after them, where the one before is
worth ten orders of which one came back. (Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.4.) A customer
with one order and one return is thus no certain returner, and one of whom nothing is known has the prior.
"""

from collections.abc import Mapping

from relationship_core import Measure, Parameter, ScoringRule, Still, hookimpl


@hookimpl
def relationship_parameters() -> tuple[Parameter, ...]:
    """What is believed of somebody of whom nothing is known; a project may have its own in ``[parameters]``."""
    return (
        Parameter(
            name="acorn_prior_share",
            value=0.1,
            low=0.0,
            high=1.0,
            summary="The share that is expected.",
        ),
        Parameter(
            name="acorn_prior_orders",
            value=10.0,
            low=1.0,
            summary="How many orders that is worth.",
        ),
    )


@hookimpl
def relationship_measures() -> tuple[Measure, ...]:
    """The two numbers that are kept for each customer."""
    return (
        Measure(
            name="acorn_orders",
            kinds=("order",),
            combine="count",
            summary="Orders.",
        ),
        Measure(
            name="acorn_returns",
            kinds=("return",),
            combine="count",
            summary="Returns.",
        ),
    )


@hookimpl
def relationship_scores(parameters: Mapping[str, float]) -> tuple[ScoringRule, ...]:
    """The score ``acorn``; how sure it is becomes a column too."""
    import polars as pl

    share = parameters["acorn_prior_share"]
    weight = parameters["acorn_prior_orders"]
    returned = pl.col("acorn_returns").fill_null(0.0)
    # A return without an order was of one that nobody recorded.
    ordered = pl.max_horizontal(returned, pl.col("acorn_orders").fill_null(0.0))
    return (
        ScoringRule(
            name="acorn",
            value=(returned + share * weight) / (ordered + weight),
            confidence=ordered / (ordered + weight),
            evidence=("acorn_orders", "acorn_returns"),
            # Counts stay as they are while nothing happens, so that quiet customers cost nothing.
            motion=Still(),
            confidence_motion=Still(),
            summary="The share of orders that come back: (returns + prior) / (orders + prior).",
        ),
    )
