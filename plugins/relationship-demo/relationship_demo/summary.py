"""What a demo project holds, in numbers: read from the project, so that a second run says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from relationship_core import CustomerView, MessageCount, Relationships, Report
from relationship_demo.business import Business, Truth
from relationship_demo.groceries import GROCERIES
from relationship_demo.project import OUTBOX
from relationship_demo.replay import Calendar, months_done

NOT_SENT = ("queued", "held_out", "stopped")
"""States of messages of which no channel has heard."""
ENTRIES = 1000
"""More than there are interactions with anybody."""


@frozen(kw_only=True)
class Summary:
    """The demo as of its last month.

    Attributes:
        business: whose demo it is.
        folder: the project.
        months: the months that have been replayed, as ``2017-01``.
        report: the project in numbers.
        customer: one customer's view, for the story.
        truth: the planted truth beside what was found; None where nobody knows it.
    """

    business: Business
    folder: Path
    months: tuple[str, ...]
    report: Report
    customer: CustomerView
    truth: Truth | None = None

    @property
    def stages(self) -> Mapping[str, Mapping[str, int]]:
        """How many customers stood on each rung at the end of each month; without moves as before."""
        known = self.report.ladder.by_month
        standing: Mapping[str, int] = {}
        result: dict[str, Mapping[str, int]] = {}
        for month in self.months:
            standing = known.get(month, standing)
            result[month] = standing
        return result

    @property
    def moves(self) -> Mapping[tuple[str, str], int]:
        """How many moves there were from one rung to another over all months."""
        return _sums(((move.origin, move.target), move.customers) for move in self.report.ladder.movements)

    @property
    def decisions(self) -> Mapping[str, int]:
        """How many engagements there are for each reason; ``due`` are those that went ahead."""
        return _sums((each.reason, each.engagements) for each in self.report.decisions or ())

    @property
    def left_alone(self) -> Mapping[str, int]:
        """How many engagements were not gone ahead with, for each reason; ``stopped`` are those on the last moment."""
        refused = [(each.reason, each.engagements) for each in self.report.decisions or () if each.verdict != "planned"]
        stopped = [(each.state, each.messages) for each in self.report.messages if each.state == "stopped"]
        return _sums([*refused, *stopped])

    @property
    def sent(self) -> Sequence[MessageCount]:
        """The messages that were handed to their channels."""
        return [each for each in self.report.messages if each.state not in NOT_SENT]

    @property
    def channels(self) -> Mapping[str, int]:
        """How many messages were sent on each channel."""
        return _sums((each.channel, each.messages) for each in self.sent)

    @property
    def examples(self) -> tuple[Path, ...]:
        """A file of the outbox from each channel."""
        folders = sorted(path for path in (self.folder / OUTBOX).glob("*") if path.is_dir())
        found = (sorted(folder.rglob("[!.]*.*")) for folder in folders)
        # A manifest tells what is in the file beside it, which is the one to look at.
        return tuple(min(files, key=lambda file: file.suffix == ".csv") for files in found if files)

    def document(self) -> dict[str, Any]:
        """The numbers as ``relate demo --json`` prints them."""
        kinds, people = self.report.interactions, self.business.wording.people
        numbers = {
            "project": str(self.folder),
            "as_of": self.report.as_of.isoformat(),
            people: self.report.customers,
            "interactions": sum(kinds.values()),
            **{name: kinds.get(kind, 0) for name, kind in self.business.counts.items()},
            "stages": [{"month": month, people: dict(rungs)} for month, rungs in self.stages.items()],
            "lapsed": self.report.ladder.lapsed,
            "transitions": [
                {
                    "month": move.month,
                    "origin": move.origin,
                    "target": move.target,
                    people: move.customers,
                }
                for move in self.report.ladder.movements
            ],
            "decisions": dict(self.decisions),
            "decisions_by_campaign": [asdict(each) for each in self.report.decisions or ()],
            "messages": dict(self.channels),
            "messages_by_campaign": [asdict(each) for each in self.report.messages],
        }
        return numbers if self.truth is None else {**numbers, "truth": _document(self.truth)}


def summarize(folder: Path, business: Business = GROCERIES) -> Summary:
    """Read a demo project as of the end of its last month."""
    calendar = Calendar(business.months()[0].since)
    with Relationships.open(folder, clock=calendar) as relationships:
        done = months_done(relationships, business)
        calendar.at = done[-1].end
        return Summary(
            business=business,
            folder=folder,
            months=tuple(month.name for month in done),
            report=relationships.report(),
            customer=relationships.customer(business.story, entries=ENTRIES),
            truth=business.truth(relationships, done) if business.truth else None,
        )


def _document(truth: Truth) -> dict[str, Any]:
    names = ("claim", "planted", "found", "needed")
    return {
        "lives": [dict(life) for life in truth.lives],
        "claims": [dict(zip(names, claim, strict=True)) for claim in truth.claims],
    }


def _sums(counts: Iterable[tuple[Any, int]]) -> Mapping[Any, int]:
    """The counts added up by key, the largest first."""
    sums: Counter[Any] = Counter()
    for key, number in counts:
        sums[key] += number
    return dict(sums.most_common())
