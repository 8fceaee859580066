"""Waves: pages that are judged at the same time by workers, and kept in one transaction.

Workers only read. Who ordered the work holds the store's write lock from before they begin until what they found is
kept, so nothing is recorded in between: no mark gets lost, nothing has to be undone when a worker dies, and what is
left after a run that died is what is still marked. A wave is short, since nobody else writes as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from relationship_core.columns import Page

if TYPE_CHECKING:
    from relationship_core.flow.plan.selecting import Selection
    from relationship_core.flow.review import Judged
    from relationship_core.flow.standing import Moment


class Workers(Protocol):
    """Who judges several pages at the same time, in other processes.

    Each answers in the order of the pages, and sees what was kept before the transaction of the wave began.
    """

    @property
    def at_once(self) -> int:
        """How many pages make a wave."""
        ...

    def begin(self, moment: Moment, pages: int) -> None:
        """Have as many ready as the first wave has pages, before it takes the write lock.

        Raises:
            ConfigurationError: one of them cannot open the project, or has another one than this program.
            RetriableError: none can be reached, or the store cannot be opened now.
        """
        ...

    def review(self, pages: Sequence[Page], moment: Moment) -> Generator[Judged, None, None]:
        """What a review finds of each page."""
        ...

    def select(
        self, pages: Sequence[Page], moment: Moment, *, inactive: Collection[str], stopped: Mapping[str, str]
    ) -> Generator[tuple[Selection, Mapping[str, str]], None, None]:
        """What there is to decide about each page, and the campaigns that a failing policy has stopped there.

        Args:
            pages: the pages.
            moment: the plan's instant.
            inactive: the campaigns that are left out.
            stopped: those that are stopped already, with the reason.
        """
        ...


def waves(pages: Iterable[Page], workers: Workers | None, moment: Moment) -> Iterator[list[Page]]:
    """The pages in their order, as many at a time as workers take; without workers, one by one.

    Where there is but one page, nobody asks for the workers.
    """
    left, size = iter(pages), 1
    first = list(islice(left, 2)) if workers is not None else []
    crew = several(first, workers)
    if crew is not None:
        size = crew.at_once
        first += islice(left, max(0, size - len(first)))
        crew.begin(moment, min(size, len(first)))
    left = chain(first, left)
    while wave := list(islice(left, size)):
        yield wave


def several(pages: Sequence[Page], workers: Workers | None) -> Workers | None:
    """The workers, where there is work for more than one: a lone page is judged sooner than handed over."""
    return workers if len(pages) > 1 else None
