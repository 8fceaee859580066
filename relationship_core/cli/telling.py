"""What a customer's page says, in words: the same on a terminal and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from relationship_core import Case, Course, CustomerView, Favourite, Goal, Influence, OwnedItem, Score, Tie, Upcoming
from relationship_core.cli.show import counted, money

if TYPE_CHECKING:
    from relationship_core import Relationships

NO_EVIDENCE = "no evidence"
MINUS = "\N{MINUS SIGN}"
WAITING_SHOWN, OTHERS_SHOWN = 15, 5
"""So many cases that wait are shown, so many that have no beginning, and so many that are done."""
EVIDENCE_SHOWN = 4
"""So many measures are named where no interaction is."""
AHEAD_SHOWN = 5
"""So many things of one sort are shown of what comes next; a heap of complaints hides no birthday."""
LEAST_SHOWN = 0.005
"""What would be rounded to nothing is not shown."""

COMING = {
    "promise": "promise of ours",
    "complaint": "complaint to settle",
    "inquiry": "question to answer",
    "favour": "favour we asked",
    "case": "case to settle",
    "order": "order expected",
    "visit": "visit expected",
    "service": "service due",
    "birthday": "birthday",
    "goal": "goal of theirs",
    "message": "message planned",
    "task": "task of one of us",
    "coupon": "coupon until then",
    "decision": "may be planned",
    "review": "next review",
}
"""What comes, in words."""
_NEVER = {
    "promise_kept": "kept, but never made",
    "promise_broken": "broken, but never made",
    "complaint_resolved": "resolved, but never opened",
    "inquiry_answered": "answered, but never asked",
}
_DONE = {
    "promise_kept": "kept",
    "promise_broken": "broken",
    "complaint_resolved": "resolved",
    "inquiry_answered": "answered",
    "favour_declined": "declined",
}


def day(instant: datetime, zone: str) -> str:
    """The day of an instant by the clocks of the project's zone."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def last_day(end: datetime, zone: str) -> str:
    """The last day before an instant: what ends at midnight ends with the day before."""
    return day(end - timedelta(microseconds=1), zone)


def named(name: str) -> str:
    """A name of the code as words."""
    return name.replace("_", " ")


def stage_of(view: CustomerView) -> str:
    """The stage, with the mark."""
    return f"{named(view.stage)}, lapsed" if view.lapsed else named(view.stage)


def history_of(view: CustomerView, zone: str) -> str:
    """How much happened since when."""
    if view.first_at is None:
        return NO_EVIDENCE
    return f"{counted(view.interactions, 'interaction')} since {day(view.first_at, zone)}"


def influences_of(view: CustomerView, score: Score, zone: str) -> Sequence[str]:
    """The interactions that weigh most in a score, each with what it does to it."""
    weighing = [each for each in view.influences[score.name] if each.effect is None or abs(each.effect) >= LEAST_SHOWN]
    return [_influence(each, zone) for each in weighing] or ["none by itself"]


def _influence(influence: Influence, zone: str) -> str:
    what = f"{named(influence.kind)} {day(influence.at, zone)}"
    if influence.effect is None:
        return f"only {what}"
    return f"{'+' if influence.effect > 0 else MINUS}{abs(influence.effect):.2f} {what}"


def headline_of(view: CustomerView) -> Score | None:
    """The score that stands for the whole relationship."""
    return next((score for score in view.scores if score.name == view.course.headline), None)


def ranked(view: CustomerView, relationships: Relationships) -> tuple[Sequence[Score], Sequence[Score]]:
    """The score that stands for the whole with those it is made of, and then the others."""
    headline = view.course.headline
    behind = relationships.catalog.closure([headline]) if headline else frozenset()
    first = [score for score in view.scores if score.name == headline]
    first += [score for score in view.scores if score.name in behind and score.name != headline]
    return first, [score for score in view.scores if score not in first]


def rests_of(view: CustomerView, score: Score, zone: str) -> Sequence[str]:
    """What a score rests on: the interactions that weigh most, or what it is made of, or what it would need."""
    if score.confidence and score.name in view.influences:
        return influences_of(view, score, zone)
    more = len(score.evidence) - EVIDENCE_SHOWN
    evidence = ", ".join(map(named, score.evidence[:EVIDENCE_SHOWN])) + (f" and {more} more" if more > 0 else "")
    return [f"{'from' if score.confidence else 'needs'} {evidence}"] if evidence else []


def value_of(score: Score) -> str:
    """A score with its confidence."""
    return f"{score} (confidence {confidence_of(score)})" if score.confidence else NO_EVIDENCE


def confidence_of(score: Score) -> str:
    """The confidence; a little is not shown as none."""
    return "<0.01" if 0 < score.confidence < LEAST_SHOWN else f"{score.confidence:.2f}"


def has_course(course: Course) -> bool:
    """Whether there is anything to draw."""
    values = course.scores.get(course.headline, ())
    return len(values) > 1 and any(value is not None for value in values)


def shown_cases(view: CustomerView) -> tuple[Sequence[Case], int]:
    """The cases that a page shows, and how many others there are: what waits, what has no beginning, what is done."""
    waiting = [case for case in view.cases if case.state in {"overdue", "open"}]
    unpaired = [case for case in view.cases if case.state == "unpaired"]
    done = [case for case in view.cases if case not in waiting and case not in unpaired]
    shown = [*waiting[:WAITING_SHOWN], *unpaired[:OTHERS_SHOWN], *done[:OTHERS_SHOWN]]
    return shown, len(view.cases) - len(shown)


def state_of(case: Case, zone: str) -> str:
    """How a case stands, with its dates."""
    if case.state == "unpaired":
        other = f"{named(case.settled_by)}, but never begun" if case.settled_by else "answered, but never opened"
        return _NEVER.get(case.settled_by, other)
    if case.settled_at is None:
        answered = f", answered {day(case.answered_at, zone)}" if case.answered_at else ""
        return case.state + answered
    done = _DONE.get(case.settled_by, named(case.settled_by))
    how = {"in_time": ", in time", "late": ", late"}.get(case.state, "")
    return f"{done} {day(case.settled_at, zone)}{how}"


def due_of(case: Case, zone: str) -> str:
    """The day that a case is due on: by the end of a day is on that day."""
    return "" if case.due_at is None else last_day(case.due_at, zone)


def about_of(case: Case) -> str:
    """What a case is about."""
    return ", ".join(part for part in (case.severity, case.about) if part)


def shown_ahead(view: CustomerView) -> tuple[Sequence[Upcoming], int]:
    """What a page shows of what comes, the first of each sort, and how many others there are."""
    shown: list[Upcoming] = []
    for each in view.ahead:
        if sum(other.what == each.what for other in shown) < AHEAD_SHOWN:
            shown.append(each)
    return shown, len(view.ahead) - len(shown)


def on_of(upcoming: Upcoming) -> str:
    """The day on which something comes."""
    if upcoming.on is None:
        return "no date"
    return f"{upcoming.on.isoformat()}{' overdue' if upcoming.overdue else ''}"


def wishes_of(view: CustomerView, currency: str, zone: str) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """What the customer owns, wants and likes: for each label what there is, in their words, and more in ours."""
    return (
        ("owns", [(item.name, _item(item, zone)) for item in view.items]),
        ("goals", [(goal.goal, _goal(goal, zone)) for goal in view.goals]),
        ("prefers", [(each.topic, f": {each.value}" if each.value else "") for each in view.preferences]),
        ("cares for", [(cause, "") for cause in view.causes]),
        ("buys most", [(each.name, _bought(each, currency)) for each in view.likes if each.sort == "category"]),
        ("products", [(each.name, _bought(each, currency)) for each in view.likes if each.sort == "product"]),
    )


def _item(item: OwnedItem, zone: str) -> str:
    told = ["" if item.name == item.reference else f" ({item.reference})"]
    if item.acquired_at:
        told.append(f"since {day(item.acquired_at, zone)}")
    if item.retired_at:
        told.append(f"retired {day(item.retired_at, zone)}")
    elif item.serviced_at:
        told.append(f"last service {day(item.serviced_at, zone)}")
    if item.service_on:
        told.append(f"next {item.service_on.isoformat()}")
    return ", ".join(told)


def _goal(goal: Goal, zone: str) -> str:
    told = [""]
    if goal.reached_at:
        told.append(f"reached {day(goal.reached_at, zone)}")
    elif goal.by:
        told.append(f"by {goal.by.isoformat()}")
    if goal.help:
        told.append(f"we help: {goal.help}")
    return ", ".join(told)


def _bought(favourite: Favourite, currency: str) -> str:
    amount = "" if favourite.minor is None else f", {money(favourite.minor, currency)}"
    return f" ({counted(favourite.lines, 'time')}{amount})"


def ties_of(view: CustomerView, zone: str) -> Sequence[tuple[str, Sequence[tuple[str, str, str, str]]]]:
    """The contacts of an account and the accounts of a contact: name, id, role and how they stand, by title."""
    titles = (("Contacts", view.contacts), ("Accounts", view.accounts))
    return [(title, [_tie(tie, title, zone) for tie in ties]) for title, ties in titles if ties]


def _tie(tie: Tie, title: str, zone: str) -> tuple[str, str, str, str]:
    stands = ""
    if tie.until is not None:
        stands = f"until {day(tie.until, zone)}"
    elif tie.in_touch_at is not None:
        stands = f"in touch {day(tie.in_touch_at, zone)}"
    elif title == "Contacts":
        stands = NO_EVIDENCE
    return tie.name, tie.customer, tie.role, stands


def merged_of(view: CustomerView) -> str:
    """The ids that were merged into this one; the one that was asked for is marked."""
    return ", ".join(f"{id} (which you asked for)" if id == view.asked else id for id in view.merged)


def profile_of(view: CustomerView) -> str:
    """Language, zone, country and attributes."""
    who = view.customer
    known = {"language": who.locale, "zone": who.zone, "country": who.country, **who.attributes}
    return ", ".join(f"{named(name)} {value}" for name, value in known.items() if value is not None)
