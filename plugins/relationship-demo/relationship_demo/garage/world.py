"""The whole synthetic garage: who there is, what happens in two years, and the truth about it.

Everything follows from the seed. The truth is kept apart from what happens: nothing that is recorded names a life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core import INSTANT, Customer
from relationship_demo.garage import lives, permission
from relationship_demo.garage.diary import Actor, Diary, frame, local
from relationship_demo.garage.happenings import CARS, Car, Relation, break_trust, live, open_relation, recommend
from relationship_demo.garage.lives import Life
from relationship_demo.garage.people import ROLES, ZONE, firm, person, profile, twin
from relationship_demo.months import Month, months_from
from relationship_demo.said import Said

SEED = 2023
YEAR, MONTHS = 2023, 24
TWINS = ("email", "telephone", "name and address")
TWIN_PAIRS = 30
WEB = "tyre-shop"
"""The other system, which knows some customers under another id."""
CHANGED_CARS = 0.1
"""So many cars are replaced by another on some day."""
LATE_KINDS = ("visit", "praise", "inquiry_answered", "promise_made", "gift_given", "survey_answer")
LATE_SHARE = 0.02
NEVER_MADE = 3

TRUTH: dict[str, pl.DataType | type[pl.DataType]] = {
    "customer": pl.String,
    "form": pl.String,
    "life": pl.String,
    "account": pl.String,
    "same_as": pl.String,
    "since": INSTANT,
    "broken_at": INSTANT,
    "left_at": INSTANT,
}
"""The columns of the truth: ``form`` is private, twin, firm or contact; ``account`` the firm of a contact;
``same_as`` whom a twin really is; ``broken_at`` when our word was first broken; ``left_at`` from when on somebody
stays away."""

CONTACTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "account": pl.String,
    "customer": pl.String,
    "role": pl.String,
    "since": INSTANT,
}
"""The columns of a firm's contacts."""


@frozen(kw_only=True)
class World:
    """The garage.

    Attributes:
        customers: who there is, each with the instant from which on we know them.
        interactions: what happened: the columns of INTERACTIONS, and ``reported``, when it reaches us.
        truth: the columns of TRUTH, of ``permission.TRUTH`` and of ``permission.HURTS``, a row for each customer.
        duplicates: ``customer`` and ``same_as``, and ``by`` what it can be seen.
        contacts: the columns of CONTACTS, a row for each contact of a firm.
        oddities: ``source`` and ``id`` of interactions that are odd on purpose, and ``what``: ``late`` ones reach us
            weeks after they happened, ``never made`` are promises kept that nobody made.
        said: what they allow, and which relationship they want.
    """

    customers: tuple[tuple[datetime, Customer], ...]
    interactions: pl.DataFrame
    truth: pl.DataFrame
    duplicates: pl.DataFrame
    contacts: pl.DataFrame
    oddities: pl.DataFrame
    said: Said


@cache
def months() -> tuple[Month, ...]:
    """The months of the replay, in order."""
    return months_from(YEAR, MONTHS, ZONE)


@frozen(kw_only=True)
class _Story:
    """One relationship: a person, maybe under two ids, or a firm with its contacts."""

    customers: tuple[tuple[datetime, Customer], ...]
    rows: list[dict[str, Any]]
    truth: tuple[dict[str, Any], ...]
    duplicates: tuple[dict[str, Any], ...] = ()
    contacts: tuple[dict[str, Any], ...] = ()


@frozen(kw_only=True)
class _Course:
    """When a life begins, breaks, and ends."""

    since: datetime
    broken_at: datetime | None = None
    left_at: datetime | None = None


@cache
def world(seed: int = SEED) -> World:
    """Make the garage; the same seed makes the same."""
    private, firms = _shuffled(lives.PRIVATE, f"{seed} private"), _shuffled(lives.FIRMS, f"{seed} firms")
    twins = _twins(private, seed)
    stories = [
        *(_private(number, life, seed, twins.get(number)) for number, life in enumerate(private)),
        *(_firm(number, life, seed) for number, life in enumerate(firms)),
    ]
    interactions, oddities = _with_oddities(stories, _chance(f"{seed} oddities"))
    truth = pl.DataFrame([row for story in stories for row in story.truth], schema=TRUTH)
    customers = tuple(known for story in stories for known in story.customers)
    said = _said(dict(zip(truth["customer"], truth.to_dicts(), strict=True)), customers, seed)
    sad, hurts = _hurts(truth, seed)
    return World(
        customers=customers,
        interactions=pl.concat([interactions, sad]).sort("reported", "at", "source", "id"),
        truth=truth.join(permission.planted(said), on="customer", how="left", maintain_order="left").join(
            hurts, on="customer", how="left", maintain_order="left"
        ),
        said=Said(
            consents=tuple(act for each in said for act in each.consents),
            preferences=tuple(wish for each in said for wish in each.preferences),
        ),
        duplicates=pl.DataFrame(
            [row for story in stories for row in story.duplicates],
            schema={"customer": pl.String, "same_as": pl.String, "by": pl.String},
        ),
        contacts=pl.DataFrame(
            [row for story in stories for row in story.contacts],
            schema=CONTACTS,
        ),
        oddities=oddities,
    )


def _said(
    truth: Mapping[str, Mapping[str, Any]], customers: Sequence[tuple[datetime, Customer]], seed: int
) -> list[Said]:
    end = months()[-1].until
    return [
        permission.plant(customer, truth[customer.id], _chance(f"{seed} permission of {customer.id}"), end)
        for _, customer in customers
    ]


def _hurts(truth: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What happened in which marketing would hurt, and the rows of ``permission.HURTS``."""
    found, rows, end = [], [], months()[-1].until
    for row in truth.iter_rows(named=True):
        who = row["customer"]
        diary = Diary(f"sad-{who}", _chance(f"{seed} hurts {who}"), row["since"], end)
        found.append(permission.hurts(row, diary))
        rows += diary.rows
    return frame(rows), pl.DataFrame([each for each in found if each], schema=permission.HURTS)


def _chance(seed: str) -> Random:
    return Random(seed)  # noqa: S311  it draws lives, not secrets


def _shuffled(numbers: Mapping[Life, int], seed: str) -> list[Life]:
    found = [life for life, number in numbers.items() for _ in range(number)]
    _chance(seed).shuffle(found)
    return found


def _twins(private: Sequence[Life], seed: int) -> dict[int, str]:
    """Who is known under a second id, and what gives it away; of broken lives and newcomers nobody."""
    possible = [
        number for number, life in enumerate(private) if life.name not in {lives.BROKEN.name, lives.NEWCOMER.name}
    ]
    chosen = _chance(f"{seed} twins").sample(possible, TWIN_PAIRS)
    return {number: TWINS[n % len(TWINS)] for n, number in enumerate(chosen)}


def _private(number: int, life: Life, seed: int, twin_by: str | None) -> _Story:
    random = _chance(f"{seed} private {number}")
    customer, who, course = f"customer-{number:03}", profile(number, random), _course(life, random)
    customers = [(course.since, person(customer, who, form="private", media=_media(random, twin_by)))]
    truth = [_truth(customer, "private", life, course)]
    actors = [Actor(customer=customer)]
    duplicates = []
    if twin_by:
        web = f"web-{number:03}"
        customers.append((course.since, twin(web, who, by=twin_by)))
        truth.append({**_truth(web, "twin", life, course), "same_as": customer})
        duplicates.append({"customer": web, "same_as": customer, "by": twin_by})
        actors.append(Actor(customer=web, share=0.2, source=WEB))
    rows = _lived(f"p{number}", life, course, actors, random, cars=random.choice((1, 1, 1, 2)))
    return _Story(customers=tuple(customers), rows=rows, truth=tuple(truth), duplicates=tuple(duplicates))


def _media(random: Random, twin_by: str | None) -> list[str]:
    """Everybody has a letter box; what gives a twin away is known of both."""
    needed = {"email": "email", "telephone": "sms"}.get(twin_by or "")
    shares = (("email", 0.85), ("sms", 0.7))
    return ["post", *(medium for medium, share in shares if random.random() < share or medium == needed)]


def _firm(number: int, life: Life, seed: int) -> _Story:
    random = _chance(f"{seed} firm {number}")
    account, course = f"firm-{number:02}", _course(life, random)
    customers = [(course.since, firm(account, 1000 + number, random))]
    truth = [_truth(account, "firm", life, course)]
    contacts, actors = [], []
    for place in range(random.randint(2, 5)):
        customer, who = f"{account}-contact-{place + 1}", profile(2000 + number * 10 + place, random)
        customers.append((course.since, person(customer, who, form="contact")))
        truth.append({**_truth(customer, "contact", life, course), "account": account})
        contacts.append({"account": account, "customer": customer, "role": ROLES[place], "since": course.since})
        actors.append(Actor(customer=customer, share=2.0 if place == 0 else 1.0))
    rows = _lived(f"f{number}", life, course, actors, random, cars=random.randint(4, 10))
    return _Story(customers=tuple(customers), rows=rows, truth=tuple(truth), contacts=tuple(contacts))


def _truth(customer: str, form: str, life: Life, course: _Course) -> dict[str, Any]:
    instants = {"since": course.since, "broken_at": course.broken_at, "left_at": course.left_at}
    return {"customer": customer, "form": form, "life": life.name, "account": None, "same_as": None, **instants}


def _course(life: Life, random: Random) -> _Course:
    year = months()
    opening = year[0].since
    if life.name == lives.NEWCOMER.name:
        return _Course(since=_opens(year[20].since + timedelta(days=random.uniform(0, 95))))
    soon = _opens(opening + timedelta(days=random.uniform(0, 60)))
    if life.name == lives.BROKEN.name:
        # A Wednesday early in a month, so that all of it lies before the review at the month's end, and not on Sundays.
        month = year[random.randint(9, 20)]
        day = month.since.astimezone(ZoneInfo(ZONE)).date() + timedelta(days=random.randint(3, 11))
        return _Course(since=soon, broken_at=local(day + timedelta(days=(2 - day.weekday()) % 7), 17 * 60))
    if life.name == lives.LAPSED.name:
        left = year[random.randint(5, 11)].since + timedelta(days=random.uniform(0, 28))
        return _Course(since=soon, left_at=_opens(left))
    return _Course(since=_opens(opening + timedelta(days=random.uniform(0, 240))))


def _opens(at: datetime) -> datetime:
    """Half past seven of that local day."""
    return local(at.astimezone(ZoneInfo(ZONE)).date(), 7 * 60 + 30)


def _lived(
    key: str, life: Life, course: _Course, actors: Sequence[Actor], random: Random, *, cars: int
) -> list[dict[str, Any]]:
    """What happens in the two years."""
    end = months()[-1].until
    diary = Diary(key, random, course.since, end)
    owned = tuple(car for number in range(cars) for car in _cars(f"car-{key}-{number + 1}", course, random))
    relation = Relation(diary=diary, actors=tuple(actors), cars=owned, is_firm=key.startswith("f"))
    open_relation(relation, life, course.since)
    until = course.left_at or end
    if course.broken_at is None:
        live(relation, life, course.since, until)
    else:
        live(relation, life, course.since, course.broken_at - timedelta(days=5))
        break_trust(relation, course.broken_at)
        live(relation, lives.AFTER_THE_BREAK, course.broken_at + timedelta(days=28), until)
    if life.reviews and not any(row["kind"] in {"review", "referral_converted"} for row in diary.rows):
        # An advocate is somebody who has recommended us: that is what the label means.
        recommend(relation, life, course.since + timedelta(days=400, hours=12))
    return diary.rows


def _cars(reference: str, course: _Course, random: Random) -> Iterator[Car]:
    """A car, and the one that replaces it, if any does."""
    since, end = course.since + timedelta(minutes=random.randint(1, 20)), months()[-1].until
    changed = since + (end - since) * random.uniform(0.3, 0.7) if random.random() < CHANGED_CARS else end
    changed = changed if changed == end else _opens(changed)
    yield Car(reference=reference, model=random.choice(CARS), since=since, until=changed)
    if changed != end and course.left_at is None:
        yield Car(reference=f"{reference}b", model=random.choice(CARS), since=changed, until=end)


def _with_oddities(stories: Sequence[_Story], random: Random) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What happened, with a few rows that come late, and a few promises kept that were never made.

    All of them in lives of which nothing is claimed.
    """
    end = months()[-1].until
    rows = [row for story in stories for row in story.rows]
    plain = [row for story in stories if story.truth[0]["life"] == lives.REGULAR.name for row in story.rows]
    late = {}
    for row in plain:
        reported = row["at"] + timedelta(days=random.randint(20, 50))
        if row["kind"] in LATE_KINDS and reported < end and random.random() < LATE_SHARE:
            late[row["id"]] = reported
    kept = random.sample([row for row in plain if row["kind"] == "promise_kept"], NEVER_MADE)
    lost = [{**row, "id": f"{row['id']}-lost", "reference": f"{row['reference']}-lost"} for row in kept]
    odd = [{"source": row["source"], "id": row["id"], "what": "late"} for row in plain if row["id"] in late]
    odd += [{"source": row["source"], "id": row["id"], "what": "never made"} for row in lost]
    told = [{**row, "reported": late.get(row["id"], row["at"])} for row in rows]
    return frame([*told, *lost]), pl.DataFrame(odd, schema={"source": pl.String, "id": pl.String, "what": pl.String})


def customers(month: Month) -> tuple[Customer, ...]:
    """Who becomes known in a month."""
    return tuple(customer for at, customer in world().customers if month.since <= at < month.until)


def interactions(month: Month) -> pl.DataFrame:
    """What reaches us in a month, with the columns of INTERACTIONS; a few rows are of months before.

    Returns:
        The rows in the order in which they reach us.
    """
    within = pl.col("reported").is_between(pl.lit(month.since), pl.lit(month.until), closed="left")
    return world().interactions.filter(within).drop("reported")


def said(month: Month) -> Said:
    """What customers said about contact in a month."""
    return world().said.within(month)
