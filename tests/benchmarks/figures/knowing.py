"""Every standard score, the ladder and the due time of customers with eleven keyed measures each, against reading them.

One pass does both, as a review does: a page is read from the store, and computed, and then the next. A stopwatch runs
while the store is at work, that is while it looks for the next page and while it is asked for measures, keyed measures
and states; what comes out is the frame that a review gets. That is the reading. Everything else of the pass is the
computing: features, scores, ladder, what decided a move, and the due time. Nothing is written.

The raw probe of the reading is a second figure without a bound: the same rows by ``fetchmany`` into data frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from data import NOW
from histories import INTERACTIONS_EACH, KEYED_EACH
from measuring import Figure, Stopwatch, Timing, at_most, timed
from probes import queries, read
from projects import Prepared, open_project
from relationship_core import Page, Relationships, Table
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.catalog import CONFIDENCE
from relationship_core.flow.review.due import with_due_at
from relationship_core.flow.review.moves import judge, transitions
from relationship_core.flow.rules import due_names
from relationship_core.flow.standing import Moment, standing
from relationship_core.flow.united import united
from relationship_core.ports import Store

if TYPE_CHECKING:
    import polars as pl

LIMIT = 0.5
REPEATS = 3
_PAGE = 50_000
"""As many customers as a review takes at once."""


class _Watched:
    """A store, and a stopwatch that runs while it reads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reading = Stopwatch()
        self.rows = 0

    def pages(self) -> Iterator[Page]:
        """Everybody."""
        pages = iter(self._store.pages(None, as_of=NOW, size=_PAGE))
        while True:
            with self.reading.running():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def read(self, table: Table, *, page: Page | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """As ``Store.read``."""
        with self.reading.running():
            return self._counted(self._store.read(table, page=page, columns=columns))

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_measures``."""
        with self.reading.running():
            return self._counted(self._store.read_measures(page, names))

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_keyed``."""
        with self.reading.running():
            return self._counted(self._store.read_keyed(page, names))

    def _counted(self, frame: pl.DataFrame) -> pl.DataFrame:
        self.rows += frame.height
        return frame


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Computing against reading, and reading against bare reading."""
    customers, database = prepared.size.customers, prepared.known()
    runs = [_run(database, customers) for _ in range(repeats)]
    rows = runs[-1][3]
    what = f"{customers:,} customers of {INTERACTIONS_EACH} interactions and {KEYED_EACH} keyed measures each"
    return [
        at_most(
            "knowing",
            f"computing all scores, the ladder and the due time of {what}, against reading their rows",
            [(computing, reading) for computing, reading, _, _ in runs],
            LIMIT,
            notes=(f"{rows:,} rows read", "both in one pass, page by page; the probe's column is the reading"),
        ),
        at_most(
            "knowing raw",
            "the reading of that pass, against bare reading of the same rows",
            [(reading, bare) for _, reading, bare, _ in runs],
            None,
        ),
    ]


def _run(database: Path, customers: int) -> tuple[Timing, Timing, Timing, int]:
    """How long computing, reading and bare reading take, and how many rows are read."""
    with open_project(database.parent, database=database.name) as project, closing(SQLiteStore(database)) as store:
        store.prepare(project.catalog.measures)
        bare, _ = timed(read, database, queries(project.rules, _names(project)))
        watched = _Watched(united(store))
        whole, known = timed(_know, watched, project)
    if known["customers"] != customers or known["scores"] == 0:
        message = f"of {customers} customers {known['customers']} are known, with {known['scores']} scores"
        raise RuntimeError(message)
    return whole - watched.reading.total, watched.reading.total, bare, watched.rows


def _names(project: Relationships) -> frozenset[str]:
    """Every score with its confidence, and what the ladder and the due time need."""
    scores = {name for rule in project.catalog.scores for name in (rule.name, rule.name + CONFIDENCE)}
    return frozenset(scores) | due_names(project.rules) | {"stage", "stage_days", "lapsed"}


def _know(store: _Watched, project: Relationships) -> Mapping[str, int]:
    """What a review computes, and every score; how many customers there were, and scores with evidence."""
    rules, names = project.rules, _names(project)
    moment = Moment(now=NOW, zone=project.settings.project.zone)
    customers = scores = 0
    for page in store.pages():
        judged = judge(standing(store, rules.catalog, page, names, moment), rules, moment.zone)
        due, moved = with_due_at(judged, rules), transitions(judged, rules)
        customers += due.height
        scores += moved.height + due["strength"].count()
    return {"customers": customers, "scores": scores}
