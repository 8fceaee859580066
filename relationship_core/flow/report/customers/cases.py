"""Cases: promises, complaints, questions and favours asked, each paired by its reference in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import frozen

from relationship_core.flow.report.customers.told import told
from relationship_core.flow.standing import Moment

if TYPE_CHECKING:
    import polars as pl

CaseState: TypeAlias = Literal["overdue", "open", "in_time", "late", "settled", "broken", "declined", "unpaired"]
"""How a case stands.

``open`` and ``overdue`` wait; ``in_time``, ``late`` and ``settled`` (nothing was due) are done; a promise may be
``broken``, a favour ``declined``; ``unpaired`` was settled or answered and never opened, as far as is recorded.
"""

WAITING: tuple[CaseState, ...] = ("overdue", "open")
"""The states of what is not done."""
OF_NO_CONCERN = frozenset({"due", "severity", "cost_minor", "our_minutes", "their_minutes", "nps"})
"""Names of data that do not say what a case is about."""


@frozen(kw_only=True)
class Case:
    """Something that one side owes the other until it is settled.

    Attributes:
        kind: ``promise``, ``complaint``, ``inquiry`` or ``favour``; or the name of a plugin's case measure.
        reference: what ties its interactions together; None where none was given.
        about: what it is about, in the words that were recorded; may be empty.
        severity: of a complaint, as recorded; may be empty.
        opened_at: when it began; None where that is not recorded.
        due_at: when it is to be settled by; None where nothing says so.
        answered_at: when it was first answered, for a complaint.
        settled_at: when it was settled; None while it waits.
        settled_by: the kind of the interaction that settled it, or the part of a plugin's case measure; empty while
            it waits.
        state: how it stands.
    """

    kind: str
    reference: str | None
    about: str = ""
    severity: str = ""
    opened_at: datetime | None = None
    due_at: datetime | None = None
    answered_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: str = ""
    state: CaseState


@frozen(kw_only=True)
class _Sort:
    """How the cases of one sort are opened, answered and settled.

    Attributes:
        kind: what a case of it is called.
        opens: the kind of interaction that opens one.
        answers: those that answer it without settling it.
        settles: those that settle it.
        fails: those of them that settle it badly.
        days: the parameter that says within how many days it is to be settled.
        reopens: whether it waits again where it was opened once more after its end.
        needs_opening: whether it is worth a word where it was settled and never opened.
    """

    kind: str
    opens: str
    answers: tuple[str, ...] = ()
    settles: tuple[str, ...]
    fails: Mapping[str, CaseState] = {}
    days: str = ""
    reopens: bool = False
    needs_opening: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of interaction that it is about."""
        return (self.opens, *self.answers, *self.settles)


_SORTS = (
    _Sort(
        kind="promise",
        opens="promise_made",
        settles=("promise_kept", "promise_broken"),
        fails={"promise_broken": "broken"},
    ),
    _Sort(
        kind="complaint",
        opens="complaint_opened",
        answers=("complaint_answered",),
        settles=("complaint_resolved",),
        days="complaint_days",
        reopens=True,
    ),
    _Sort(kind="inquiry", opens="inquiry", settles=("inquiry_answered",), days="answer_days"),
    _Sort(
        kind="favour",
        opens="favour_asked",
        settles=("review", "referral_made", "survey_answer", "feedback_given", "favour_declined"),
        fails={"favour_declined": "declined"},
        needs_opening=False,
    ),
)


def cases(
    history: pl.DataFrame, moment: Moment, parameters: Mapping[str, float], declared: Iterable[Case] = ()
) -> tuple[Case, ...]:
    """The cases of one customer: those that wait first, the most urgent first; then the others, the latest first.

    Args:
        history: rows of INTERACTIONS.
        moment: the present; a date is due at the end of that day in its zone.
        parameters: ``complaint_days`` and ``answer_days``, where they are declared.
        declared: the cases that plugins declare.
    """
    found = [case for sort in _SORTS for case in _of_sort(sort, history, moment, parameters)]
    found.extend(declared)
    waiting = [case for case in found if case.state in WAITING]
    done = [case for case in found if case.state not in WAITING]
    latest = datetime.max.replace(tzinfo=UTC)
    waiting.sort(key=lambda case: (case.due_at or latest, case.opened_at or latest, case.reference or ""))
    done.sort(key=lambda case: (case.settled_at or case.answered_at or latest, case.reference or ""), reverse=True)
    return (*waiting, *done)


def _of_sort(sort: _Sort, history: pl.DataFrame, moment: Moment, parameters: Mapping[str, float]) -> Iterator[Case]:
    by_reference: dict[str, list[Mapping[str, Any]]] = {}
    alone: list[list[Mapping[str, Any]]] = []
    for row in told(history, sort.kinds, ("due",), moment.zone):
        if row["reference"]:
            by_reference.setdefault(row["reference"], []).append(row)
        else:
            alone.append([row])
    for rows in (*by_reference.values(), *alone):
        if sort.needs_opening or any(row["kind"] == sort.opens for row in rows):
            yield _case(sort, rows, moment, parameters)


def _case(sort: _Sort, rows: Sequence[Mapping[str, Any]], moment: Moment, parameters: Mapping[str, float]) -> Case:
    openings = [row for row in rows if row["kind"] == sort.opens]
    settlings = [row for row in rows if row["kind"] in sort.settles]
    if sort.reopens and openings and settlings and openings[-1]["at"] > settlings[-1]["at"]:
        settlings = []
    # What was settled badly stays so, whatever came after it; what can be opened again counts by its last end.
    bad = [row for row in settlings if row["kind"] in sort.fails]
    settled = next(iter(bad or settlings[-1:] if sort.reopens else bad or settlings), None)
    answered = next((row for row in rows if row["kind"] in sort.answers), None)
    due = _due(openings, sort, parameters)
    return Case(
        kind=sort.kind,
        reference=rows[0]["reference"],
        about=", ".join(
            text for row in openings[:1] for name, text in row["data"].items() if name not in OF_NO_CONCERN
        ),
        severity=next((row["data"]["severity"] for row in openings if "severity" in row["data"]), ""),
        opened_at=openings[0]["at"] if openings else None,
        due_at=due,
        answered_at=answered["at"] if answered else None,
        settled_at=settled["at"] if settled else None,
        settled_by=settled["kind"] if settled else "",
        state=_state(sort, openings[0]["at"] if openings else None, settled, due, moment.now),
    )


def _due(openings: Sequence[Mapping[str, Any]], sort: _Sort, parameters: Mapping[str, float]) -> datetime | None:
    """The last time that was named: what was put off is due then; else so many days after the beginning."""
    last: datetime | None = max((row["due"] for row in openings if row["due"]), default=None)
    if last is not None:
        return last
    if not openings or sort.days not in parameters:
        return None
    try:
        due: datetime = openings[0]["at"] + timedelta(days=parameters[sort.days])
    except OverflowError:  # so late that there is no such day
        return None
    return due


def _state(
    sort: _Sort,
    opened: datetime | None,
    settled: Mapping[str, Any] | None,
    due: datetime | None,
    now: datetime,
) -> CaseState:
    if opened is not None and settled is not None and settled["kind"] in sort.fails:
        return sort.fails[settled["kind"]]
    return state_at(opened, due, None if settled is None else settled["at"], now)


def state_at(opened: datetime | None, due: datetime | None, settled: datetime | None, now: datetime) -> CaseState:
    """How a case stands that was not settled badly."""
    if opened is None:
        return "unpaired"
    if settled is None:
        return "overdue" if due is not None and due <= now else "open"
    if due is None:
        return "settled"
    return "in_time" if settled <= due else "late"
