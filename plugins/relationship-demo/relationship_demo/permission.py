"""Made-up permission for the households of the data, which were never asked: consents, objections and wishes.

Everything follows from the household's number, as its name does, so that every run makes the same. Every record says
that it is made up, as its source, its method and its evidence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from relationship_core import Consent, Preference
from relationship_demo.data import customer_id, households, months
from relationship_demo.people import draw, media_of
from relationship_demo.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relationship_core import ConsentAct, Wish
    from relationship_demo.months import Month

SOURCE, METHOD = "demo", "made up"
EVIDENCE = "made up for the demo: nobody of these data was ever asked"
WORDING = "Journey Market may write to me"

ALLOW = {"email": 0.75, "sms": 0.35}
"""The share of those who can be reached on a medium that allow it on the first day. Post needs no consent here."""
FOR_TIPS_ALONE = 0.15
"""Of those who allow e-mail, the share that allows tips from the kitchen and nothing else."""
TIPS = "kitchen"
WITHDRAW, OBJECT = 0.08, 0.02
"""Shares that take it back, or want no marketing at all, on some day of the year."""

ASKED = 0.25
"""The share that answers the made-up survey on some day of the year."""
WISHES: tuple[tuple[Wish, float], ...] = (("close", 0.2), ("occasional", 0.5), ("transactional", 0.22), ("none", 0.08))
"""What they want, with the share of each."""


def said(month: Month) -> Said:
    """What households said in a month."""
    return _year().within(month)


@cache
def _year() -> Said:
    numbers = households()["household_id"]
    return Said(
        consents=tuple(each for number in numbers for each in _consents(number)),
        preferences=tuple(each for number in numbers for each in _preferences(number)),
    )


def _consents(household: int) -> Iterator[Consent]:
    opening = months()[0].since
    allowed = [
        medium
        for medium, share in ALLOW.items()
        if medium in media_of(household) and draw(household, f"consent to {medium}") < share
    ]
    for medium in allowed:
        is_narrow = medium == "email" and draw(household, "consent to tips") < FOR_TIPS_ALONE
        yield _act(household, "grant", opening + timedelta(hours=10), medium, TIPS if is_narrow else "")
    if allowed and draw(household, "withdrawal") < WITHDRAW:
        yield _act(household, "withdraw", _some_day(household, "withdrawal"), allowed[0])
    if draw(household, "objection") < OBJECT:
        yield _act(household, "object", _some_day(household, "objection"))


def _act(household: int, act: ConsentAct, at: datetime, medium: str = "", topic: str = "") -> Consent:
    return Consent(
        customer=customer_id(household),
        act=act,
        at=at,
        medium=medium,
        topic=topic,
        jurisdiction="US",
        wording=WORDING if act == "grant" else "",
        version="1" if act == "grant" else "",
        method=METHOD,
        source=SOURCE,
        evidence=EVIDENCE,
    )


def _preferences(household: int) -> Iterator[Preference]:
    if draw(household, "survey") >= ASKED:
        return
    left = draw(household, "wish")
    for wish, share in WISHES:
        left -= share
        if left < 0:
            at = _some_day(household, "survey")
            yield Preference(customer=customer_id(household), wish=wish, at=at, source=f"{SOURCE}: made-up survey")
            return


def _some_day(household: int, what: str) -> datetime:
    """Ten o'clock of a day of the year, by a clock without summer time."""
    return months()[0].since + timedelta(days=int(draw(household, f"day of the {what}") * 364), hours=10)
