"""What the customers of the garage allow and want, when marketing would hurt, and whether it was kept to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl

from relationship_core import INSTANT, MESSAGES, Consent, Customer, Page, Preference, Relationships
from relationship_demo.business import Claim
from relationship_demo.garage import lives
from relationship_demo.garage.diary import Actor, Diary
from relationship_demo.said import Said

if TYPE_CHECKING:
    from relationship_core import ConsentAct, Wish

SOURCE, METHOD = "demo", "made up"
EVIDENCE = "made up for the demo: nobody of this garage exists"
WORDING = "Garage Beispiel may write to me"

ALLOW, FRIENDS_ALLOW = {"email": 0.75, "sms": 0.5}, {"email": 0.95, "sms": 0.8}
"""The share of those who can be reached on a medium that allow it when they become customers."""
FRIENDS = (lives.ADVOCATE.name, lives.PARTNER.name)
WITHDRAW, OBJECT, OBJECT_AFTER_A_BREAK = 0.05, 0.02, 0.4
ASKED = 0.4
"""The share that tells us which relationship they want."""
REGULAR_WISHES: Mapping[Wish, float] = {"close": 0.15, "occasional": 0.6, "transactional": 0.2, "none": 0.05}
WISHES: Mapping[str, Mapping[Wish, float]] = {
    lives.ADVOCATE.name: {"close": 0.7, "occasional": 0.3},
    lives.PARTNER.name: {"close": 0.9, "occasional": 0.1},
    lives.HABIT.name: {"occasional": 0.3, "transactional": 0.5, "none": 0.2},
}
"""What those who are asked say, with the share of each, by life; the others as REGULAR_WISHES."""

SENSITIVE = 0.06
"""The share of private customers to whom something happens in which marketing would hurt."""
SENSITIVE_DAYS = (60, 150)

TRUTH: dict[str, pl.DataType | type[pl.DataType]] = {
    "customer": pl.String,
    "allows": pl.String,
    "objected_at": INSTANT,
    "wish": pl.String,
    "wished_at": INSTANT,
}
"""The columns that the truth has of it: ``allows`` are the media that were allowed, with spaces between."""
HURTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "customer": pl.String,
    "hurts_from": INSTANT,
    "hurts_until": INSTANT,
}
"""The columns that the truth has of when marketing would hurt."""


def plant(customer: Customer, truth: Mapping[str, Any], random: Random, end: datetime) -> Said:
    """What one customer says. A second id says nothing, since nobody was asked there.

    Args:
        customer: who they are.
        truth: their row of the truth.
        random: where chance comes from.
        end: when the data end.
    """
    if truth["form"] == "twin":
        return Said()
    acts = [each for each in _acts(customer, truth, random, end) if each.at < end]
    wishes = [each for each in _wishes(customer, truth, random, end) if each.at < end]
    return Said(consents=tuple(acts), preferences=tuple(wishes))


def _acts(customer: Customer, truth: Mapping[str, Any], random: Random, end: datetime) -> Iterator[Consent]:
    since: datetime = truth["since"]
    shares = FRIENDS_ALLOW if truth["life"] in FRIENDS else ALLOW
    reached = [point.medium for point in customer.contact_points]
    allowed = [medium for medium, share in shares.items() if medium in reached and random.random() < share]
    for medium in allowed:
        yield _act(customer, "grant", since + timedelta(hours=1), medium)
    if allowed and random.random() < WITHDRAW:
        yield _act(customer, "withdraw", _between(since, end, random), allowed[0])
    broken_at = truth["broken_at"]
    if random.random() < (OBJECT if broken_at is None else OBJECT_AFTER_A_BREAK):
        objected = _between(since, end, random) if broken_at is None else broken_at + timedelta(days=20)
        yield _act(customer, "object", objected)


def _act(customer: Customer, act: ConsentAct, at: datetime, medium: str = "") -> Consent:
    return Consent(
        customer=customer.id,
        act=act,
        at=at,
        medium=medium,
        jurisdiction="DE",
        method=METHOD,
        source=SOURCE,
        evidence=EVIDENCE,
        wording=WORDING if act == "grant" else "",
        version="1" if act == "grant" else "",
    )


def _wishes(customer: Customer, truth: Mapping[str, Any], random: Random, end: datetime) -> Iterator[Preference]:
    if random.random() < ASKED:
        shares = WISHES.get(truth["life"], REGULAR_WISHES)
        (wish,) = random.choices(list(shares), list(shares.values()))
        at = _between(truth["since"], end, random)
        yield Preference(customer=customer.id, wish=wish, at=at, source=f"{SOURCE}: made-up survey")


def _between(since: datetime, end: datetime, random: Random) -> datetime:
    day = since + (end - since) * random.uniform(0.1, 0.9)
    return day.replace(minute=0, second=0, microsecond=0)


def hurts(truth: Mapping[str, Any], diary: Diary) -> dict[str, Any] | None:
    """Let something sad happen to one customer in some, told with its end, or ended by a word; the row of HURTS.

    Args:
        truth: their row of the truth.
        diary: where it is written down.
    """
    if truth["form"] != "private" or not diary.happens(SENSITIVE):
        return None
    who = Actor(customer=truth["customer"])
    since = diary.after(_between(truth["since"], diary.until, diary.random), 0, 1)
    until = diary.after(since, *SENSITIVE_DAYS)
    if diary.happens(0.5):
        diary.note("sensitive_noted", since, who, until=until.isoformat())
    else:
        diary.note("sensitive_noted", since, who)
        diary.note("sensitive_over", until, who)
    return {"customer": truth["customer"], "hurts_from": since, "hurts_until": until}


def planted(said: Sequence[Said]) -> pl.DataFrame:
    """The columns of TRUTH, a row for each customer who said something."""
    rows: dict[str, dict[str, Any]] = {}
    for each in said:
        for act in each.consents:
            row = rows.setdefault(act.customer, {"customer": act.customer})
            if act.act == "grant":
                row["allows"] = " ".join((*row.get("allows", "").split(), act.medium))
            elif act.act == "object":
                row["objected_at"] = act.at
        for preference in each.preferences:
            row = rows.setdefault(preference.customer, {"customer": preference.customer})
            row |= {"wish": preference.wish, "wished_at": preference.at}
    return pl.DataFrame([{name: row.get(name) for name in TRUTH} for row in rows.values()], schema=TRUTH)


def kept_to(relationships: Relationships, truth: pl.DataFrame) -> list[Claim]:
    """Whether marketing stopped where somebody objected to it, or wished for none.

    Args:
        relationships: the project.
        truth: the rows of those who are known in it.
    """
    unwanted = pl.col("wish").is_in(["transactional", "none"])
    ever = pl.lit(None, INSTANT)
    periods = {
        "an objection ends all marketing": (pl.col("objected_at"), ever),
        "who wishes for no marketing gets none": (pl.when(unwanted).then("wished_at"), ever),
        "marketing waits while it would hurt": (pl.col("hurts_from"), pl.col("hurts_until")),
    }
    return [(told, *_silent(relationships, truth, since, until), 1.0) for told, (since, until) in periods.items()]


def _silent(relationships: Relationships, truth: pl.DataFrame, since: pl.Expr, until: pl.Expr) -> tuple[int, int]:
    """Of how many it is true, and how many of them have had no marketing message in that time."""
    now = relationships.clock()
    told = truth.select("customer", since=since, until=until).filter(pl.col("since") <= now).sort("customer")
    if told.is_empty():
        return 0, 0
    columns = ["customer", "purpose", "state", "queued_at"]
    messages = relationships.store.read(MESSAGES, page=Page(told["customer"]), columns=columns)
    sent = messages.filter(pl.col("purpose") == "marketing", ~pl.col("state").is_in(["held_out", "stopped"]))
    within = (pl.col("queued_at") > pl.col("since")) & (
        pl.col("until").is_null() | (pl.col("queued_at") < pl.col("until"))
    )
    return told.height, told.height - sent.join(told, on="customer").filter(within)["customer"].n_unique()
