"""What a demo project holds, in numbers: read from the project, so that a second run says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from relationship_core import CustomerView, Relationships, Report
from relationship_demo import data
from relationship_demo.project import OUTBOX
from relationship_demo.replay import Calendar, months_done

STORY = data.customer_id(1145)
"""A household to which much happens in the year."""

ENTRIES = 1000
"""More than there are interactions with any household in a year."""


@frozen(kw_only=True)
class Summary:
    """The demo as of its last month.

    Attributes:
        folder: the project.
        months: the months that have been replayed, as ``2017-01``.
        report: the project in numbers.
        household: one household's view, for its story.
    """

    folder: Path
    months: tuple[str, ...]
    report: Report
    household: CustomerView

    @property
    def stages(self) -> Mapping[str, Mapping[str, int]]:
        """How many households stood on each rung at the end of each month; without moves as before."""
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
        """How many engagements were not gone ahead with, for each reason."""
        refused = (each for each in self.report.decisions or () if each.verdict == "skipped")
        return _sums((each.reason, each.engagements) for each in refused)

    @property
    def channels(self) -> Mapping[str, int]:
        """How many messages there are on each channel."""
        return _sums((each.channel, each.messages) for each in self.report.messages)

    @property
    def examples(self) -> tuple[Path, ...]:
        """A file of the outbox from each channel."""
        folders = sorted(path for path in (self.folder / OUTBOX).glob("*") if path.is_dir())
        return tuple(min(files) for folder in folders if (files := [*folder.rglob("[!.]*.*")]))

    def document(self) -> dict[str, Any]:
        """The numbers as ``relate demo --json`` prints them."""
        kinds = self.report.interactions
        return {
            "project": str(self.folder),
            "as_of": self.report.as_of.isoformat(),
            "households": self.report.customers,
            "interactions": sum(kinds.values()),
            "orders": kinds.get("order", 0),
            "redemptions": kinds.get("coupon_redeemed", 0),
            "campaigns_received": kinds.get("campaign_received", 0),
            "stages": [{"month": month, "households": dict(rungs)} for month, rungs in self.stages.items()],
            "lapsed": self.report.ladder.lapsed,
            "transitions": [
                {
                    "month": move.month,
                    "origin": move.origin,
                    "target": move.target,
                    "households": move.customers,
                }
                for move in self.report.ladder.movements
            ],
            "decisions": dict(self.decisions),
            "decisions_by_campaign": [asdict(each) for each in self.report.decisions or ()],
            "messages": dict(self.channels),
            "messages_by_campaign": [asdict(each) for each in self.report.messages],
        }


def summarize(folder: Path) -> Summary:
    """Read a demo project as of the end of its last month."""
    calendar = Calendar(data.months()[0].since)
    with Relationships.open(folder, clock=calendar) as relationships:
        done = months_done(relationships)
        calendar.at = done[-1].end
        return Summary(
            folder=folder,
            months=tuple(month.name for month in done),
            report=relationships.report(),
            household=relationships.customer(STORY, entries=ENTRIES),
        )


def _sums(counts: Iterable[tuple[Any, int]]) -> Mapping[Any, int]:
    """The counts added up by key, the largest first."""
    sums: Counter[Any] = Counter()
    for key, number in counts:
        sums[key] += number
    return dict(sums.most_common())
