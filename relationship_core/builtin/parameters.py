"""The numbers that the standard measures, scores and ladders are declared with.

Half-lives, priors and thresholds are choices and not findings: the constructs behind them are measured by survey in
research. Those in the set ``b2b`` are for business with businesses, which moves more slowly.
"""

from __future__ import annotations

from collections.abc import Iterator

from relationship_core import LONGEST_DAYS, Parameter, hookimpl

SHORTEST_DAYS = 30.0
"""No half-life is shorter: the sums that decay would overflow within a century."""
TINY = 1e-6
"""The least of what something is divided by."""
MOST = 1e12


@hookimpl
def relationship_parameters() -> tuple[Parameter, ...]:
    """Half-lives, priors, weights, bounds and thresholds."""
    return (*_half_lives(), *_priors(), *_weights(), *_scales(), *_cases(), *_trading(), *_fifths(), *_ladders())


def _half_lives() -> Iterator[Parameter]:
    for name, value, b2b, what in (
        ("benefit", 180.0, 365.0, "benefit"),
        ("trust", 365.0, 730.0, "trust"),
        ("commitment", 365.0, 730.0, "commitment, and of recent spend"),
        ("reciprocity", 90.0, 365.0, "what both sides give and ask"),
        ("shared_values", 730.0, 730.0, "shared values"),
        ("advocacy", 365.0, 730.0, "advocacy"),
    ):
        yield Parameter(
            name=f"{name}_half_life_days",
            value=value,
            sets={"b2b": b2b},
            low=SHORTEST_DAYS,
            high=LONGEST_DAYS,
            summary=f"Days in which the evidence of {what} loses half its weight.",
        )


def _priors() -> Iterator[Parameter]:
    for name in ("benefit", "trust", "commitment", "reciprocity", "ask_ratio"):
        yield Parameter(
            name=f"{name}_prior", value=0.5, low=0, high=1, summary=f"What {name} is taken for without evidence."
        )
    yield _number("prior_weight", 4.0, "How many events a prior is worth, and the evidence at which confidence is 0.5.")
    for kind in ("order", "visit"):
        yield _number(f"{kind}_gap_prior_days", 30.0, f"The days between {kind}s assumed of whom nothing is known.")
    yield _number("gap_prior_weight", 1.0, "How many gaps of their own the assumed one is worth.")


def _trading() -> Iterator[Parameter]:
    yield Parameter(
        name="replenish_gaps",
        value=2.0,
        low=1,
        high=100,
        summary="How many own mean gaps after its last day a category counts as given up.",
    )
    yield Parameter(
        name="co_purchase_support",
        value=20.0,
        low=2,
        high=MOST,
        summary="So many customers must have bought two categories for one of them to be proposed for the other.",
    )
    yield Parameter(
        name="co_purchase_share",
        value=0.05,
        low=0,
        high=1,
        summary="They must be such a share of the customers who bought anything: lift alone proposes what is rare.",
    )


def _weights() -> Iterator[Parameter]:
    for name, what in (
        ("praise", "praise in benefit"),
        ("promoter", "a survey answer of 9 or 10 in benefit"),
        ("redress", "a complaint put right in time in benefit"),
        ("return", "a return in benefit"),
        ("complaint", "a complaint not put right in time in benefit"),
        ("detractor", "a survey answer of 6 or less in benefit"),
        ("promise_kept", "a promise kept in trust"),
        ("answer", "an answer in time in trust"),
        ("promise_broken", "a promise broken in trust"),
        ("opportunism", "a contact after the opt-out, or a billing error, in trust"),
        ("regularity", "regularity in commitment"),
        ("tenure", "tenure in commitment"),
        ("variety", "variety in commitment"),
        ("forward", "acts that look ahead in commitment"),
    ):
        yield Parameter(name=f"{name}_weight", value=1.0, low=0, high=100, summary=f"The weight of {what}.")


def _scales() -> Iterator[Parameter]:
    yield _number("recency_half_life_days", 60.0, "The silence at which recency is 0.5.")
    yield _number("frequency_half_days", 12.0, "The order days in a year at which frequency is 0.5.")
    yield _number("monetary_half_minor", 100_000.0, "The recent spend, in minor units, at which monetary is 0.5.")
    yield _number("tenure_half_days", 365.0, "The days together at which the tenure in commitment is 0.5.")
    yield _number("variety_half_categories", 3.0, "The categories at which the variety in commitment is 0.5.")


def _cases() -> Iterator[Parameter]:
    yield _number("complaint_days", 14.0, "Days within which a complaint must be put right to be in time.")
    yield _number("answer_days", 2.0, "Days within which a question or a complaint must be answered to be in time.")


def _fifths() -> Iterator[Parameter]:
    """The bounds of RFM; `relate calibrate rfm` puts the quintiles of the project's customers in their place."""
    for name, values, what in (
        ("rfm_recency_days", (30.0, 60.0, 120.0, 240.0), "silence in days"),
        ("rfm_frequency", (1.0, 3.0, 6.0, 12.0), "order days in a year"),
        ("rfm_monetary", (2_500.0, 10_000.0, 25_000.0, 75_000.0), "recent spend in minor units"),
    ):
        for place, value in enumerate(values, 1):
            yield Parameter(
                name=f"{name}_{place}",
                value=value,
                low=0,
                high=MOST,
                summary=f"The bound between fifths {place} and {place + 1} of RFM's {what}, counted from the lowest.",
            )


def _ladders() -> Iterator[Parameter]:
    for name, value, high, what in (
        ("client_order_days", 3.0, 365, "Order days in a year that make a client."),
        ("client_lapse", 2.0, MOST, "The longest silence, in own gaps, with which somebody becomes a client."),
        ("client_lapse_kept", 4.0, MOST, "The silence, in own gaps, beyond which a client is lost and lapsed."),
        ("client_orders", 3.0, MOST, "Orders that make an account without a contract a client."),
        ("client_contacts", 2.0, MOST, "Contacts in touch that an account without a contract needs to be a client."),
        ("contract_grace_days", 90.0, MOST, "Days after the end of its contract that an account stays a client."),
        ("supporter_attitude", 0.65, 1, "The attitude that makes a supporter."),
        ("supporter_confidence", 0.3, 1, "The confidence in attitude that makes a supporter."),
        ("supporter_attitude_kept", 0.5, 1, "The attitude below which a supporter is lost."),
        ("supporter_confidence_kept", 0.15, 1, "The confidence in attitude below which a supporter is lost."),
        ("loyalty_attitude", 0.65, 1, "The attitude from which loyalty is true or latent."),
        ("advocate_support", 0.35, MOST, "The decayed public support below which an advocate is lost."),
        ("partner_cocreations", 2.0, 365, "Days of joint creation in a year that make a partner."),
    ):
        yield Parameter(name=name, value=value, low=0, high=high, summary=what)
    yield Parameter(
        name="loyalty_regularity",
        value=0.5,
        low=TINY,
        high=1,
        summary="The regularity from which loyalty is true or spurious.",
    )
    yield Parameter(name="dwell_days", value=30.0, low=0, high=MOST, summary="Shortest stay on a rung of b2c.")
    yield Parameter(name="b2b_dwell_days", value=90.0, low=0, high=MOST, summary="Shortest stay on a rung of b2b.")


def _number(name: str, value: float, summary: str) -> Parameter:
    return Parameter(name=name, value=value, low=TINY, high=MOST, summary=summary)
