"""Cases: what several interactions say together about one complaint, promise, question, favour, item or goal.

They pair by reference, in any order of arrival. What would speak for us counts only once it is paired: a promise
kept that was never made, or a complaint put right that was never opened, is listed as unpaired until its beginning
arrives. What speaks against us counts as reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import CaseMeasure, Feature, Halving, Motion, Part, Steps, Still

SEVERITIES = {"minor": 1.0, "normal": 2.0, "severe": 3.0}
"""The data's `severity` of a complaint; a complaint that names none of them is normal."""

LONGEST_INTERVAL_DAYS = 36_500

_NOW = pl.col("now")
_DAY = pl.duration(days=1)
_SHARING = ("community_act", "cocreation", "gift_given", "help_given", "service", "delivery", "account_contact")
_MEETING = ("gift_given", "help_given", "service", "delivery", "account_contact")


def cases(parameters: Mapping[str, float]) -> Iterator[CaseMeasure]:
    """Every kind of case."""
    yield _complaint(parameters)
    yield _promise(parameters["trust_half_life_days"])
    yield _inquiry(parameters)
    yield _favour()
    yield _item()
    yield _goal()
    yield from _shared(parameters["shared_values_half_life_days"])
    yield _opt_out(parameters["trust_half_life_days"])


def _text(name: str) -> pl.Expr:
    return pl.col("data").str.json_path_match(f"$.{name}")


def _decayed(at: pl.Expr, half_life_days: float) -> pl.Expr:
    """The sum over cases of 2^(-age / half-life); a case without the instant adds nothing."""
    return pl.lit(2.0).pow(-((_NOW - at) / _DAY) / half_life_days).sum()


def _count(condition: pl.Expr, name: str, summary: str, motion: Motion | None = None) -> Feature:
    value = condition.fill_null(value=False).sum()
    return Feature(name=name, value=value, motion=motion or Still(), absent=0, summary=summary)


def _halved(at: pl.Expr, name: str, half_life_days: float, what: str, next_change: pl.Expr | None = None) -> Feature:
    return Feature(
        name=name,
        value=_decayed(at, half_life_days),
        motion=Halving(days=half_life_days, next_change=next_change),
        absent=0,
        summary=f"{what}, each halved every {half_life_days:g} days.",
    )


def _first(condition: pl.Expr, at: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(at).min()


def _complaint(parameters: Mapping[str, float]) -> CaseMeasure:
    opened, answered, resolved = pl.col("opened"), pl.col("answered"), pl.col("resolved")
    benefit, trust = parameters["benefit_half_life_days"], parameters["trust_half_life_days"]
    limit, answer_limit = parameters["complaint_days"], parameters["answer_days"]
    is_open = opened.is_not_null() & (resolved.is_null() | (pl.col("reopened") > resolved))
    in_time = ((resolved - opened) / _DAY <= limit).fill_null(value=False) & ~is_open
    response = pl.min_horizontal(answered, resolved)
    answered_in_time = (response - opened) / _DAY <= answer_limit
    severity = _text("severity").replace_strict(SEVERITIES, default=SEVERITIES["normal"], return_dtype=pl.Float64)
    severity = severity.fill_null(SEVERITIES["normal"])
    return CaseMeasure(
        name="complaint",
        parts=(
            Part(name="opened", kinds=("complaint_opened",)),
            Part(name="reopened", kinds=("complaint_opened",), combine="max"),
            Part(name="severity", kinds=("complaint_opened",), combine="max", type="number", value=severity),
            Part(name="answered", kinds=("complaint_answered",)),
            Part(name="resolved", kinds=("complaint_resolved",), combine="max"),
        ),
        features=(
            _count(is_open, "complaints_open", "Complaints that are not put right yet, or were opened again."),
            _count(
                is_open & (pl.col("severity") >= SEVERITIES["severe"]),
                "severe_complaints_open",
                "Severe complaints that are not put right yet.",
            ),
            Feature(
                name="complaint_open_since",
                value=_first(is_open, opened),
                type="instant",
                summary="When the oldest complaint was opened that is not put right yet.",
            ),
            _count(opened.is_null(), "complaints_unpaired", "Complaints answered or put right that were never opened."),
            _halved(
                pl.when(in_time).then(resolved),
                "complaints_redressed",
                benefit,
                f"Complaints put right within {limit:g} days",
            ),
            _halved(
                pl.when(~in_time).then(opened),
                "complaints_against",
                benefit,
                f"Complaints open or put right later than {limit:g} days",
            ),
            _halved(
                pl.when(answered_in_time).then(response),
                "complaints_answered_in_time",
                trust,
                f"Complaints answered within {answer_limit:g} days",
            ),
        ),
        summary="What became of each complaint.",
    )


def _promise(half_life_days: float) -> CaseMeasure:
    made, due, kept, broken = pl.col("made"), pl.col("due"), pl.col("kept"), pl.col("broken")
    on_time = made.is_not_null() & kept.is_not_null() & (due.is_null() | (kept <= due))
    past = made.is_not_null() & (due <= _NOW).fill_null(value=False)
    broken_at = pl.min_horizontal(broken, pl.when(past & ~on_time).then(due))
    settled = kept.is_not_null() | broken.is_not_null()
    is_open = made.is_not_null() & ~settled & ~past
    falls_due = _first(is_open, due)
    return CaseMeasure(
        name="promise",
        parts=(
            Part(name="made", kinds=("promise_made",)),
            # A promise whose time was put off is due at the last time named.
            Part(name="due", kinds=("promise_made",), combine="max", value=pl.col("due")),
            Part(name="kept", kinds=("promise_kept",)),
            Part(name="broken", kinds=("promise_broken",)),
        ),
        features=(
            _halved(
                pl.when(on_time & broken.is_null()).then(kept),
                "promises_kept",
                half_life_days,
                "Promises of ours kept in time",
            ),
            _halved(
                broken_at,
                "promises_broken",
                half_life_days,
                "Promises of ours broken, from the report or the missed time on",
                next_change=falls_due,
            ),
            _count(is_open, "promises_open", "Promises of ours still to keep.", Steps(next_change=falls_due)),
            _count(
                past & ~settled,
                "promises_overdue",
                "Promises whose time has passed without a word.",
                Steps(next_change=falls_due),
            ),
            Feature(
                name="next_promise_due_at",
                value=falls_due,
                type="instant",
                motion=Steps(next_change=falls_due),
                summary="When the next promise must be kept.",
            ),
            _count(made.is_null(), "promises_unpaired", "Promises kept or broken that were never made."),
        ),
        summary="What became of each promise of ours.",
    )


def _inquiry(parameters: Mapping[str, float]) -> CaseMeasure:
    asked, answered, limit = pl.col("asked"), pl.col("answered"), parameters["answer_days"]
    is_open = asked.is_not_null() & answered.is_null()
    in_time = (answered - asked) / _DAY <= limit
    return CaseMeasure(
        name="inquiry",
        parts=(Part(name="asked", kinds=("inquiry",)), Part(name="answered", kinds=("inquiry_answered",))),
        features=(
            _count(is_open, "inquiries_open", "Questions of theirs without an answer."),
            Feature(
                name="inquiry_open_since",
                value=_first(is_open, asked),
                type="instant",
                summary="When the oldest question was asked that has no answer.",
            ),
            _count(asked.is_null(), "inquiries_unpaired", "Answers to questions that were never asked."),
            _halved(
                pl.when(in_time).then(answered),
                "inquiries_answered_in_time",
                parameters["trust_half_life_days"],
                f"Questions answered within {limit:g} days",
            ),
        ),
        summary="What became of each question.",
    )


def _favour() -> CaseMeasure:
    asked, granted, declined = pl.col("asked"), pl.col("granted"), pl.col("declined")
    is_open = asked.is_not_null() & granted.is_null() & declined.is_null()
    return CaseMeasure(
        name="favour",
        parts=(
            Part(name="asked", kinds=("favour_asked",)),
            Part(name="granted", kinds=("review", "referral_made", "survey_answer", "feedback_given")),
            Part(name="declined", kinds=("favour_declined",)),
        ),
        features=(
            _count(is_open, "favours_open", "Favours we asked for that have no answer yet."),
            Feature(
                name="favour_open_since",
                value=_first(is_open, asked),
                type="instant",
                summary="When we asked for the oldest favour that has no answer yet.",
            ),
            _count(asked.is_not_null() & granted.is_not_null(), "favours_granted", "Favours we asked for and got."),
            _count(asked.is_not_null() & declined.is_not_null(), "favours_declined", "Favours that were declined."),
        ),
        summary="What became of each favour that we asked for.",
    )


def _item() -> CaseMeasure:
    acquired, interval = pl.col("acquired"), pl.col("interval")
    retired, serviced = pl.col("retired"), pl.col("serviced")
    owned = acquired.is_not_null() & (retired.is_null() | (acquired > retired))
    service_at = pl.max_horizontal(acquired, serviced) + pl.duration(days=interval)
    expected = owned & (interval > 0)
    due = expected & (service_at <= _NOW)
    number = _text("service_interval_days").cast(pl.Float64, strict=False)
    return CaseMeasure(
        name="item",
        parts=(
            Part(name="acquired", kinds=("item_acquired",), combine="max"),
            Part(
                name="interval",
                kinds=("item_acquired",),
                combine="max",
                type="number",
                value=pl.when(number <= LONGEST_INTERVAL_DAYS).then(number),
            ),
            Part(name="serviced", kinds=("service",), combine="max"),
            Part(name="retired", kinds=("item_retired",), combine="max"),
        ),
        features=(
            _count(owned, "items_owned", "Things they have from us or bring to us."),
            Feature(
                name="next_service_at",
                value=_first(expected, service_at),
                type="instant",
                summary="When the first of their things is to be serviced, by its own interval; it may have passed.",
            ),
            _count(
                due,
                "services_due",
                "Things whose service is due.",
                Steps(next_change=_first(expected & (service_at > _NOW), service_at)),
            ),
        ),
        summary="What they own.",
    )


def _goal() -> CaseMeasure:
    declared, reached = pl.col("declared"), pl.col("reached")
    is_open = declared.is_not_null() & reached.is_null()
    return CaseMeasure(
        name="goal",
        parts=(
            Part(name="declared", kinds=("goal_declared",)),
            Part(name="by", kinds=("goal_declared",), combine="max", value=pl.col("by")),
            Part(name="reached", kinds=("goal_reached",)),
        ),
        features=(
            _count(is_open, "goals_open", "Goals of theirs that are not reached yet."),
            _count(
                declared.is_not_null() & reached.is_not_null(), "goals_reached", "Goals of theirs that are reached."
            ),
            Feature(
                name="next_goal_at",
                value=_first(is_open, pl.col("by")),
                type="instant",
                summary="By when they want to reach the next goal that is open; it may have passed.",
            ),
        ),
        summary="What they want to reach.",
    )


def _shared(half_life_days: float) -> Iterator[CaseMeasure]:
    """What they declared to care for, met by something that was done for it, whichever came first."""
    declared, met = pl.col("declared"), pl.col("met")
    both = pl.when(declared.is_not_null() & met.is_not_null()).then(pl.max_horizontal(declared, met))
    yield CaseMeasure(
        name="cause",
        key="cause",
        parts=(
            Part(name="declared", kinds=("preference_declared",)),
            Part(name="met", kinds=_SHARING, combine="max"),
        ),
        features=(
            _halved(both, "causes_matched", half_life_days, "Causes declared for which one of us then did something"),
        ),
        summary="What was done for each cause.",
    )
    yield CaseMeasure(
        name="topic",
        key="topic",
        parts=(
            Part(name="declared", kinds=("preference_declared",)),
            Part(name="met", kinds=_MEETING, combine="max"),
        ),
        features=(_halved(both, "preferences_matched", half_life_days, "Preferences declared that we then met"),),
        summary="What was done about each preference.",
    )


def _opt_out(half_life_days: float) -> CaseMeasure:
    """Contacts after the first opt-out from everything, day by day; two on one day count once."""
    left, contacted = pl.col("left"), pl.col("contacted")
    after = pl.when(contacted > left.min()).then(contacted)
    everything = pl.when(_text("topic").is_null()).then(pl.col("at"))
    return CaseMeasure(
        name="opt_out",
        key="day",
        parts=(
            Part(name="left", kinds=("unsubscribe",), value=everything),
            Part(name="contacted", kinds=("campaign_received",), combine="max"),
        ),
        features=(
            Feature(
                name="opted_out_at",
                value=left.min(),
                type="instant",
                summary="When they first wanted no more messages, whatever the topic.",
            ),
            _halved(after, "contacts_after_opt_out", half_life_days, "Days with a campaign received after the opt-out"),
        ),
        summary="Opt-outs, and campaigns received, on each project-local day.",
    )
