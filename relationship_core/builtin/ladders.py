"""The standard ladder of loyalty, for business with consumers.

Repeat buying alone never passes client: every condition above it also asks for confidence from
evidence other than purchases.
"""

from __future__ import annotations

from relationship_core import Ladder, Stage, hookimpl

DWELL_DAYS = 30.0
"""How long a customer stays on a rung before the next move, so that nobody is moved up and down by noise."""

B2C = Ladder(
    name="b2c",
    stages=(
        Stage(name="prospect"),
        # A buyer never becomes a prospect again: who stays away keeps the stage and is marked as lapsed.
        Stage(name="customer", enter="orders >= 1", dwell_days=DWELL_DAYS),
        Stage(
            name="client",
            enter="order_days_365 >= 3 AND lapse <= 2",
            leave="lapse > 4",
            dwell_days=DWELL_DAYS,
        ),
        Stage(
            name="supporter",
            enter="attitude >= 0.65 AND attitude_confidence >= 0.3",
            leave="attitude < 0.5 OR attitude_confidence < 0.15",
            dwell_days=DWELL_DAYS,
        ),
        Stage(
            name="advocate",
            enter="support_days_365 >= 1",
            leave="public_support IS NULL OR public_support < 0.35",
            dwell_days=DWELL_DAYS,
        ),
        Stage(
            name="partner",
            enter="cocreation_days_365 >= 2",
            leave="cocreation_days_365 < 1",
            dwell_days=DWELL_DAYS,
        ),
    ),
    lapsed="lapse > 4",
)


@hookimpl
def relationship_ladders() -> tuple[Ladder, ...]:
    """The ladder ``b2c``."""
    return (B2C,)
