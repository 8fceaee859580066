"""Due times: looking only at whom is due gives on the same days what looking at everybody gives."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    CUSTOMERS,
    DECISIONS,
    STATES,
    TRANSITIONS,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    Feature,
    Interaction,
    KeyedMeasure,
    Ladder,
    Message,
    OrderLine,
    ParameterSettings,
    Provider,
    Receipt,
    Relationships,
    Stage,
    Steps,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.flow.standing import Moment, standing

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]

START = datetime(2024, 1, 20, 12, tzinfo=UTC)
"""When runs begin; history goes back 420 days, so that days leave their window of a year meanwhile."""

CUSTOMERS_EACH = 40

# Everything that moves by itself: silence, stay, decayed sums, ratios, windows, the mark, instants and dates.
RESTLESS = Ladder(
    name="restless",
    stages=(
        Stage(name="cold"),
        Stage(
            name="warm",
            enter="silence_days < 20 OR public_support > 0.6",
            leave="silence_days > 35 AND coalesce(public_support, 0) < 0.5",
            dwell_days=1.5,
        ),
        Stage(
            name="hot",
            enter="order_days_365 >= 3 AND benefit >= 0.5",
            leave="lapse > 2.5 OR (stage_days > 12 AND benefit < 0.52) OR order_days_365 < 2",
        ),
        Stage(name="core", enter="trust > 0.53 AND stage_days > 2 AND NOT lapsed", leave="trust < 0.52 OR lapsed"),
    ),
    lapsed="lapse > 1.5 OR visit_silence_days > 30",
)


def campaigns(make: Plan, low: str, rung: str) -> list[Campaign]:
    """Campaigns whose conditions use what moves by itself; ``low`` and ``rung`` are stages of the ladder."""
    return [
        make(
            "thanks", when="silence_days < 3", key="last_order_on", since="last_order_at", limits={"expires_days": 2.5}
        ),
        make("missing-you", audience="lapsed", when="now - last_order_at > 9 AND recency < 0.8", key="last_order_on"),
        make("settled", audience=f"stage >= '{rung}' AND stage_days BETWEEN 5 AND 12", nature="ask", value=3),
        make(
            "quiet", audience="recent_spend < 900 AND benefit < 0.6", key="order_days_365", limits={"per_customer": 2}
        ),
        make("spring", audience=f"now > '2024-03-05T07:00:00Z' AND stage <> '{low}'", priority=2),
        make("sorry", audience="promises_overdue >= 1 OR complaints_against > 0.9", key="next_promise_due_at"),
        make("firm", audience="strength > 0.3 AND trust < 0.56", key="month", nature="neutral"),
        make("dear", audience="loyalty IN ('true', 'spurious') AND commitment < 0.45", key="month"),
        make("cell", audience="rfm >= 344 OR monetary_fifth = 2", when="recency_fifth < 5", key="month"),
        make("share", audience="shared_values > 0.2 OR ask_ratio < 0.5 OR give_balance > 0", when="services_due > 0"),
        make("refill", when="replenishments_due >= 1", key="replenish_due_on", since="replenish_due_on"),
        make("instead", audience="replenish_category = 'tea' AND last_order_category <> 'tea'", key="month"),
        make("yearly", when="last_anniversary_on IS NOT NULL", key="last_anniversary_on", since="last_anniversary_on"),
        make("soon", audience="anniversary_on < '2024-03-01'", key="anniversary_on", purpose="service"),
        make("apology", when="last_promise_broken_at > now - 3", key="last_promise_broken_at", purpose="service"),
        make("receipt", purpose="service", when="silence_days < 0.7", key="last_order_at", since="last_order_at"),
    ]


Deed = tuple[str, str, datetime, dict[str, Any]]
"""Customer, kind, time, and what else is known of it."""


def history(chance: random.Random, days: int) -> list[Deed]:
    """What some customers do until the last day: each in an own rhythm, with bursts and long pauses."""
    kinds = (
        "visit praise complaint_opened promise_kept promise_broken referral_converted review gift_given return "
        "promise_made promise_made complaint_resolved item_acquired service preference_declared community_act "
        "favour_asked survey_answer campaign_received unsubscribe billing_error inquiry inquiry_answered"
    )
    found: list[Deed] = []
    for number in range(CUSTOMERS_EACH):
        day, rhythm = chance.uniform(-420, days), chance.choice([1.0, 3.0, 9.0, 30.0, 80.0])
        while day < days:
            at = START + timedelta(days=round(day * 86_400) / 86_400)
            kind = "order" if chance.random() < 0.5 else chance.choice(kinds.split())
            found.append((f"c{number:02d}", kind, at, details(chance, kind, at)))
            day += chance.expovariate(1 / rhythm)
    return found


def details(chance: random.Random, kind: str, at: datetime) -> dict[str, Any]:
    """What is paid, and what names the case and tells its times."""
    if kind == "order":
        named = chance.sample(["tea", "rye", "oil"], chance.randint(0, 2))
        lines = [OrderLine(product="p", category=name, minor=chance.randint(0, 500)) for name in named]
        return {"minor": chance.randint(1, 900), "lines": lines}
    due = at + timedelta(days=chance.uniform(0, 30))
    data = {
        "due": due.isoformat() if chance.random() < 0.5 else due.date().isoformat(),
        "service_interval_days": str(chance.randint(3, 90)),
        "nps": str(chance.randint(0, 10)),
        "cause": chance.choice(["rivers", "trees"]),
    }
    return {"reference": chance.choice(["1", "2", "3", "4", None]), "data": data}


def instants(chance: random.Random, days: int) -> Iterator[datetime]:
    """When runs happen: several on some days, and none on others."""
    day = 0.0
    while day < days:
        yield START + timedelta(days=day)
        day += chance.choice([0.1, 0.3, 0.7, 1.0, 1.0, 1.0, 2.0, 5.0]) * chance.uniform(0.9, 1.1)


def standings(project: Relationships) -> pl.DataFrame:
    """Stage, stay and mark of everybody, also of those of whom nothing is kept."""
    states = project.store.read(STATES, columns=["customer", "stage", "since", "lapsed"])
    everybody = project.store.read(CUSTOMERS, columns=["customer"])
    first = project.catalog.ladder.names[0]
    return everybody.join(states, on="customer", how="left", maintain_order="left").with_columns(
        pl.col("stage").fill_null(first), pl.col("lapsed").fill_null(value=False)
    )


def planned(project: Relationships) -> pl.DataFrame:
    found = project.store.read(DECISIONS).filter(pl.col("verdict") == "planned")
    return found.select("campaign", "action", "customer", "occasion", "at")


def everybody(project: Relationships, at: datetime) -> int:
    looked_at = project.review(as_of=at, everybody=True).customers
    project.plan(as_of=at)
    project.deliver(as_of=at)
    return looked_at


def compare(
    eager: Relationships, patient: Relationships, found: Sequence[Interaction], runs: Sequence[datetime]
) -> tuple[int, int]:
    """Let one project look at everybody and one at who is due; how many each looked at."""
    waiting = sorted(found, key=lambda interaction: (interaction.data["heard"], interaction.id))
    seen = [0, 0]
    for at in runs:
        news = [interaction for interaction in waiting if interaction.data["heard"] <= at.isoformat()]
        waiting = waiting[len(news) :]
        for project in (eager, patient):
            project.record(news)
        seen[0] += everybody(eager, at)
        reviewed = patient.run(as_of=at).reviewed
        assert reviewed is not None
        seen[1] += reviewed.customers
        assert standings(patient).equals(standings(eager)), at
        assert patient.store.read(TRANSITIONS).equals(eager.store.read(TRANSITIONS)), at
        assert planned(patient).equals(planned(eager)), at
    return seen[0], seen[1]


Simulate = Callable[..., tuple[int, int]]


@pytest.fixture(scope="module")
def simulate(
    make_project: Open, make_interaction: Make, make_customer: Callable[..., Customer], make_campaign: Plan
) -> Simulate:
    """Play one random history into both kinds of project."""

    def play(seed: int, *, ladder: Ladder | str, zone: str, days: int, key: str) -> tuple[int, int]:
        chance = random.Random(seed)
        found = []
        for place, (customer, kind, at, known) in enumerate(history(chance, days)):
            heard = at + timedelta(days=chance.choice([0, 0, 0, chance.uniform(0, 6)]))
            data = {**known.pop("data", {}), "heard": heard.isoformat()}
            found.append(make_interaction(customer, kind, at, id=f"{place:05d}", data=data, **known))
        known_customers = [make_customer(f"c{number:02d}") for number in range(0, CUSTOMERS_EACH, 2)]
        known_customers += [
            make_customer(f"c{number:02d}", contact_points=()) for number in range(1, CUSTOMERS_EACH, 8)
        ]
        low, rung = ("prospect", "customer") if ladder == "b2c" else ("cold", "warm")
        hot = "client" if ladder == "b2c" else "hot"
        intervals = {"default": 3.0, low: 0.0, rung: 1.0, hot: 0.4}
        often = make_campaign("often", audience="visit_days >= 2", key=key, priority=-1)
        plans = [*campaigns(make_campaign, low, rung), often]
        eager, patient = (
            make_project(*plans, ladder=ladder, zone=zone, minimum_interval_days=intervals) for _ in range(2)
        )
        for project in (eager, patient):
            project.record_customers(known_customers)
        return compare(eager, patient, found, list(instants(chance, days)))

    return play


SEEDS = st.integers(0, 2**32)
ONCE = settings(max_examples=1, phases=[Phase.reuse, Phase.generate])
"""One example is forty customers and some forty runs; a smaller seed makes no smaller history."""
SOMEWHERE = st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe"])


@given(seed=SEEDS, zone=SOMEWHERE)
@ONCE
def test_a_restless_ladder(simulate: Simulate, seed: int, zone: str) -> None:
    all_of_them, due = simulate(seed, ladder=RESTLESS, zone=zone, days=60, key="year")
    assert due < 0.9 * all_of_them


@given(seed=SEEDS, zone=SOMEWHERE)
@ONCE
def test_the_standard_ladder(simulate: Simulate, seed: int, zone: str) -> None:
    all_of_them, due = simulate(seed, ladder="b2c", zone=zone, days=100, key="month")
    assert due < 0.9 * all_of_them


# What the random histories seldom meet


def both(project: Callable[[], Relationships], found: Sequence[Interaction], runs: Sequence[datetime]) -> Relationships:
    """Compare the two ways for one history; the project that looked at who was due."""
    heard = [evolve(each, data={"heard": each.at.isoformat()}) for each in found]
    eager, patient = project(), project()
    compare(eager, patient, heard, runs)
    return patient


def test_a_day_leaves_its_window_on_time_when_clocks_change(make_project: Open, make_interaction: Make) -> None:
    """A second before the day of 23 hours begins, the last order day of a year leaves in 23 hours and a second."""
    ladder = Ladder(
        name="window",
        stages=(Stage(name="out"), Stage(name="in", enter="order_days_365 >= 1", leave="order_days_365 < 1")),
    )
    now = datetime(2024, 3, 10, 4, 59, 59, tzinfo=UTC)
    order = make_interaction("ada", "order", datetime(2023, 3, 12, 17, tzinfo=UTC), minor=1)
    runs = [now, now + timedelta(hours=23), now + timedelta(hours=23, seconds=1), now + timedelta(days=2)]
    project = both(lambda: make_project(ladder=ladder, zone="America/New_York"), [order], runs)
    assert project.store.read(TRANSITIONS)["at"].to_list() == [runs[0], runs[2]]


def promising(make: Make) -> list[Interaction]:
    """Somebody who trusts us, and to whom a promise is due on the tenth day, some hours after the run."""
    due = START + timedelta(days=9, hours=3)
    lines = [OrderLine(product="t", category="tea")]
    found = [
        make("ada", "visit", START - timedelta(days=700)),
        make("ada", "order", START, minor=5, lines=lines),
        make("ada", "promise_made", START, reference="0", data={"due": due.isoformat()}),
    ]
    for number in range(1, 7):
        at = START - timedelta(hours=number)
        kinds = ("promise_made", "promise_kept", "praise")
        found += [make("ada", kind, at, reference=str(number)) for kind in kinds]
    return found


@pytest.mark.parametrize(
    "column",
    [
        *("trust", "trust_confidence", "attitude", "attitude_confidence", "strength", "loyalty"),
        *("promises_broken", "promises_open", "promises_overdue", "next_promise_due_at", "last_promise_broken_at"),
    ],
)
def test_a_promise_that_falls_due_is_noticed_by_all_that_rests_on_it(
    make_project: Open, make_interaction: Make, column: str
) -> None:
    """Nothing is recorded when its time passes, and the one condition is all that could make anybody due."""
    found = promising(make_interaction)
    runs = [START + timedelta(days=day) for day in range(14)]
    known = make_project()
    known.record(found)

    def value(name: str, day: int) -> float:
        (page,) = known.store.pages(None, as_of=runs[day])
        seen = standing(known.store, known.catalog, page, [name], Moment(now=runs[day], zone="UTC"))
        return float(seen[name][0])

    chosen = ParameterSettings()
    if column == "next_promise_due_at":
        condition = "next_promise_due_at IS NULL"
    elif column == "last_promise_broken_at":
        condition = "last_promise_broken_at IS NOT NULL"
    elif column == "loyalty":
        condition = "loyalty <> 'true'"
        between = (value("attitude", 9) + value("attitude", 10)) / 2
        chosen = ParameterSettings(values={"loyalty_attitude": between, "loyalty_regularity": 0.001})
    else:
        before, after = value(column, 9), value(column, 10)
        condition = f"{column} {'<' if after < before else '>'} {(before + after) / 2!r}"
    ladder = Ladder(name="breach", stages=(Stage(name="before"), Stage(name="after", enter=condition)))
    eager, patient = (make_project(ladder=ladder, parameters=chosen) for _ in range(2))
    for project in (eager, patient):
        project.record(found)
    compare(eager, patient, [], runs)
    assert patient.store.read(TRANSITIONS)["at"].to_list() == [runs[10]]


def test_a_mark_that_the_ladder_reads_counts_from_the_next_run(make_project: Open, make_interaction: Make) -> None:
    """Twice on one local day: the mark is set by the first run, and the second acts on it."""
    ladder = Ladder(
        name="marked",
        stages=(Stage(name="near"), Stage(name="far", enter="lapsed")),
        lapsed="silence_days > 1",
    )
    order = make_interaction("ada", "order", START, minor=1)
    runs = [START + timedelta(days=2, hours=hours) for hours in range(3)]
    project = both(lambda: make_project(ladder=ladder), [order], runs)
    assert project.store.read(TRANSITIONS)["at"].to_list() == [runs[1]]


def test_the_rules_of_a_new_rung_are_looked_at(make_project: Open, make_interaction: Make) -> None:
    """Whoever loses a rung may qualify for it anew, when the stay is long enough, without any news."""
    ladder = Ladder(
        name="revolving",
        stages=(Stage(name="out", dwell_days=2.5), Stage(name="in", enter="orders >= 1", leave="orders < 9")),
    )
    order = make_interaction("ada", "order", START, minor=1)
    runs = [START + timedelta(hours=12 * number) for number in range(12)]
    project = both(lambda: make_project(ladder=ladder), [order], runs)
    assert project.store.read(TRANSITIONS).height == 4


def test_without_an_interval_the_next_in_line_follows_in_the_next_run(
    make_project: Open, make_interaction: Make, make_customer: Callable[..., Customer], make_campaign: Plan
) -> None:
    campaigns = [make_campaign("first", priority=1), make_campaign("second")]

    def project() -> Relationships:
        made = make_project(*campaigns, minimum_interval_days={"default": 0.0})
        made.record_customers([make_customer("ada")])
        return made

    runs = [START + timedelta(hours=number) for number in range(3)]
    found = planned(both(project, [make_interaction("ada", "visit", START)], runs))
    assert dict(found.select("campaign", "at").iter_rows()) == {"first": runs[0], "second": runs[1]}


class Picky:
    """A plugin with a channel that rejects the campaign ``refused``."""

    medium = "email"

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        return [
            Receipt(message=each.id, state="rejected" if each.engagement.campaign == "refused" else "accepted")
            for each in messages
        ]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(
                name="picky", factory=lambda _: self, settings=NullSettings, summary="Picky.", capabilities=["local"]
            ),
        )


def test_a_message_that_came_to_nothing_frees_the_slot(
    make_project: Open, make_interaction: Make, make_customer: Callable[..., Customer], make_campaign: Plan
) -> None:
    campaigns = [make_campaign("refused", priority=1), make_campaign("second")]

    def project() -> Relationships:
        chosen = {"letters": Choice(use="picky")}
        made = make_project(*campaigns, plugins=[Picky()], channels=chosen, minimum_interval_days={"default": 9.0})
        made.record_customers([make_customer("ada")])
        return made

    runs = [START + timedelta(days=number) for number in range(3)]
    found = planned(both(project, [make_interaction("ada", "visit", START)], runs))
    assert dict(found.select("campaign", "at").iter_rows()) == {"refused": runs[0], "second": runs[1]}


class Shelf:
    """A plugin with a column that jumps by itself: how many days ago, in steps of three, the first visit was."""

    @hookimpl
    def relationship_measures(self) -> tuple[KeyedMeasure, ...]:
        age = (pl.col("today") - pl.col("on").min()).dt.total_days() // 3
        jump = pl.col("next_day").first()
        feature = Feature(name="shelf", value=age.first(), motion=Steps(next_change=jump))
        return (KeyedMeasure(name="shelf_day", kinds=("visit",), key="day", features=(feature,)),)


def test_a_key_that_jumps_by_itself_makes_a_new_occasion(
    make_project: Open, make_interaction: Make, make_customer: Callable[..., Customer], make_campaign: Plan
) -> None:
    campaign = make_campaign("shelf", key="shelf")
    visit = make_interaction("ada", "visit", START)

    def project() -> Relationships:
        made = make_project(campaign, plugins=[Shelf()], minimum_interval_days={"default": 0.0})
        made.record_customers([make_customer("ada")])
        return made

    runs = [START + timedelta(days=number) for number in range(8)]
    found = planned(both(project, [visit], runs))
    assert dict(found.select("occasion", "at").iter_rows()) == {"0.0": runs[0], "1.0": runs[3], "2.0": runs[6]}


@pytest.mark.parametrize("key", ["silence_days", "stage_days", "benefit", "now", "recent_spend"])
def test_a_key_that_never_rests_is_refused(make_project: Open, make_campaign: Plan, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"campaign 'x', action 'write', occasion key: '{key}' moves"):
        _ = make_project(make_campaign("x", key=key)).rules
