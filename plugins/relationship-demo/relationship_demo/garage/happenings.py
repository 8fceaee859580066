"""What happens in a relationship: visits with all that belongs to them, and what comes of itself.

Cases hang together by their reference: what is kept was promised before, what is resolved was complained about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from relationship_demo.garage.diary import Actor, Diary, Line
from relationship_demo.garage.lives import Life
from relationship_demo.garage.people import ZONE

CARS = ("Alder 3", "Birch Kombi", "Cedar Van", "Elm Electric", "Hazel City", "Juniper 4x4", "Larch Roadster")
CATEGORIES = {
    "inspection": (14_000, 42_000),
    "tyres": (6_000, 60_000),
    "brakes": (12_000, 48_000),
    "oil": (7_000, 16_000),
    "bodywork": (20_000, 180_000),
    "washing": (1_200, 4_500),
    "parts": (1_500, 30_000),
    "battery": (9_000, 26_000),
}
"""What is sold, and from what to what it costs, in cents."""
CAUSES = ("repair instead of scrap", "safe ways to school", "trees for the valley")
GOALS = (
    ("keep the car until 300,000 km", "a check list, twice a year"),
    ("drive to the North Cape", "we prepare the car, and answer the telephone on the way"),
    ("an electric car by next autumn", "trial weekends, and honest figures"),
)
TOPICS = (("contact", "telephone"), ("contact", "e-mail"), ("oil", "recycled"), ("coffee", "black"))
PLACES = ("maps", "town forum", "motor club")


@frozen(kw_only=True)
class Car:
    """A car, and from when to when they have it.

    Attributes:
        reference: by which its services are known.
        model: its name.
        since: when it came.
        until: when it goes.
    """

    reference: str
    model: str
    since: datetime
    until: datetime


@frozen(kw_only=True)
class Relation:
    """One relationship and how it goes.

    Attributes:
        diary: where it is written down.
        actors: who acts: one person, the ids of one person, or the contacts of a firm; the first owns the cars.
        cars: the cars they have or had.
        is_firm: whether the actors are the contacts of a firm.
    """

    diary: Diary
    actors: tuple[Actor, ...]
    cars: tuple[Car, ...]
    is_firm: bool = False

    @property
    def owner(self) -> Actor:
        """Who owns the cars."""
        return self.actors[0]

    def somebody(self) -> Actor:
        """Who acts this time."""
        return self.diary.random.choices(self.actors, [actor.share for actor in self.actors])[0]


def open_relation(relation: Relation, life: Life, since: datetime) -> None:
    """The first day: the cars are registered, with their intervals; firms and lease holders sign."""
    diary, owner = relation.diary, relation.owner
    for car in relation.cars:
        diary.note(
            "item_acquired",
            car.since,
            owner,
            car.reference,
            product=car.model.lower().replace(" ", "-"),
            name=car.model,
            service_interval_days=str(diary.random.choice((182, 365, 365, 730))),
        )
        diary.note("item_retired", car.until, owner, car.reference)
    if life.is_bound or relation.is_firm:
        ends = f"{since + timedelta(days=3 * 365):%Y-%m-%d}"
        diary.note("contract_signed", since, owner, diary.reference("contract"), until=ends)


def live(relation: Relation, life: Life, since: datetime, until: datetime) -> None:
    """Everything that happens from one instant to another."""
    _visits(relation, life, since, until)
    for rate, happens in _UNASKED:
        for at in relation.diary.arrivals(rate(life), since, until):
            happens(relation, life, at)


def _visits(relation: Relation, life: Life, since: datetime, until: datetime) -> None:
    """Visits in a rhythm of their own, with some unrest in it; firms come in every week of the year alike."""
    gap = 365 / life.visits
    at = since + timedelta(days=relation.diary.random.uniform(0, min(gap, 30)))
    while at < until:
        _visit(relation, life, at)
        at += timedelta(days=gap * relation.diary.random.uniform(0.7, 1.3))


def _visit(relation: Relation, life: Life, day: datetime) -> None:
    diary, who = relation.diary, relation.somebody()
    if diary.happens(life.inquiries):
        _inquiry(relation, life, who, day - timedelta(days=diary.random.uniform(3, 6)))
    came = diary.after(day, 0, 0.5, "morning")
    ready = _ready(relation, life, who, came)
    diary.note("visit", came, who, their_minutes=str(diary.whole(10, 40)))
    if diary.happens(0.01):
        diary.note("order_cancelled", came + timedelta(hours=1), who, diary.reference("order"))
        return
    order = diary.reference("order")
    lines = _lines(diary)
    diary.note("order", ready, who, order, lines=lines, cost_minor=str(sum(line["minor"] for line in lines) * 6 // 10))
    cars = [car.reference for car in relation.cars if car.since < came and ready < car.until]
    if {line["category"] for line in lines} & {"inspection", "oil", "brakes"} and cars:
        diary.note(
            "service",
            came + timedelta(hours=1),
            relation.owner,
            diary.random.choice(cars),
            our_minutes=str(diary.whole(40, 240)),
            cost_minor=str(diary.whole(3_000, 24_000)),
        )
    if diary.happens(0.1):
        diary.note("delivery", diary.after(ready, 1, 4), who, order, our_minutes="25")
    _aftermath(relation, life, who, ready, order)


def _ready(relation: Relation, life: Life, who: Actor, came: datetime) -> datetime:
    """When the car is ready; where it was promised for a time, the promise is written down with what became of it."""
    diary = relation.diary
    ready = came + timedelta(hours=diary.random.uniform(2, 7))
    if not diary.happens(life.promises):
        return ready
    is_kept = diary.happens(life.kept)
    return promise(diary, who, came, ready, is_kept=is_kept, what="ready")


def promise(diary: Diary, who: Actor, made: datetime, due: datetime, *, is_kept: bool, what: str) -> datetime:
    """Promise something and keep it by the hour, or break the promise; tells when it was done."""
    reference, due = diary.reference("promise"), due.replace(second=0, microsecond=0)
    day = due.astimezone(ZoneInfo(ZONE)).date()
    told = day.isoformat() if diary.happens(0.3) else due.isoformat()
    diary.note("promise_made", made, who, reference, due=told, what=what)
    if is_kept:
        done = due - timedelta(minutes=diary.random.uniform(0, 90))
        diary.note("promise_kept", done, who, reference)
        return done
    late = diary.after(due, 1, 2, "workshop")
    diary.note("promise_broken", late, who, reference, our_minutes="10")
    return late


def _lines(diary: Diary) -> list[Line]:
    categories = diary.random.sample(sorted(CATEGORIES), diary.random.choice((1, 1, 2, 3)))
    return [
        {
            "product": f"{category}-{diary.whole(1, 20):02}",
            "category": category,
            "quantity": 1.0,
            "minor": diary.whole(*CATEGORIES[category]),
        }
        for category in categories
    ]


def _inquiry(relation: Relation, life: Life, who: Actor, day: datetime) -> None:
    diary = relation.diary
    asked, reference = diary.after(day, 0, 0.2), diary.reference("inquiry")
    if asked < diary.since:
        return
    diary.note("inquiry", asked, who, reference, their_minutes="5")
    if diary.happens(life.answered):
        diary.note("inquiry_answered", asked + timedelta(hours=diary.random.uniform(0.2, 1.5)), who, reference)
    elif diary.happens(0.5):
        diary.note("inquiry_answered", diary.after(asked, 8, 15), who, reference)


def _aftermath(relation: Relation, life: Life, who: Actor, ready: datetime, order: str) -> None:
    """What a visit leaves behind: praise, a complaint, something that comes back, a favour that we ask."""
    diary = relation.diary
    if diary.happens(life.complaints):
        complaint(relation, life, who, diary.after(ready, 0.5, 4))
    elif diary.happens(life.praise):
        diary.note("praise", diary.after(ready, 0.3, 5), who, order)
    if diary.happens(life.returns):
        diary.note("return", diary.after(ready, 3, 12), who, order, cost_minor=str(diary.whole(500, 6_000)))
    if diary.happens(life.favours):
        _favour(relation, life, who, diary.after(ready, 2, 5))
    if diary.happens(life.errors):
        diary.note("billing_error", diary.after(ready, 5, 9), who, order)
    if diary.happens(0.05):
        diary.note("upgrade", diary.after(ready, 5, 9), who, order, to="care plan plus")
    if diary.happens(0.05):
        diary.note("coupon_redeemed", ready, who, order, coupon="winter-check")


def complaint(relation: Relation, life: Life, who: Actor, opened: datetime, *, severity: str = "") -> None:
    """A complaint; answered and put right in time, or late, or never."""
    diary, reference = relation.diary, relation.diary.reference("case")
    chosen = severity or ("severe" if diary.happens(life.severe) else diary.random.choice(("minor", "normal")))
    diary.note("complaint_opened", opened, who, reference, severity=chosen, their_minutes="20")
    if diary.happens(life.resolved):
        diary.note("complaint_answered", opened + timedelta(hours=diary.random.uniform(0.5, 3)), who, reference)
        done = diary.after(opened, 1.5, 5)
        diary.note("complaint_resolved", done, who, reference, our_minutes="60", cost_minor=str(diary.whole(0, 9_000)))
    elif diary.happens(0.4):
        diary.note("complaint_answered", diary.after(opened, 9, 20), who, reference)
        if diary.happens(0.3):
            diary.note("complaint_resolved", diary.after(opened, 45, 80), who, reference, our_minutes="60")


def break_trust(relation: Relation, at: datetime) -> None:
    """We break our word three times within nine days, and half of them get a wrong bill on top of it."""
    diary, who = relation.diary, relation.owner
    for day, what in ((0, "ready"), (3, "ready at last"), (7, "money back")):
        reference, due = diary.reference("promise"), at + timedelta(days=day, hours=-1)
        diary.note("promise_made", due - timedelta(days=2), who, reference, due=due.isoformat(), what=what)
        diary.note("promise_broken", due + timedelta(hours=1), who, reference)
    case = diary.reference("case")
    diary.note("complaint_opened", at + timedelta(days=3, hours=1), who, case, severity="severe", their_minutes="45")
    if diary.happens(0.5):
        diary.note("billing_error", at + timedelta(days=8), who, diary.reference("bill"))


def _favour(relation: Relation, life: Life, who: Actor, asked: datetime) -> None:
    """We ask for something: it is done, declined, or forgotten."""
    diary, reference = relation.diary, relation.diary.reference("favour")
    kinds = ["survey_answer", "survey_answer", "feedback_given"]
    kinds += ["review", "referral_made"] if life.reviews else []
    kind = diary.random.choice(kinds)
    diary.note("favour_asked", asked, who, reference, favour=kind, our_minutes="1")
    done = diary.after(asked, 0.5, 6, "sofa")
    if diary.happens(life.obliging):
        _DONE[kind](relation, life, who, done, reference)
    elif diary.happens(0.3):
        diary.note("favour_declined", done, who, reference)


def _survey(relation: Relation, life: Life, who: Actor, at: datetime, reference: str) -> None:
    nps = str(relation.diary.whole(*life.nps))
    question = "Would you recommend us to a friend?"
    relation.diary.note("survey_answer", at, who, reference, nps=nps, question=question, their_minutes="3")


def _feedback(relation: Relation, life: Life, who: Actor, at: datetime, reference: str) -> None:  # noqa: ARG001  as the others
    relation.diary.note("feedback_given", at, who, reference, text="the waiting room is cold", their_minutes="5")


def _review(relation: Relation, life: Life, who: Actor, at: datetime, reference: str) -> None:  # noqa: ARG001  as the others
    relation.diary.note("review", at, who, reference, stars="5", place=relation.diary.random.choice(PLACES))


def _referral(relation: Relation, life: Life, who: Actor, at: datetime, reference: str) -> None:
    diary = relation.diary
    diary.note("referral_made", at, who, reference, friend="a neighbour")
    if diary.happens(life.converted):
        diary.note("referral_converted", diary.after(at, 5, 40), who, reference)


_DONE: dict[str, Callable[[Relation, Life, Actor, datetime, str], None]] = {
    "survey_answer": _survey,
    "feedback_given": _feedback,
    "review": _review,
    "referral_made": _referral,
}


def recommend(relation: Relation, life: Life, at: datetime) -> None:
    """A public review that nobody asked for."""
    _review(relation, life, relation.somebody(), at, relation.diary.reference("review"))


def _refer(relation: Relation, life: Life, at: datetime) -> None:
    _referral(relation, life, relation.somebody(), at, relation.diary.reference("referral"))


def _hint(relation: Relation, life: Life, at: datetime) -> None:
    _feedback(relation, life, relation.somebody(), at, relation.diary.reference("hint"))


def _cocreate(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    what = relation.diary.random.choice(("an evening on bicycle carriers", "a trial of the booking page"))
    relation.diary.note("cocreation", at, relation.somebody(), what=what, our_minutes="120", their_minutes="120")


def _plan(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    relation.diary.note("joint_plan", at, relation.owner, plan="the fleet of the next years", our_minutes="180")


def _give(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    relation.diary.note("gift_given", at, relation.somebody(), gift="a wash", cost_minor="900")


def _help(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    minutes = str(relation.diary.whole(10, 60))
    relation.diary.note("help_given", at, relation.somebody(), help="started a stranded car", our_minutes=minutes)


def _cause(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    """The first time they tell a cause or a preference, later they act."""
    diary, who = relation.diary, relation.somebody()
    cause = CAUSES[sum(map(ord, diary.key)) % len(CAUSES)]
    if diary.happens(0.3):
        topic, value = diary.random.choice(TOPICS)
        diary.note("preference_declared", at, who, topic=topic, value=value)
    elif diary.happens(0.5):
        diary.note("preference_declared", at, who, cause=cause)
    else:
        diary.note("community_act", at, who, cause=cause, our_minutes="90")


def _goal(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    diary, who, reference = relation.diary, relation.somebody(), relation.diary.reference("goal")
    goal, help_ = diary.random.choice(GOALS)
    days = diary.whole(90, 300)
    by = at + timedelta(days=days)
    diary.note("goal_declared", at, who, reference, goal=goal, by=f"{by:%Y-%m-%d}", help=help_)
    if diary.happens(0.6):
        diary.note("goal_reached", diary.after(at, days - 20, days - 1), who, reference)


def _contact(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    if relation.is_firm:
        minutes = str(relation.diary.whole(10, 45))
        relation.diary.note("account_contact", at, relation.somebody(), our_minutes=minutes, their_minutes=minutes)


def _circular(relation: Relation, life: Life, at: datetime) -> None:  # noqa: ARG001  as the others
    diary, who = relation.diary, relation.somebody()
    campaign = diary.reference("circular")
    diary.note("campaign_received", at, who, campaign, campaign="season check")
    answer = diary.after(at, 0.5, 3)
    if diary.happens(0.1):
        diary.note("reply", answer, who, campaign)
    elif diary.happens(0.02):
        diary.note("unsubscribe", answer, who, campaign)


_UNASKED: Sequence[tuple[Callable[[Life], float], Callable[[Relation, Life, datetime], None]]] = (
    (lambda life: life.reviews, recommend),
    (lambda life: life.referrals, _refer),
    (lambda life: life.feedback, _hint),
    (lambda life: life.cocreations, _cocreate),
    (lambda life: life.plans, _plan),
    (lambda life: life.gifts, _give),
    (lambda life: life.helps, _help),
    (lambda life: life.causes, _cause),
    (lambda life: life.goals, _goal),
    (lambda life: life.visits / 4, _contact),
    (lambda _: 1.0, _circular),
)
"""What happens of itself: how often, and what."""
