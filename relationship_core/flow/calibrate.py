"""Calibrate: fit parameters and tables to the customers there are, and keep what was found as a new version.

The latest version of a calibration counts. What it found lies in the store and takes effect when a project is opened;
where that changes a value in force or a table, everybody is due for review.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from attrs import frozen

from relationship_core.columns import CALIBRATIONS, CUSTOMERS
from relationship_core.declarations import KeyedMeasure
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.fitted_tables import fitted_table, fitted_tables, gathered, written
from relationship_core.flow.in_force import Found, fitted_values, latest_versions, parameters_in_force
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.signature import check_measures
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.model.validation import kind_of
from relationship_core.parameters import Calibration, Parameter, ParameterOrigin, ParameterView, TableCalibration
from relationship_core.ports import Store

if TYPE_CHECKING:
    from relationship_core.config import ParameterSettings
    from relationship_core.plugins import Plugins

ROUNDING = 1e-9
"""Relative: sums over customers differ by less from one time to the next."""

_MEND = "mend its plugin or disable it"


@frozen(kw_only=True)
class FittedParameter:
    """What a calibration found for one of its parameters.

    Attributes:
        name: the parameter.
        calibration: the calibration.
        fitted: the value that it found; None where there was too little data to tell one.
        before: the value that was in force.
        value: the value in force from now on; with ``dry_run``, the one that would be.
        origin: where that comes from; what is set by hand goes before what was fitted.
    """

    name: str
    calibration: str
    fitted: float | None
    before: float
    value: float
    origin: ParameterOrigin


@frozen(kw_only=True)
class FittedTable:
    """What a calibration of a table found.

    Attributes:
        name: the table, and the calibration.
        rows: how many rows the table has that it found; None where there was too little data to tell one.
        before: how many rows it had before; None for the first one.
        changed: whether it is another table than before.
    """

    name: str
    rows: int | None
    before: int | None
    changed: bool


@frozen(kw_only=True)
class Calibrated:
    """What calibrating did.

    Attributes:
        as_of: the instant that customers were looked at.
        customers: how many were.
        versions: of each calibration that found something new, the number of the version that was kept; with
            ``dry_run`` there is none.
        parameters: every parameter of the calibrations, with its old value and its new one.
        tables: every table of the calibrations.
        everybody_due: whether a value in force or a table changed, and everybody is due for review for that.
    """

    as_of: datetime
    customers: int
    versions: Mapping[str, int]
    parameters: tuple[FittedParameter, ...]
    tables: tuple[FittedTable, ...]
    everybody_due: bool


def calibrate(
    store: Store,
    catalog: Catalog,
    plugins: Plugins,
    settings: ParameterSettings,
    moment: Moment,
    *,
    name: str | None = None,
    dry_run: bool = False,
    page_size: int = 50_000,
    progress: Listener = silent,
) -> Calibrated:
    """Fit the parameters or the table of one calibration, or of all.

    All of them look at the customers as they are by the values in force, and either everything found is kept or
    nothing. What a calibration leaves out stays as it was; one that finds what is kept already keeps no version.

    Raises:
        ConfigurationError: there is no such calibration, it reads or fits what is not there, it fails, or it finds
            what a parameter may not be; or measures have changed since history was folded.
        RejectedError: something was recorded that happened after the instant.
    """
    refuse_the_past(store, moment.now, "calibrate")
    check_measures(store, catalog.measures)
    chosen = _chosen(plugins, catalog, name)
    found_in = _Looked(chosen)
    found_in.look(store, catalog, moment, page_size=page_size, progress=progress)
    kept, kept_tables = fitted_values(store), fitted_tables(store)
    found = {each.name: _steady(_fit(each, plugins.parameters, found_in.customers), kept) for each in chosen.numbers}
    tables = {each.name: fitted_table(each, found_in.parts[each.name]) for each in chosen.tables}
    new_tables = {name: table for name, table in tables.items() if table is not None}
    before = parameters_in_force(store, plugins, settings)
    after = parameters_in_force(store, plugins, settings, found=found)
    told = tuple(_told(name, table, kept_tables.get(name)) for name, table in tables.items())
    changed, versions = _values(before) != _values(after) or any(each.changed for each in told), {}
    if not dry_run:
        with store.transaction():
            versions = _keep(store, found, new_tables, moment.now, found_in.count)
            if changed:
                store.mark("review", None)
    return Calibrated(
        as_of=moment.now,
        customers=found_in.count,
        versions=versions,
        parameters=tuple(_compared(chosen.numbers, found, before, after)),
        tables=told,
        everybody_due=changed and not dry_run,
    )


@frozen
class _Chosen:
    """The calibrations to do."""

    numbers: tuple[Calibration, ...]
    tables: tuple[TableCalibration, ...]


def _chosen(plugins: Plugins, catalog: Catalog, name: str | None) -> _Chosen:
    """One calibration or all.

    Raises:
        ConfigurationError: there is none of that name, or one reads or fits what is not there.
    """
    among = plugins.calibrations
    chosen = tuple(among.values()) if name is None else (plugins.find(among, name, "calibration"),)
    numbers = tuple(each for each in chosen if isinstance(each, Calibration))
    tables = tuple(each for each in chosen if isinstance(each, TableCalibration))
    for each in numbers:
        _refuse_unknown(each, "fits the parameter", each.parameters, plugins.parameters)
        _refuse_unknown(each, "reads the column", each.needs, catalog.types)
    keyed = [measure.name for measure in catalog.measures if isinstance(measure, KeyedMeasure)]
    for table in tables:
        _refuse_unknown(table, "reads the keyed measure", [table.keyed], keyed)
    return _Chosen(numbers, tables)


def _refuse_unknown(
    calibration: Calibration | TableCalibration, what: str, names: Iterable[str], known: Iterable[str]
) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"; {_MEND}"
            message = f"the calibration {calibration.name!r} {what} {name!r}, which nothing declares{hint}"
            raise ConfigurationError(message)


class _Looked:
    """What the calibrations see of the customers."""

    def __init__(self, chosen: _Chosen) -> None:
        self._chosen = chosen
        self._needs = sorted({"customer", *(column for each in chosen.numbers for column in each.needs)})
        self._pages: list[pl.DataFrame] = []
        self.parts: dict[str, list[pl.DataFrame]] = {each.name: [] for each in chosen.tables}

    def look(self, store: Store, catalog: Catalog, moment: Moment, *, page_size: int, progress: Listener) -> None:
        """See all customers, page by page."""
        self._pages = [pl.DataFrame(schema={name: catalog.types[name] for name in self._needs})]
        total, done = int(store.count(CUSTOMERS, []).item()), 0
        for page in store.pages(None, as_of=moment.now, size=page_size):
            self._pages.append(standing(store, catalog, page, self._needs, moment).select(self._needs))
            for each in self._chosen.tables:
                rows = store.read_keyed(page, [each.keyed])
                if rows.height:
                    self.parts[each.name].append(gathered(each, rows))
            done += len(page.customers)
            progress(Progress(step="calibrate", done=done, total=total))

    @property
    def customers(self) -> pl.DataFrame:
        """A row for each customer, with the columns that calibrations need."""
        return pl.concat(self._pages)

    @property
    def count(self) -> int:
        """How many customers there are."""
        return sum(page.height for page in self._pages)


def _fit(calibration: Calibration, parameters: Mapping[str, Parameter], customers: pl.DataFrame) -> Mapping[str, float]:
    """The values that a calibration finds; of nobody nothing can be told, so it is not asked."""
    if customers.is_empty():
        return {}
    try:
        found: object = calibration.fit(customers.select(calibration.needs))
    except ConfigurationError:
        raise
    except Exception as error:  # the core owns every try around plugin code
        message = f"the calibration {calibration.name!r} failed with {type(error).__name__}; {_MEND}"
        raise ConfigurationError(message) from error
    if not isinstance(found, Mapping):
        message = f"the calibration {calibration.name!r} must give values by parameter, not {kind_of(found)}; {_MEND}"
        raise ConfigurationError(message)
    return {name: _fitting(calibration, parameters, name, value) for name, value in found.items()}


def _steady(values: Mapping[str, float], kept: Mapping[str, float]) -> Mapping[str, float]:
    """The values, but those that are kept already stay to the last digit: rounding is no news to anybody."""
    same = {name for name, value in values.items() if math.isclose(value, kept.get(name, math.nan), rel_tol=ROUNDING)}
    return {name: kept[name] if name in same else value for name, value in values.items()}


def _fitting(calibration: Calibration, parameters: Mapping[str, Parameter], name: str, value: Any) -> float:
    if name not in calibration.parameters:
        hint = nearest(str(name), calibration.parameters) or f"; {_MEND}"
        message = f"the calibration {calibration.name!r} gave a value for {name!r}, which it does not fit{hint}"
        raise ConfigurationError(message)
    if complaint := parameters[name].complaint(value):
        message = f"the calibration {calibration.name!r} gave a wrong {name!r}: it {complaint}; {_MEND}"
        raise ConfigurationError(message)
    return float(value)


def _told(name: str, table: pl.DataFrame | None, before: pl.DataFrame | None) -> FittedTable:
    return FittedTable(
        name=name,
        rows=None if table is None else table.height,
        before=None if before is None else before.height,
        changed=table is not None and (before is None or not table.equals(before)),
    )


def _keep(
    store: Store, found: Found, tables: Mapping[str, pl.DataFrame], now: datetime, customers: int
) -> dict[str, int]:
    """Keep as a new version what is not the latest already; inside a transaction."""
    latest, kept_tables = latest_versions(store), fitted_tables(store)
    contents: dict[str, Mapping[str, Any]] = {}
    for name, values in found.items():
        kept = latest[name].values if name in latest else {}
        if {**kept, **values} != kept:
            contents[name] = {"values": {**kept, **values}}
    for name, table in tables.items():
        if name not in kept_tables or not table.equals(kept_tables[name]):
            contents[name] = {"table": written(table)}
    versions = {name: latest[name].number + 1 if name in latest else 1 for name in contents}
    rows = [
        (name, versions[name], now, json.dumps({"customers": customers, **content}, sort_keys=True))
        for name, content in contents.items()
    ]
    if rows:
        store.put(CALIBRATIONS, pl.DataFrame(rows, schema=CALIBRATIONS.types(), orient="row"))
    return versions


def _values(views: Iterable[ParameterView]) -> dict[str, float]:
    return {view.name: view.value for view in views}


def _compared(
    calibrations: Iterable[Calibration],
    found: Found,
    before: Iterable[ParameterView],
    after: Iterable[ParameterView],
) -> Iterator[FittedParameter]:
    old, new = _values(before), {view.name: view for view in after}
    for calibration in calibrations:
        for name in calibration.parameters:
            yield FittedParameter(
                name=name,
                calibration=calibration.name,
                fitted=found[calibration.name].get(name),
                before=old[name],
                value=new[name].value,
                origin=new[name].origin,
            )
