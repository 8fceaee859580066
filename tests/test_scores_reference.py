"""Every standard score against a slow reading of its formula, one customer at a time, from raw history.

The reference knows lists, loops and `math`; nothing of how the product folds, pairs, joins or decays. Nor does it know
how the product follows merged ids and contacts: it asks of each thing that happened whose it is by all that was told.
"""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from attrs import field, frozen
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import Choice, Customer, Interaction, OrderLine, ParameterSettings, Relationships
from relationship_core.flow.standing import Moment, standing
from relationship_core.flow.united import united

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


def interactions(make: Make, found: Mapping[str, Sequence[Event]]) -> list[Interaction]:
    return [
        make(
            customer,
            event.kind,
            event.at,
            id=f"{customer}-{place}",
            reference=event.reference,
            minor=event.minor if event.kind == "order" else None,
            lines=[OrderLine(product="p", category=category) for category in event.categories],
            data=event.data,
        )
        for customer, history in found.items()
        for place, event in enumerate(history)
    ]


def end_of(found: Mapping[str, Sequence[Event]], after: int) -> datetime:
    """So many minutes after the last thing that happened."""
    last = max([START + LAST_DAYS * DAY, *(event.at for history in found.values() for event in history)])
    return last + timedelta(minutes=after)


def agree(project: Relationships, found: Mapping[str, Sequence[Event]], now: datetime, zone: str, use: str) -> None:
    """Everybody in the project has the scores of their own history, and there is nobody else."""
    names = [name for rule in project.catalog.scores for name in (rule.name, f"{rule.name}_confidence")]
    store = united(project.store)
    (page,) = store.pages(None, as_of=now)
    rows = standing(store, project.catalog, page, names, Moment(now=now, zone=zone))
    assert list(rows["customer"]) == sorted(found)
    for row in rows.iter_rows(named=True):
        expected = Slow(events=found[row["customer"]], now=now, zone=zone, half=HALF_LIVES[use]).scores()
        assert expected.keys() == {rule.name for rule in project.catalog.scores}
        compare(row, expected)


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
    own = {f"c{number:02d}": history for number, history in enumerate(found)}
    arriving = interactions(make_interaction, own)
    order.shuffle(arriving)
    for batch in range(batches):
        project.record(arriving[batch::batches])
    project.record_customers(make_customer(customer) for customer in own)
    agree(project, own, end_of(own, after), zone, use)


# Whose history it is: ids that are merged and un-merged, and contacts of accounts, while history arrives

PEOPLE, FIRMS, UNTOLD = ("p0", "p1", "p2", "p3", "p4"), ("f0", "f1"), "p4"
"""Of UNTOLD nothing is known until something of theirs arrives, or they are told to be somebody else."""


@frozen(kw_only=True)
class Told:
    """What was told of who is who, and of who is a contact of whom, by the ids that were named.

    Attributes:
        into: into which id another was merged.
        links: by account and contact, since when and until when; None for always.
        known: the ids of which anything was recorded.
    """

    into: dict[str, str] = field(factory=dict)
    links: dict[tuple[str, str], tuple[datetime | None, datetime | None]] = field(factory=dict)
    known: set[str] = field(factory=set)

    def now(self, name: str) -> str:
        return self.now(self.into[name]) if name in self.into else name

    def is_account(self, name: str) -> bool:
        return self.now(name) in {self.now(account) for account, _ in self.links}

    def same(self, account: str, contact: str) -> list[tuple[str, str]]:
        """The links between these two, by whichever ids they were told."""
        pair = self.now(account), self.now(contact)
        return [each for each in self.links if (self.now(each[0]), self.now(each[1])) == pair]

    def histories(self, reported: Mapping[str, Sequence[Event]]) -> dict[str, list[Event]]:
        """What happened, for each one whom it counts for."""
        return {
            who: [event for name, own in reported.items() for event in own if self.counts(name, event.at, who)]
            for who in self.known - self.into.keys()
        }

    def counts(self, name: str, at: datetime, who: str) -> bool:
        """Whether what is reported of an id counts for a customer: theirs, or of a contact of theirs in its time."""
        periods = [
            period
            for (account, contact), period in self.links.items()
            if (self.now(account), self.now(contact)) == (who, self.now(name))
        ]
        in_time = [(since is None or since <= at) and (until is None or at < until) for since, until in periods]
        return self.now(name) == who or any(in_time)

    # What can be told next

    def merges(self) -> list[tuple[str, str]]:
        """Pairs of which the first may be merged into the other; an id that nobody knew may be linked."""
        return [
            (one, other)
            for same in (PEOPLE, FIRMS)
            for one in same
            for other in same
            if one not in self.into and other in self.known and self.now(other) != one
            if self.is_account(one) == self.is_account(other)
        ]

    def unmerges(self) -> list[tuple[str, str]]:
        return list(self.into.items())

    def pairs(self) -> list[tuple[str, str]]:
        return [(firm, person) for firm in FIRMS for person in PEOPLE if person in self.known]

    def open_links(self) -> list[tuple[str, str]]:
        return [each for each, (_, until) in self.links.items() if until is None]


def tell(project: Relationships, told: Told, what: str, choice: int, at: datetime) -> None:
    """Tell the project one more thing, and note it; nothing where nothing of the kind can be told."""
    possible = {"merge": told.merges, "unmerge": told.unmerges, "link": told.pairs}.get(what, told.open_links)()
    if not possible:
        return
    one, other = possible[choice // 2 % len(possible)]
    if what == "merge":
        who = project.identities
        done = who.merge(one, into=other) if one in told.known else who.link(one, to=other)
        assert done.survivor == told.now(other)
        told.into[one] = told.now(other)
        told.known.add(one)
    elif what == "unmerge":
        assert project.identities.unmerge(one).survivor == other
        del told.into[one]
    elif what == "link":
        since = None if choice % 2 else at
        project.accounts.link(one, other, since=since)
        told.links[one, other] = (since, None)
    else:
        end_link(project, told, one, other, None if what == "forget" else at)


def end_link(project: Relationships, told: Told, account: str, contact: str, at: datetime | None) -> None:
    """They left at that time, or as soon as they had come; None where they never were a contact."""
    ended = {each: told.links.pop(each) for each in told.same(account, contact)}
    if at is None:
        project.accounts.unlink(account, contact, mistaken=True)
        return
    at = max([at, *(since for since, _ in ended.values() if since is not None)])
    project.accounts.unlink(account, contact, until=at)
    told.links.update({each: (since, until or at) for each, (since, until) in ended.items()})


ACTS = st.tuples(
    st.sampled_from(["merge", "merge", "merge", "unmerge", "unmerge", "link", "link", "unlink", "forget"]),
    st.integers(0, 99),
    MINUTES,
)
NAMED = st.sampled_from([*PEOPLE, *PEOPLE, *FIRMS])
EPISODES = st.one_of(chains(), ORDERS.map(lambda each: [each]), SINGLES.map(lambda each: [each]), chains())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(
    episodes=st.lists(st.tuples(EPISODES, NAMED, NAMED), min_size=8, max_size=24),
    turns=st.lists(st.lists(ACTS, min_size=2, max_size=6), min_size=2, max_size=4),
    after=st.integers(0, 400 * 24 * 60),
    zone=st.sampled_from(ZONES),
    use=st.sampled_from(["", "b2b"]),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=40, phases=[Phase.reuse, Phase.generate])
def test_scores_are_those_of_the_history_that_counts_for_each(
    make_project: Open,
    make_interaction: Make,
    make_customer: Callable[..., Customer],
    tmp_path_factory: pytest.TempPathFactory,
    *,
    kind: str,
    episodes: list[tuple[list[Event], str, str]],
    turns: list[list[tuple[str, int, datetime]]],
    after: int,
    zone: str,
    use: str,
    order: random.Random,
) -> None:
    """Ids are merged, linked and taken apart between batches; a case may be of two ids, and any part of it late."""
    reported: dict[str, list[Event]] = {name: [] for name in (*PEOPLE, *FIRMS)}
    for events, *names in episodes:
        for event in events:
            reported[order.choice(names)].append(event)
    arriving = interactions(make_interaction, reported)
    order.shuffle(arriving)
    where = {"path": str(tmp_path_factory.mktemp("scores") / "kept.db")} if kind == "sqlite" else {}
    store = Choice(use=kind, settings=where)
    told = Told(known={*PEOPLE, *FIRMS} - {UNTOLD})
    with make_project(store=store, zone=zone, parameters=ParameterSettings(use=use)) as project:
        project.record_customers(make_customer(name) for name in sorted(told.known))
        for turn, acts in enumerate(turns):
            batch = arriving[turn :: len(turns)]
            project.record(batch)
            told.known.update(each.customer for each in batch)
            for what, choice, at in acts:
                tell(project, told, what, choice, at)
        assert project.record(arriving).new == 0, "what is reported again changes nothing, whoever it is of by now"
        agree(project, told.histories(reported), end_of(reported, after), zone, use)
