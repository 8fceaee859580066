"""Cases: what several interactions say together about one complaint, promise, question or favour.

They pair by reference, in any order of arrival. What would speak for us counts only once it is paired: a promise
kept that was never made, or a complaint put right that was never opened, is listed as unpaired until its beginning
arrives. What speaks against us counts as reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import CaseMeasure, Feature, Part, Steps
from relationship_core.builtin.measures.features import DAY, NOW, count, first, from_data, halved, instant

SEVERITIES = {"minor": 1.0, "normal": 2.0, "severe": 3.0}
"""The data's `severity` of a complaint; a complaint that names none of them is normal."""


def cases(parameters: Mapping[str, float]) -> Iterator[CaseMeasure]:
    """What one side owes the other until it is settled."""
    yield _complaint(parameters)
    yield _promise(parameters["trust_half_life_days"])
    yield _inquiry(parameters)
    yield _favour()


def _complaint(parameters: Mapping[str, float]) -> CaseMeasure:
    opened, answered, resolved = pl.col("opened"), pl.col("answered"), pl.col("resolved")
    benefit, limit = parameters["benefit_half_life_days"], parameters["complaint_days"]
    is_open = opened.is_not_null() & (resolved.is_null() | (pl.col("reopened") > resolved))
    in_time = ((resolved - opened) / DAY <= limit).fill_null(value=False) & ~is_open
    return CaseMeasure(
        name="complaint",
        parts=(
            Part(name="opened", kinds=("complaint_opened",)),
            Part(name="reopened", kinds=("complaint_opened",), combine="max"),
            Part(name="severity", kinds=("complaint_opened",), combine="max", type="number", value=_severity()),
            Part(name="answered", kinds=("complaint_answered",)),
            Part(name="resolved", kinds=("complaint_resolved",), combine="max"),
        ),
        features=(
            count(is_open, "complaints_open", "Complaints that are not put right yet, or were opened again."),
            count(
                is_open & (pl.col("severity") >= SEVERITIES["severe"]),
                "severe_complaints_open",
                "Severe complaints that are not put right yet.",
            ),
            instant(
                first(is_open, opened),
                "complaint_open_since",
                "When the oldest complaint was opened that is not put right yet.",
            ),
            count(opened.is_null(), "complaints_unpaired", "Complaints answered or put right that were never opened."),
            halved(
                pl.when(in_time).then(resolved),
                "complaints_redressed",
                benefit,
                f"Complaints put right within {limit:g} days",
            ),
            halved(
                pl.when(~in_time).then(opened),
                "complaints_against",
                benefit,
                f"Complaints open or put right later than {limit:g} days",
            ),
            _answered_in_time(
                pl.min_horizontal(answered, resolved), opened, "complaints_answered_in_time", "Complaints", parameters
            ),
        ),
        summary="What became of each complaint.",
    )


def _severity() -> pl.Expr:
    named = from_data("severity").replace_strict(SEVERITIES, default=SEVERITIES["normal"], return_dtype=pl.Float64)
    return named.fill_null(SEVERITIES["normal"])


def _answered_in_time(
    answer: pl.Expr, since: pl.Expr, name: str, what: str, parameters: Mapping[str, float]
) -> Feature:
    """Answers that came soon enough speak for trust, whatever it is that they answer."""
    days = parameters["answer_days"]
    soon = pl.when((answer - since) / DAY <= days).then(answer)
    return halved(soon, name, parameters["trust_half_life_days"], f"{what} answered within {days:g} days")


def _promise(half_life_days: float) -> CaseMeasure:
    made, due, kept, broken = pl.col("made"), pl.col("due"), pl.col("kept"), pl.col("broken")
    on_time = made.is_not_null() & kept.is_not_null() & (due.is_null() | (kept <= due))
    past = made.is_not_null() & (due <= NOW).fill_null(value=False)
    broken_at = pl.min_horizontal(broken, pl.when(past & ~on_time).then(due))
    settled = kept.is_not_null() | broken.is_not_null()
    is_open = made.is_not_null() & ~settled & ~past
    falls_due = first(is_open, due)
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
            halved(
                pl.when(on_time & broken.is_null()).then(kept),
                "promises_kept",
                half_life_days,
                "Promises of ours kept in time",
            ),
            halved(
                broken_at,
                "promises_broken",
                half_life_days,
                "Promises of ours broken, from the report or the missed time on",
                next_change=falls_due,
            ),
            count(is_open, "promises_open", "Promises of ours still to keep.", Steps(next_change=falls_due)),
            count(
                past & ~settled,
                "promises_overdue",
                "Promises whose time has passed without a word.",
                Steps(next_change=falls_due),
            ),
            instant(
                falls_due,
                "next_promise_due_at",
                "When the next promise must be kept.",
                Steps(next_change=falls_due),
            ),
            instant(
                broken_at.max(),
                "promise_broken_named_at",
                "When a promise with a reference was last broken, from the report or the missed time on.",
                Steps(next_change=falls_due),
            ),
            count(made.is_null(), "promises_unpaired", "Promises kept or broken that were never made."),
        ),
        summary="What became of each promise of ours.",
    )


def _inquiry(parameters: Mapping[str, float]) -> CaseMeasure:
    asked, answered = pl.col("asked"), pl.col("answered")
    is_open = asked.is_not_null() & answered.is_null()
    return CaseMeasure(
        name="inquiry",
        parts=(Part(name="asked", kinds=("inquiry",)), Part(name="answered", kinds=("inquiry_answered",))),
        features=(
            count(is_open, "inquiries_open", "Questions of theirs without an answer."),
            instant(
                first(is_open, asked),
                "inquiry_open_since",
                "When the oldest question was asked that has no answer.",
            ),
            count(asked.is_null(), "inquiries_unpaired", "Answers to questions that were never asked."),
            _answered_in_time(answered, asked, "inquiries_answered_in_time", "Questions", parameters),
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
            count(is_open, "favours_open", "Favours we asked for that have no answer yet."),
            instant(
                first(is_open, asked),
                "favour_open_since",
                "When we asked for the oldest favour that has no answer yet.",
            ),
            instant(
                pl.when(is_open).then(asked).max(),
                "favour_open_last_at",
                "When we asked for the latest favour that has no answer yet.",
            ),
            count(asked.is_not_null() & granted.is_not_null(), "favours_granted", "Favours we asked for and got."),
            count(asked.is_not_null() & declined.is_not_null(), "favours_declined", "Favours that were declined."),
        ),
        summary="What became of each favour that we asked for.",
    )
