"""The standard ladders of loyalty: for business with consumers, and for business with businesses.

Repeat buying alone never passes client: every condition above it also asks for confidence from evidence other than
purchases. An open severe complaint lets nobody up.
"""

from __future__ import annotations

from collections.abc import Mapping

from relationship_core import Ladder, Stage, hookimpl

FREEZES = "severe_complaints_open > 0"


@hookimpl
def relationship_ladders(parameters: Mapping[str, float]) -> tuple[Ladder, ...]:
    """The ladders ``b2c`` and ``b2b``, which have the same stages."""
    return (b2c(parameters), b2b(parameters))


def b2c(parameters: Mapping[str, float]) -> Ladder:
    """Consumers: by order days and their own rhythm."""
    at = _numbers(parameters)
    return Ladder(
        name="b2c",
        stages=(
            Stage(name="prospect"),
            # A buyer never becomes a prospect again: who stays away keeps the stage and is marked as lapsed.
            Stage(name="customer", enter="orders >= 1", dwell_days=parameters["dwell_days"]),
            Stage(
                name="client",
                enter=f"order_days_365 >= {at['client_order_days']} AND lapse <= {at['client_lapse']}",
                leave=f"lapse > {at['client_lapse_kept']}",
                dwell_days=parameters["dwell_days"],
            ),
            *_above_client(at, parameters["dwell_days"], partner=f"cocreation_days_365 >= {at['partner_cocreations']}"),
        ),
        lapsed=f"lapse > {at['client_lapse_kept']}",
        freezes=FREEZES,
    )


def b2b(parameters: Mapping[str, float]) -> Ladder:
    """Accounts: by a contract, or by orders with several contacts in touch."""
    at = _numbers(parameters)
    ended = f"(contract_until_at IS NULL OR now - contract_until_at > {at['contract_grace_days']})"
    silent = f"(lapse IS NULL OR lapse > {at['client_lapse_kept']})"
    buying = f"orders >= {at['client_orders']} AND lapse <= {at['client_lapse']}"
    dwell = parameters["b2b_dwell_days"]
    return Ladder(
        name="b2b",
        stages=(
            Stage(name="prospect"),
            Stage(name="customer", enter="orders >= 1 OR contract_until_at IS NOT NULL", dwell_days=dwell),
            Stage(
                name="client",
                enter=f"contract_until_at >= now OR ({buying} AND contacts_in_touch >= {at['client_contacts']})",
                leave=f"{ended} AND {silent}",
                dwell_days=dwell,
            ),
            *_above_client(
                at, dwell, partner=f"cocreation_days_365 >= {at['partner_cocreations']} OR joint_plan_days_365 >= 1"
            ),
        ),
        lapsed=f"{ended} AND lapse > {at['client_lapse_kept']}",
        freezes=FREEZES,
    )


def _above_client(at: Mapping[str, str], dwell_days: float, *, partner: str) -> tuple[Stage, ...]:
    return (
        Stage(
            name="supporter",
            enter=f"attitude >= {at['supporter_attitude']} AND attitude_confidence >= {at['supporter_confidence']}"
            " AND (loyalty IS NULL OR loyalty <> 'spurious')",
            leave=f"attitude < {at['supporter_attitude_kept']}"
            f" OR attitude_confidence < {at['supporter_confidence_kept']}",
            dwell_days=dwell_days,
        ),
        Stage(
            name="advocate",
            enter=f"support_days_365 >= 1 AND public_support >= {at['advocate_support']}",
            leave=f"public_support IS NULL OR public_support < {at['advocate_support']}",
            dwell_days=dwell_days,
        ),
        Stage(
            name="partner",
            enter=partner,
            leave="cocreation_days_365 < 1 AND joint_plan_days_365 < 1",
            dwell_days=dwell_days,
        ),
    )


def _numbers(parameters: Mapping[str, float]) -> Mapping[str, str]:
    """The parameters as conditions have them: nothing is lost, and whole numbers have no point."""
    return {name: str(int(value)) if value.is_integer() else repr(value) for name, value in parameters.items()}
