"""Verdicts: each policy may refuse, or make a message wait; and what is decided in the end."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import polars as pl

from relationship_core.columns import DECISIONS
from relationship_core.declarations import Policy
from relationship_core.flow.candidate_columns import CHANGES_AT, KEYS
from relationship_core.table import INSTANT

DUE = "due"
"""The reason of a planned engagement."""
HELD_OUT = "held_out"
"""The verdict and the reason of one that is left out, to see what the campaign causes."""
NOTHING_DUE = "nothing_due"
"""The reason for a customer in the audience without an occasion."""
POLICY_FAILED = "policy_failed"
"""The reason of one whose campaign was stopped, since a policy failed on its candidates."""
IN_VAIN = "expires before it may be sent"
"""The detail of an engagement that would have to wait beyond its expiry."""


_VERDICT = ("reason", "detail", "until", "not_before", "waits")
_NO_TEXT = pl.lit(None, dtype=pl.String)
_NEVER = pl.lit(None, dtype=INSTANT)


def with_reasons(
    candidates: pl.DataFrame, policies: tuple[Policy, ...], stopped: MutableMapping[str, str]
) -> pl.DataFrame:
    """Add what the policies say.

    A policy that lets an engagement wait until it has expired, or longer, refuses it.

    Adds ``reason``, ``detail`` and ``until`` of the first policy that refuses, where a null reason passed them all,
    ``not_before``: the latest instant until which a policy lets the message wait, or now, and ``waits``: what that
    policy tells people about it.

    What this very plan has put in the outbox before (``held``) stays there, whatever policies say. A policy that
    fails stops the campaigns that it fails for, and no other.

    Args:
        candidates: candidates with their circumstances.
        policies: the policies, in order.
        stopped: the campaigns that were stopped in this plan, with the reason; those that are stopped here are added.
    """
    running = candidates.filter(~_is_stopped(stopped))
    try:
        judged = [_judged(running, policies)]
    except Exception:  # noqa: BLE001  the core owns every try around plugin code; the campaigns tell what it was
        judged = []
        for (campaign,), part in running.partition_by("campaign", as_dict=True, maintain_order=True).items():
            try:
                judged.append(_judged(part, policies))
            except Exception as error:  # noqa: BLE001  as above; it stops this campaign only
                stopped[str(campaign)] = _trouble(part, policies, error)
    return pl.concat([*judged, _halted(candidates.filter(_is_stopped(stopped)), stopped)])


def _is_stopped(stopped: MutableMapping[str, str]) -> pl.Expr:
    return pl.col("campaign").is_in(list(stopped))


def _halted(candidates: pl.DataFrame, stopped: MutableMapping[str, str]) -> pl.DataFrame:
    """Candidates of stopped campaigns, each with its campaign's trouble for a detail."""
    held = pl.col("held")
    trouble = pl.col("campaign").replace_strict(dict(stopped), default="", return_dtype=pl.String)
    return candidates.with_columns(
        pl.when(~held).then(pl.lit(POLICY_FAILED)).alias("reason"),
        pl.when(held).then(pl.lit("")).otherwise(trouble).alias("detail"),
        _NEVER.alias("until"),
        pl.col("now").alias("not_before"),
        pl.lit("").alias("waits"),
    )


def each_verdict(candidates: pl.DataFrame, policies: tuple[Policy, ...]) -> list[pl.DataFrame]:
    """What each policy says by itself, whatever the ones before it say.

    A frame for each policy, with a row for each candidate: KEYS, ``now``, what ``with_reasons`` adds, and ``applies``:
    whether the policy holds for the candidate's purpose and nature. Nothing is ``held``.

    Args:
        candidates: candidates with their circumstances.
        policies: the policies, in order.
    """
    names = (*KEYS, "now")
    free = candidates.with_columns(held=pl.lit(value=False))
    said = [{**_verdict((policy,)), "applies": holds_for(policy)} for policy in policies]
    numbered = [expr.alias(f"{name}:{place}") for place, each in enumerate(said) for name, expr in each.items()]
    try:
        told = free.select(*names, *numbered)
    except Exception:  # noqa: BLE001  a policy may be a plugin's; each by itself tells which of them fails
        return [
            with_reasons(free, (policy,), {}).select(*names, *_VERDICT, holds_for(policy).alias("applies"))
            for policy in policies
        ]
    return [
        told.select(*names, *(pl.col(f"{name}:{place}").alias(name) for name in (*_VERDICT, "applies")))
        for place in range(len(policies))
    ]


def _judged(candidates: pl.DataFrame, policies: tuple[Policy, ...]) -> pl.DataFrame:
    return candidates.with_columns(expr.alias(name) for name, expr in _verdict(policies).items())


def _verdict(policies: tuple[Policy, ...]) -> Mapping[str, pl.Expr]:
    """The columns of _VERDICT: what these policies say together."""
    reason, detail, until = _NO_TEXT, pl.lit(""), _NEVER
    waits, told = [pl.col("now")], [pl.lit("")]
    for policy in reversed(policies):
        if policy.defers is not None:
            later = pl.when(holds_for(policy)).then(policy.defers).cast(INSTANT)
            waits.append(later)
            told.insert(0, pl.when(later == pl.max_horizontal(waits)).then(_detail_of(policy)).cast(pl.String))
            in_vain = (later >= pl.col("expires_at")).fill_null(value=False) & ~pl.col("held")
            reason = pl.when(in_vain).then(pl.lit(policy.name)).otherwise(reason)
            detail = pl.when(in_vain).then(pl.lit(IN_VAIN)).otherwise(detail)
            until = pl.when(in_vain).then(_NEVER).otherwise(until)
        if policy.refuses is not None:
            refuses = policy.refuses.fill_null(value=False) & holds_for(policy) & ~pl.col("held")
            reason = pl.when(refuses).then(pl.lit(policy.name)).otherwise(reason)
            detail = pl.when(refuses).then(_detail_of(policy)).otherwise(detail)
            own_until = policy.until if policy.until is not None else _NEVER
            until = pl.when(refuses).then(own_until).otherwise(until)
    columns = (
        reason.cast(pl.String),
        detail.cast(pl.String).fill_null(""),
        until.cast(INSTANT),
        pl.max_horizontal(waits),
        pl.coalesce(told),
    )
    return dict(zip(_VERDICT, columns, strict=True))


def _detail_of(policy: Policy) -> pl.Expr:
    return policy.detail if policy.detail is not None else pl.lit("")


def holds_for(policy: Policy) -> pl.Expr:
    """Whether a policy holds for a candidate's purpose and nature."""
    return pl.col("purpose").is_in(policy.purposes) & pl.col("nature").is_in(policy.natures)


def _trouble(part: pl.DataFrame, policies: tuple[Policy, ...], error: Exception) -> str:
    names = [policy.name for policy in policies if failure_of(part, policy) is not None]
    which = " or ".join(repr(name) for name in names) or "of some plugin"
    return f"the policy {which} failed with {type(error).__name__}"


def failure_of(candidates: pl.DataFrame, policy: Policy) -> Exception | None:
    """What a policy raises on these candidates; None where it works."""
    try:
        _judged(candidates, (policy,))
    except Exception as error:  # noqa: BLE001  what it raised is told by its type
        return error
    return None


def decisions(judged: pl.DataFrame) -> pl.DataFrame:
    """Rows of DECISIONS.

    A refusal is looked at again when it may lift, when what it rests on may change, and when the occasion expires.
    """
    skipped = ~pl.col("reason").is_in([DUE, HELD_OUT])
    over = (pl.col("expires_at") <= pl.col("now")).fill_null(value=False)
    again = pl.min_horizontal("until", *(pl.when(~over).then(name) for name in ("expires_at", CHANGES_AT)))
    return judged.select(
        "campaign",
        "action",
        "customer",
        "occasion",
        pl.when(skipped)
        .then(pl.lit("skipped"))
        .when(pl.col("reason") == HELD_OUT)
        .then(pl.lit(HELD_OUT))
        .otherwise(pl.lit("planned"))
        .alias("verdict"),
        "reason",
        "detail",
        pl.when(skipped).then(again).cast(INSTANT).alias("until"),
        pl.col("now").alias("at"),
    ).select(list(DECISIONS.schema))


def nothing_due(idle: pl.DataFrame) -> pl.DataFrame:
    """Rows of DECISIONS for candidates without an occasion."""
    return decisions(
        idle.with_columns(pl.lit(NOTHING_DUE).alias("reason"), pl.lit("").alias("detail"), _NEVER.alias("until"))
    )
