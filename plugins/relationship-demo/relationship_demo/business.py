"""What a business is to the demo: functions that give its people and what happened, and the words for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from relationship_core import Customer, Relationships, Report
from relationship_demo.months import Month
from relationship_demo.said import Said

if TYPE_CHECKING:
    import polars as pl

Claim: TypeAlias = tuple[str, int, int, float]
"""What is claimed, of how many, for how many it was found, and the share that is needed."""


@frozen(kw_only=True)
class Truth:
    """The planted truth beside what was found.

    Attributes:
        meanings: the kinds of lives, in words.
        lives: a row for each of them, and for firms and contacts apart: ``life``, ``planted``, for each of ``stages``
            how many got so far at most, and ``lapsed``: how many are marked so.
        stages: the stages, the lowest first.
        claims: what is claimed of whom.
    """

    meanings: Mapping[str, str]
    lives: Sequence[Mapping[str, Any]]
    stages: Sequence[str]
    claims: Sequence[Claim]


@frozen(kw_only=True)
class Wording:
    """The words of one business.

    Attributes:
        people: what customers are called, in the plural.
        person: what one of them is called.
        opening: what is told first, from the report; it says what is real.
        buying: what is told about stages that nobody has reached.
        lacking: what is said of a score without evidence.
        later: why a question is to be answered as of the end of the data.
        plurals: the kinds of interaction, one and many.
    """

    people: str
    person: str
    opening: Callable[[Report], str]
    buying: str
    lacking: str
    later: str
    plurals: Mapping[str, tuple[str, str]]


@frozen(kw_only=True)
class Business:
    """A business whose history is replayed.

    Attributes:
        name: as it is chosen: ``relate demo --business NAME``.
        folder: the project's folder, unless another is named.
        template: the folder of the package that holds the project's files.
        mark: the text of the file by which its project folder is known.
        zone: the project's zone.
        currency: the project's currency.
        months: the months of the replay, in order.
        newcomers: who becomes known in a month.
        interactions: what reaches us in a month, with the columns of INTERACTIONS.
        joined: is called after newcomers of a month were recorded, and ties them to others.
        said: what customers said about contact in a month.
        put_aside: writes into the project folder what is not to be recorded.
        story: the customer whose story is told.
        counts: the numbers of the JSON document that count one kind of interaction, by name.
        truth: the planted truth beside what was found; None for a business of which nobody knows it.
        wording: its words.
    """

    name: str
    folder: Path
    template: str
    mark: str
    zone: str
    currency: str
    months: Callable[[], tuple[Month, ...]]
    newcomers: Callable[[Month], Sequence[Customer]]
    interactions: Callable[[Month], pl.DataFrame]
    joined: Callable[[Relationships, Month], None] = lambda _relationships, _month: None
    said: Callable[[Month], Said]
    put_aside: Callable[[Path], None] = lambda _folder: None
    story: str
    counts: Mapping[str, str]
    truth: Callable[[Relationships, Sequence[Month]], Truth] | None = None
    wording: Wording
