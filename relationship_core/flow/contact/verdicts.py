"""Verdicts: each policy may refuse, or make a message wait; and what is decided in the end."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import get_args

import polars as pl

from relationship_core.columns import DECISIONS
from relationship_core.declarations import Policy
from relationship_core.flow.candidate_columns import CHANGES_AT, KEYS
from relationship_core.model.interaction import Nature
from relationship_core.model.words import Purpose
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
    try:
        asked = free.with_columns(_asked(policies))
        told = asked.select(*names, *(expr for place, policy in enumerate(policies) for expr in _alone(place, policy)))
    except Exception:  # noqa: BLE001  a policy may be a plugin's; each by itself tells which of them fails
        return [
            with_reasons(free, (policy,), {}).select(*names, *_VERDICT, holds_for(policy).alias("applies"))
            for policy in policies
        ]
    return [
        told.select(*names, *(pl.col(f"{name}:{place}").alias(name) for name in (*_VERDICT, "applies")))
        for place in range(len(policies))
    ]


def _alone(place: int, policy: Policy) -> list[pl.Expr]:
    """What the policy in this place says by itself, each column with the place after its name."""
    numbered = ((place, policy),)
    verdict = _verdict(numbered, _ruling(numbered), _latest(numbered))
    return [expr.alias(f"{name}:{place}") for name, expr in {**verdict, "applies": holds_for(policy)}.items()]


def _judged(candidates: pl.DataFrame, policies: tuple[Policy, ...]) -> pl.DataFrame:
    """Candidates with the columns of _VERDICT: what these policies say together.

    In three queries, so that each policy is asked once: polars works out again what stands in one query twice.
    """
    numbered = tuple(enumerate(policies))
    asked = candidates.with_columns(_asked(policies))
    ruled = asked.with_columns(_ruling(numbered).alias("the ruling"), _latest(numbered).alias("the latest"))
    verdict = _verdict(numbered, pl.col("the ruling"), pl.col("the latest"))
    told = ruled.with_columns(expr.alias(name) for name, expr in verdict.items())
    return told.drop(ruled.columns[candidates.width :])


def _asked(policies: tuple[Policy, ...]) -> list[pl.Expr]:
    """Whether each policy refuses, and until when it would wait; the columns have the policy's place in their names."""
    asked = []
    for place, policy in enumerate(policies):
        if policy.refuses is not None:
            refuses = policy.refuses.fill_null(value=False) & holds_for(policy) & ~pl.col("held")
            asked.append(refuses.alias(f"refuses {place}"))
        if policy.defers is not None:
            asked.append(pl.when(holds_for(policy)).then(policy.defers).cast(INSTANT).alias(f"later {place}"))
    return asked


def _ruling(numbered: Sequence[tuple[int, Policy]]) -> pl.Expr:
    """What settles a candidate: twice the place of the first policy that refuses, one more if it would wait in vain."""
    rulings = []
    for place, policy in numbered:
        if policy.refuses is not None:
            rulings.append(pl.when(f"refuses {place}").then(pl.lit(2 * place, dtype=pl.Int32)))
        if policy.defers is not None:
            in_vain = (pl.col(f"later {place}") >= pl.col("expires_at")) & ~pl.col("held")
            rulings.append(pl.when(in_vain).then(pl.lit(2 * place + 1, dtype=pl.Int32)))
    return pl.coalesce(rulings) if rulings else pl.lit(None, dtype=pl.Int32)


def _latest(numbered: Sequence[tuple[int, Policy]]) -> pl.Expr:
    """The latest instant until which a policy lets the message wait, or now."""
    return pl.max_horizontal("now", *(f"later {place}" for place, policy in numbered if policy.defers is not None))


def _verdict(numbered: Sequence[tuple[int, Policy]], ruling: pl.Expr, not_before: pl.Expr) -> Mapping[str, pl.Expr]:
    """The columns of _VERDICT, of the policies in their places and what _ruling and _latest tell of them."""
    reason, detail, until, told = _NO_TEXT, pl.lit(""), _NEVER, pl.lit("")
    for place, policy in reversed(numbered):
        refused, in_vain = ruling == 2 * place, ruling == 2 * place + 1
        if policy.defers is not None:
            reason = pl.when(in_vain).then(pl.lit(policy.name)).otherwise(reason)
            detail = pl.when(in_vain).then(pl.lit(IN_VAIN)).otherwise(detail)
            decides = pl.col(f"later {place}") == not_before
            told = pl.when(decides).then(_detail_of(policy)).otherwise(told)
        if policy.refuses is not None:
            reason = pl.when(refused).then(pl.lit(policy.name)).otherwise(reason)
            if policy.detail is not None:
                detail = pl.when(refused).then(policy.detail).otherwise(detail)
            if policy.until is not None:
                until = pl.when(refused).then(policy.until).otherwise(until)
    columns = (
        reason.cast(pl.String),
        detail.cast(pl.String).fill_null(""),
        until.cast(INSTANT),
        not_before,
        told.cast(pl.String).fill_null(""),
    )
    return dict(zip(_VERDICT, columns, strict=True))


def _detail_of(policy: Policy) -> pl.Expr:
    return policy.detail if policy.detail is not None else pl.lit("")


def holds_for(policy: Policy) -> pl.Expr:
    """Whether a policy holds for a candidate's purpose and nature."""
    holds = [
        pl.col(name).is_in(those)
        for name, those, every in (
            ("purpose", policy.purposes, get_args(Purpose)),
            ("nature", policy.natures, get_args(Nature)),
        )
        if not set(every) <= set(those)
    ]
    return pl.all_horizontal(holds) if holds else pl.lit(value=True)


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
