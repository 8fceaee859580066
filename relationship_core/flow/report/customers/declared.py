"""Cases that plugins declare: their kept parts say how each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from relationship_core.columns import Page
from relationship_core.declarations import CaseMeasure
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.report.customers.cases import Case, state_at
from relationship_core.ports import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def declared_cases(store: Store, catalog: Catalog, page: Page, now: datetime) -> Iterator[Case]:
    """The cases of one customer by those case measures that say which part opens a case.

    Args:
        store: where the project lives.
        catalog: the columns there are.
        page: the customer.
        now: the present.
    """
    measures = [measure for measure in catalog.cases if measure.opened]
    if not measures:
        return
    names = [part for measure in measures for part in _parts(measure).values()]
    kept: dict[str, dict[str, datetime]] = {}
    for row in store.read_keyed(page, names).iter_rows(named=True):
        kept.setdefault(row["measure"], {})[row["key"]] = _EPOCH + timedelta(microseconds=row["value"])
    for measure in measures:
        parts = {role: kept.get(part, {}) for role, part in _parts(measure).items()}
        for key in sorted(set().union(*parts.values())):
            yield _case(measure, key, {role: instants.get(key) for role, instants in parts.items()}, now)


def _parts(measure: CaseMeasure) -> Mapping[str, str]:
    """The keyed measures that hold when a case was opened, is due and was settled."""
    roles = {"opened": measure.opened, "due": measure.due, "settled": measure.settled}
    return {role: f"{measure.name}__{part}" for role, part in roles.items() if part}


def _case(measure: CaseMeasure, key: str, told: Mapping[str, datetime | None], now: datetime) -> Case:
    opened, due, settled = (told.get(role) for role in ("opened", "due", "settled"))
    return Case(
        kind=measure.name,
        reference=key,
        opened_at=opened,
        due_at=due,
        settled_at=settled,
        settled_by=measure.settled if settled else "",
        state=state_at(opened, due, settled, now),
    )
