"""The future of one customer: what is due, expected or planned, by day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core.flow.message_states import WAITING_STATES
from relationship_core.flow.offers.coupons import Coupon
from relationship_core.flow.report.customers.cases import WAITING, Case
from relationship_core.flow.report.customers.told import last_day
from relationship_core.flow.report.customers.wishes import Goal, OwnedItem
from relationship_core.flow.standing import Moment

Coming: TypeAlias = Literal[
    "promise", "complaint", "inquiry", "favour", "order", "visit", "service", "birthday", "goal", "message", "decision",
    "review", "case", "task", "coupon",
]  # fmt: skip
"""What comes; the words of cases, and those of the rest of the page. ``case`` is one that a plugin declares."""

OUR_CASES = ("promise", "complaint", "inquiry", "favour")

RHYTHMS: tuple[Coming, ...] = ("order", "visit")
"""The kinds of interaction that are expected by the customer's own rhythm."""
LEAST_DAYS = 2
"""With fewer days there is no rhythm of one's own."""
OLDEST = 130
"""A year of birth before that, or one to come, stands for an unknown one: such as 0001 or 1604."""
_Found: TypeAlias = tuple[date | None, Coming, str]


@frozen(kw_only=True)
class Upcoming:
    """One thing that comes.

    Attributes:
        on: the project-local day; in the past for what is overdue; None where no day is known.
        what: what sort of thing.
        detail: which one, in words.
        overdue: whether the day has passed.
    """

    on: date | None
    what: Coming
    detail: str
    overdue: bool


@frozen(kw_only=True)
class Known:
    """What the future is told from.

    Attributes:
        numbers: measures and features of the customer, by name.
        attributes: the customer's attributes; of them ``birthday`` is read, ``YYYY-MM-DD`` or ``--MM-DD``.
        cases: the cases.
        goals: the goals.
        items: the owned items.
        messages: rows of MESSAGES.
        decisions: rows of DECISIONS.
        tasks: rows of TASKS.
        coupons: the coupons.
        due_at: when the next review looks without news; None for never.
    """

    numbers: Mapping[str, object]
    attributes: Mapping[str, object]
    cases: Sequence[Case]
    goals: Sequence[Goal]
    items: Sequence[OwnedItem]
    messages: pl.DataFrame
    decisions: pl.DataFrame
    tasks: pl.DataFrame
    coupons: Sequence[Coupon]
    due_at: datetime | None


def ahead(known: Known, moment: Moment) -> tuple[Upcoming, ...]:
    """What comes, by day; what has no day comes last."""
    found: list[_Found] = [
        *_cases(known.cases, moment),
        *_expected(known.numbers, moment),
        *_services(known.items),
        *_birthday(known.attributes.get("birthday"), moment.local_date),
        *((goal.by, "goal", goal.goal + (f"; we help: {goal.help}" if goal.help else ""))
          for goal in known.goals if goal.reached_at is None),
        *_messages(known.messages, moment),
        *_decisions(known.decisions, moment),
        *_tasks(known.tasks, moment),
        *_coupons(known.coupons, moment),
        *([(_local(known.due_at, moment), "review", "unless there is news before")] if known.due_at else ()),
    ]  # fmt: skip
    today = moment.local_date
    every = (Upcoming(on=on, what=what, detail=detail, overdue=bool(on and on < today)) for on, what, detail in found)
    return tuple(sorted(every, key=lambda each: each.on or date.max))


def _cases(cases: Iterable[Case], moment: Moment) -> Iterator[_Found]:
    for case in cases:
        if case.state in WAITING:
            on = None if case.due_at is None else last_day(case.due_at, moment.zone)
            ours = case.kind in OUR_CASES
            told = ("" if ours else case.kind.replace("_", " "), case.severity, case.reference, case.about)
            yield on, cast("Coming", case.kind) if ours else "case", " ".join(part for part in told if part)


def _expected(numbers: Mapping[str, object], moment: Moment) -> Iterator[_Found]:
    for kind in RHYTHMS:
        last, gap = numbers.get(f"last_{kind}_at"), numbers.get(f"{kind}_gap_days")
        days = numbers.get(f"{kind}_days")
        if isinstance(last, datetime) and isinstance(gap, float) and isinstance(days, float) and days >= LEAST_DAYS:
            try:
                on = _local(last + timedelta(days=gap), moment)
            except OverflowError:  # so far away that there is no such day
                continue
            yield on, kind, f"every {gap:.3g} days so far"


def _services(items: Iterable[OwnedItem]) -> Iterator[_Found]:
    for item in items:
        if item.service_on is not None:
            reference = "" if item.name == item.reference else f" ({item.reference})"
            yield item.service_on, "service", item.name + reference


def _birthday(told: object, today: date) -> Iterator[_Found]:
    """The next one, from ``YYYY-MM-DD`` or ``--MM-DD``; whoever was born on 29 February has it on the 28th as well."""
    found = re.fullmatch(r"(\d{4}|-)-(\d\d)-(\d\d)", told.strip(), re.ASCII) if isinstance(told, str) else None
    if found is None:
        return
    born, month, day = found[1], int(found[2]), int(found[3])
    for year in (today.year, today.year + 1):
        on = _birthday_in(year, month, day)
        if on is not None and on >= today:
            age = 0 if born == "-" else on.year - int(born)
            yield on, "birthday", f"turns {age}" if 0 < age <= OLDEST else ""
            return


def _birthday_in(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28) if (month, day) == (2, 29) else None


def _messages(messages: pl.DataFrame, moment: Moment) -> Iterator[_Found]:
    for row in messages.filter(pl.col("state").is_in(WAITING_STATES)).iter_rows(named=True):
        at = max(row["not_before"] or row["queued_at"], row["queued_at"])
        yield _local(at, moment), "message", f"{row['campaign']} / {row['action']} by {row['channel']}"


def _decisions(decisions: pl.DataFrame, moment: Moment) -> Iterator[_Found]:
    for row in decisions.filter(pl.col("until") > moment.now).iter_rows(named=True):
        yield (
            _local(row["until"], moment),
            "decision",
            f"{row['campaign']} / {row['action']}, until then {row['reason']}",
        )


def _tasks(tasks: pl.DataFrame, moment: Moment) -> Iterator[_Found]:
    for row in tasks.filter(pl.col("state") == "open").iter_rows(named=True):
        yield _local(row["due_at"], moment), "task", f"{row['title']}, for {row['assignee']}"


def _coupons(coupons: Iterable[Coupon], moment: Moment) -> Iterator[_Found]:
    for coupon in coupons:
        if coupon.state == "open":
            until = None if coupon.expires_at is None else last_day(coupon.expires_at, moment.zone)
            yield until, "coupon", f"{coupon.summary} ({coupon.code}), {coupon.campaign}"


def _local(instant: datetime, moment: Moment) -> date:
    return instant.astimezone(ZoneInfo(moment.zone)).date()
