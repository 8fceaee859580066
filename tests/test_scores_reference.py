"""Every standard score against a slow reading of its formula, one customer at a time, from raw history.

The reference knows lists, loops and `math`; nothing of how the product folds, pairs, joins or decays.
"""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from attrs import field, frozen
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import Customer, Interaction, OrderLine, ParameterSettings, Relationships
from relationship_core.flow.standing import Moment, standing

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Row = Mapping[str, float | str | None]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
LAST_DAYS = 800
DAY = timedelta(days=1)
ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "America/Havana", "Asia/Kathmandu")

HALF_LIVES = {
    "": {"benefit": 180, "trust": 365, "commitment": 365, "reciprocity": 90, "shared": 730, "advocacy": 365},
    "b2b": {"benefit": 365, "trust": 730, "commitment": 730, "reciprocity": 365, "shared": 730, "advocacy": 730},
}
"""By the set of parameters: none is for business with consumers."""


@frozen(kw_only=True)
class Event:
    kind: str
    at: datetime
    reference: str | None = None
    minor: int = 0
    categories: tuple[str | None, ...] = ()
    data: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Slow:
    """One customer's scores, from the formulas in the reference."""

    events: Sequence[Event]
    now: datetime
    zone: str
    half: Mapping[str, float]
    m: float = 4.0

    # History

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def cases(self, *kinds: str) -> dict[str, dict[str, list[Event]]]:
        """By reference, the events of each kind that have it."""
        found: dict[str, dict[str, list[Event]]] = {}
        for event in self.of(*kinds):
            if event.reference is not None:
                found.setdefault(event.reference, {kind: [] for kind in kinds})[event.kind].append(event)
        return found

    def worth(self, at: datetime, element: str) -> float:
        return float(2 ** (-((self.now - at) / DAY) / self.half[element]))

    def decayed(self, instants: Iterable[datetime], element: str) -> float:
        return math.fsum(self.worth(at, element) for at in instants)

    def count(self, element: str, *kinds: str) -> float:
        return self.decayed([event.at for event in self.of(*kinds)], element)

    def local(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def instant(self, text: str) -> datetime:
        if len(text) > len("2024-01-01"):
            return datetime.fromisoformat(text)
        day_after = date.fromisoformat(text) + timedelta(days=1)
        return datetime.combine(day_after, time(), tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    # What the formulas are made of

    def ratio(self, good: float, bad: float, prior: float = 0.5) -> float:
        return (good + self.m * prior) / (good + bad + self.m)

    def sure(self, events: float) -> float:
        return events / (events + self.m)

    # The elements

    def complaints(self) -> tuple[list[datetime], list[datetime], list[datetime]]:
        """When each was put right in time, when each other one was opened, when each was answered in time."""
        redressed, against, answered = [], [], []
        for case in self.cases("complaint_opened", "complaint_answered", "complaint_resolved").values():
            opened = [event.at for event in case["complaint_opened"]]
            resolved = [event.at for event in case["complaint_resolved"]]
            responses = [event.at for event in case["complaint_answered"]]
            if not opened:
                continue
            is_closed = resolved != [] and max(resolved) >= max(opened)
            if is_closed and max(resolved) - min(opened) <= 14 * DAY:
                redressed.append(max(resolved))
            else:
                against.append(min(opened))
            if resolved:
                responses.append(max(resolved))
            if responses and min(responses) - min(opened) <= 2 * DAY:
                answered.append(min(responses))
        against += [event.at for event in self.of("complaint_opened") if event.reference is None]
        return redressed, against, answered

    def promises(self) -> tuple[list[datetime], list[datetime]]:
        """When each was kept, and since when each other one is broken."""
        kept, broken = [], [event.at for event in self.of("promise_broken") if event.reference is None]
        for case in self.cases("promise_made", "promise_kept", "promise_broken").values():
            made, reports = case["promise_made"], [event.at for event in case["promise_broken"]]
            done = [event.at for event in case["promise_kept"]]
            times = [self.instant(event.data["due"]) for event in made if "due" in event.data]
            due = max(times) if times else None
            in_time = made != [] and done != [] and (due is None or min(done) <= due)
            since = [*reports]
            if due is not None and due <= self.now and not in_time:
                since.append(due)
            if since:
                broken.append(min(since))
            elif in_time:
                kept.append(min(done))
        return kept, broken

    def answers(self) -> list[datetime]:
        """When each question was answered in time."""
        found = []
        for case in self.cases("inquiry", "inquiry_answered").values():
            asked = [event.at for event in case["inquiry"]]
            answered = [event.at for event in case["inquiry_answered"]]
            if asked and answered and min(answered) - min(asked) <= 2 * DAY:
                found.append(min(answered))
        return found

    def contacts_after_opt_out(self) -> list[datetime]:
        left = [event.at for event in self.of("unsubscribe") if "topic" not in event.data]
        last_of_day: dict[date, datetime] = {}
        for event in self.of("campaign_received"):
            day = self.local(event.at)
            last_of_day[day] = max(event.at, last_of_day.get(day, event.at))
        return [at for at in last_of_day.values() if left and at > min(left)]

    def matched(self, key: str, *kinds: str) -> list[datetime]:
        """When what was declared under a key had been met as well."""
        found = []
        for name in {event.data[key] for event in self.events if key in event.data}:
            declared = [each.at for each in self.of("preference_declared") if each.data.get(key) == name]
            met = [each.at for each in self.of(*kinds) if each.data.get(key) == name]
            if declared and met:
                found.append(max(min(declared), *met))
        return found

    def nps(self) -> list[tuple[float, datetime]]:
        return [(float(each.data["nps"]), each.at) for each in self.of("survey_answer") if "nps" in each.data]

    # The scores

    def scores(self) -> dict[str, tuple[float | str | None, float]]:
        """Each score's value and confidence."""
        found: dict[str, tuple[float | str | None, float]] = {}
        self.patronage(found)
        benefit, trust = self.benefit(), self.trust()
        regularity, commitment = self.commitment()
        found |= {"benefit": benefit, "trust": trust, "regularity": regularity, "commitment": commitment}
        found["attitude"] = (benefit[0] + trust[0]) / 2, (benefit[1] + trust[1]) / 2
        strength = math.prod(part[0] for part in (benefit, trust, commitment)) ** (1 / 3)
        found["strength"] = strength, min(benefit[1], trust[1], commitment[1])
        self.reciprocity(found)
        self.others(found)
        attitude, known = found["attitude"]
        assert isinstance(attitude, float)
        kinds = [["none", "spurious"], ["latent", "true"]]
        loyalty = kinds[attitude >= 0.65][regularity[0] >= 0.5] if known > 0 and regularity[1] > 0 else None
        found["loyalty"] = loyalty, min(known, regularity[1])
        return found

    def benefit(self) -> tuple[float, float]:
        redressed, against, _ = self.complaints()
        good = [event.at for event in self.of("praise")] + redressed + [at for nps, at in self.nps() if nps >= 9]
        bad = [event.at for event in self.of("return")] + against + [at for nps, at in self.nps() if nps <= 6]
        pro, contra = self.decayed(good, "benefit"), self.decayed(bad, "benefit")
        return self.ratio(pro, contra), self.sure(pro + contra)

    def trust(self) -> tuple[float, float]:
        kept, broken = self.promises()
        good = self.decayed([*kept, *self.answers(), *self.complaints()[2]], "trust")
        bad = self.decayed(broken, "trust")
        wrong = self.decayed(self.contacts_after_opt_out(), "trust") + self.count("trust", "billing_error")
        return self.ratio(good, bad) * 2**-wrong, self.sure(good + bad + wrong)

    def commitment(self) -> tuple[tuple[float, float], tuple[float, float]]:
        orders, visits = [event for event in self.of("order") if event.minor > 0], self.of("visit")
        on = sorted({self.local(event.at) for event in orders})
        regular = 0.0
        if on:
            silence, gap = (self.now - max(event.at for event in orders)) / DAY, self.gap(on)
            regular = 1.0 if silence <= gap else gap / silence
        met = [event.at for event in [*orders, *visits]]
        together = (max(met) - min(event.at for event in self.events)) / DAY if met else 0.0
        categories = {each for event in self.of("order") for each in event.categories if each is not None}
        forward = self.count("commitment", "coupon_redeemed", "contract_signed", "upgrade", "cocreation", "joint_plan")
        events = len(on) + len({self.local(event.at) for event in visits}) + forward
        parts = [regular, 1 - 2 ** (-together / 365), 1 - 2 ** (-len(categories) / 3), 1 - 2**-forward]
        mean = math.fsum(parts) / 4 if events > 0 else 0.5
        return (regular, self.sure(len(on))), (mean, self.sure(events))

    def gap(self, on: Sequence[date]) -> float:
        return ((on[-1] - on[0]).days + 30.0) / len(on)

    def reciprocity(self, found: dict[str, tuple[float | str | None, float]]) -> None:
        gave = self.count("reciprocity", "gift_given", "help_given")
        kinds = "referral_made referral_converted review survey_answer feedback_given preference_declared goal_declared"
        got = self.count("reciprocity", *kinds.split(), "cocreation")
        asked = self.count("reciprocity", "favour_asked", "campaign_received")
        both = gave + got
        found["reciprocity"] = (2 * min(gave, got) + self.m * 0.5) / (both + self.m), self.sure(both)
        found["give_balance"] = (got - gave) / both if both else 0.0, self.sure(both)
        found["ask_ratio"] = self.ratio(asked, gave), self.sure(asked + gave)

    def others(self, found: dict[str, tuple[float | str | None, float]]) -> None:
        ours = ("gift_given", "help_given", "service", "delivery", "account_contact")
        matched = self.matched("cause", "community_act", "cocreation", *ours) + self.matched("topic", *ours)
        shared = self.count("shared", "community_act") + self.decayed(matched, "shared")
        support = self.count("advocacy", "referral_converted", "review")
        found["shared_values"] = 1 - 2**-shared, self.sure(shared)
        found["advocacy"] = 1 - 2**-support, self.sure(support)
        every = math.fsum(self.worth(at, "benefit") for _, at in self.nps())
        signs = math.fsum(self.worth(at, "benefit") * ((answer >= 9) - (answer <= 6)) for answer, at in self.nps())
        found["nps"] = 100 * signs / every if every else 0.0, self.sure(every)

    def patronage(self, found: dict[str, tuple[float | str | None, float]]) -> None:
        orders = [event for event in self.of("order") if event.minor > 0]
        on = sorted({self.local(event.at) for event in orders})
        recent = [day for day in on if day > self.local(self.now) - timedelta(days=365)]
        spend = math.fsum(event.minor * self.worth(event.at, "commitment") for event in self.of("order"))
        silence = (self.now - max(event.at for event in orders)) / DAY if orders else None
        known = self.sure(len(on))
        found["recency"] = 0.0 if silence is None else 2 ** (-silence / 60), known
        found["frequency"] = 1 - 2 ** (-len(recent) / 12), known
        found["monetary"] = 1 - 2 ** (-max(spend, 0.0) / 100_000), known
        found["lapse"] = None if silence is None else silence / self.gap(on), known
        visited = sorted({self.local(event.at) for event in self.of("visit")})
        away = (self.now - max(event.at for event in self.of("visit"))) / DAY if visited else None
        found["visit_lapse"] = None if away is None else away / self.gap(visited), self.sure(len(visited))
        fifths: list[int | None] = [None, None, None]
        if silence is not None:
            older = [bound for bound in (30, 60, 120, 240) if silence > bound]
            oftener = [bound for bound in (1, 3, 6, 12) if len(recent) > bound]
            richer = [bound for bound in (2_500, 10_000, 25_000, 75_000) if spend > bound]
            fifths = [5 - len(older), 1 + len(oftener), 1 + len(richer)]
        for name, fifth in zip(("recency_fifth", "frequency_fifth", "monetary_fifth"), fifths, strict=True):
            found[name] = fifth, known
        digits = [fifth for fifth in fifths if fifth is not None]
        found["rfm"] = int("".join(map(str, digits))) if digits else None, known


# Random histories: episodes that hang together, of which anything may be missing

MINUTES = st.integers(0, LAST_DAYS * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
LATER = st.builds(
    lambda days, minutes: timedelta(days=days, minutes=minutes),
    st.sampled_from([-1, 0, 1, 2, 3, 14, 15, 60]),
    st.sampled_from([0, 0, 7]),
)
"""From one event of a case to the next: whole days among them, and those that are just in time."""
REFERENCES = st.sampled_from(["a", "b", "c", None])
SINGLE = (
    *("visit", "praise", "return", "billing_error", "unsubscribe", "campaign_received", "coupon_redeemed"),
    *("contract_signed", "upgrade", "cocreation", "joint_plan", "gift_given", "help_given", "referral_made"),
    *("referral_converted", "review", "feedback_given", "favour_asked", "goal_declared", "delivery", "service"),
    *("account_contact", "community_act", "preference_declared", "survey_answer", "order_cancelled", "inquiry"),
)
NAMES = st.fixed_dictionaries(
    {},
    optional={
        "cause": st.sampled_from(["rivers", "trees"]),
        "topic": st.sampled_from(["tea", "colour"]),
        "nps": st.sampled_from(["0", "6", "7", "8", "9", "10"]),
    },
)
CHAINS = (
    ("complaint_opened", "complaint_answered", "complaint_resolved"),
    ("complaint_opened", "complaint_resolved"),
    ("complaint_opened", "complaint_resolved", "complaint_opened"),
    ("complaint_opened", "complaint_resolved", "complaint_resolved"),
    ("promise_made", "promise_kept"),
    ("promise_made", "promise_broken"),
    ("promise_made", "promise_made", "promise_kept"),
    ("promise_made",),
    ("promise_kept",),
    ("complaint_resolved",),
    ("inquiry", "inquiry_answered"),
)


@st.composite
def chains(draw: st.DrawFn) -> list[Event]:
    """Events of one case, some days after each other; a promise may have a time by which it is due."""
    at, reference, events = draw(MINUTES), draw(REFERENCES), []
    for kind in draw(st.sampled_from(CHAINS)):
        data, pause = {}, draw(LATER)
        if kind == "promise_made" and draw(st.booleans()):
            due = at + draw(st.one_of(st.just(pause), LATER))
            data["due"] = due.date().isoformat() if draw(st.booleans()) else due.isoformat()
        events.append(Event(kind=kind, at=at, reference=reference, data=data))
        at += pause
    return events


ORDERS = st.builds(
    Event,
    kind=st.just("order"),
    at=MINUTES,
    # Never the sum that a bound of RFM is.
    minor=st.integers(-2, 60).map(lambda thousands: max(thousands, 0) * 1_000 + 37 * (thousands > 0)),
    categories=st.lists(st.sampled_from(["tea", "cake", "books", None]), max_size=3).map(tuple),
)
SINGLES = st.builds(Event, kind=st.sampled_from(SINGLE), at=MINUTES, data=NAMES)
HISTORY = st.lists(
    st.one_of(chains(), ORDERS.map(lambda each: [each]), SINGLES.map(lambda each: [each]), chains()), max_size=16
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    found = draw(st.lists(HISTORY, min_size=1, max_size=6))
    return [[event for episode in history for event in episode] for history in found]


def interactions(make: Make, found: Sequence[Sequence[Event]]) -> list[Interaction]:
    return [
        make(
            f"c{number:02d}",
            event.kind,
            event.at,
            id=f"{number}-{place}",
            reference=event.reference,
            minor=event.minor if event.kind == "order" else None,
            lines=[OrderLine(product="p", category=category) for category in event.categories],
            data=event.data,
        )
        for number, history in enumerate(found)
        for place, event in enumerate(history)
    ]


def computed(project: Relationships, names: Sequence[str], now: datetime, zone: str) -> list[Row]:
    (page,) = project.store.pages(None, as_of=now)
    found = standing(project.store, project.catalog, page, names, Moment(now=now, zone=zone))
    return list(found.select("customer", *names).iter_rows(named=True))


def compare(row: Row, expected: Mapping[str, tuple[float | str | None, float]]) -> None:
    wanted: dict[str, float | str | None] = {}
    for name, (value, confidence) in expected.items():
        wanted |= {name: value, f"{name}_confidence": confidence}
    plain = {name: value for name, value in wanted.items() if not isinstance(value, float | int)}
    numbers = {name: value for name, value in wanted.items() if isinstance(value, float | int)}
    assert {name: row[name] for name in plain} == plain
    assert {name: row[name] for name in numbers} == pytest.approx(numbers, rel=1e-9, abs=1e-12)


@given(
    found=histories(),
    after=st.integers(0, 400 * 24 * 60),
    zone=st.sampled_from(ZONES),
    use=st.sampled_from(["", "b2b"]),
    order=st.randoms(use_true_random=False),
    batches=st.integers(1, 4),
)
@settings(max_examples=60, phases=[Phase.reuse, Phase.generate])
def test_scores_agree_with_a_slow_reading_of_their_formulas(
    make_project: Open,
    make_interaction: Make,
    make_customer: Callable[..., Customer],
    *,
    found: list[list[Event]],
    after: int,
    zone: str,
    use: str,
    order: random.Random,
    batches: int,
) -> None:
    """In several batches, in any order: late, and the end of a case before its beginning."""
    project = make_project(zone=zone, parameters=ParameterSettings(use=use))
    arriving = interactions(make_interaction, found)
    order.shuffle(arriving)
    for batch in range(batches):
        project.record(arriving[batch::batches])
    project.record_customers(make_customer(f"c{number:02d}") for number in range(len(found)))
    now = max([START + LAST_DAYS * DAY, *(event.at for history in found for event in history)])
    now += timedelta(minutes=after)
    names = [name for rule in project.catalog.scores for name in (rule.name, f"{rule.name}_confidence")]
    rows = computed(project, names, now, zone)
    for row, history in zip(rows, found, strict=True):
        expected = Slow(events=history, now=now, zone=zone, half=HALF_LIVES[use]).scores()
        assert expected.keys() == {rule.name for rule in project.catalog.scores}
        compare(row, expected)
