"""Calibrate: fit parameters to the customers there are, and keep what was found as a new version.

The latest version of a calibration counts. Its values lie in the store and take effect when a project is opened;
where that changes a value in force, everybody is due for review.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from attrs import frozen

from relationship_core.columns import CALIBRATIONS, CUSTOMERS
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.signature import check_measures
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.model.validation import kind_of
from relationship_core.parameters import Calibration, Parameter, ParameterOrigin, ParameterView, in_force
from relationship_core.ports import Store

if TYPE_CHECKING:
    from relationship_core.config import ParameterSettings
    from relationship_core.plugins import Plugins

_Found: TypeAlias = Mapping[str, Mapping[str, float]]
"""Of each calibration, by name, the values that it found."""

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
class Calibrated:
    """What calibrating did.

    Attributes:
        as_of: the instant that customers were looked at.
        customers: how many were.
        versions: of each calibration that found something new, the number of the version that was kept; with
            ``dry_run`` there is none.
        parameters: every parameter of the calibrations, with its old value and its new one.
        everybody_due: whether a value in force changed, and everybody is due for review for that.
    """

    as_of: datetime
    customers: int
    versions: Mapping[str, int]
    parameters: tuple[FittedParameter, ...]
    everybody_due: bool


def fitted_values(store: Store) -> Mapping[str, float]:
    """What the latest version of every calibration found, by parameter."""
    return _all_of({name: values for name, (values, _) in _latest(store).items()})


def parameters_in_force(
    store: Store, plugins: Plugins, settings: ParameterSettings, *, found: _Found | None = None
) -> tuple[ParameterView, ...]:
    """Every parameter with its value in force; ``found`` is taken for kept.

    Raises:
        ConfigurationError: ``[parameters]`` names a set or a parameter that is not there, or a value out of range.
    """
    fitted = {**fitted_values(store), **_all_of(found or {})}
    return in_force(plugins.parameters, use=settings.use, by_hand=settings.values, fitted=fitted)


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
    """Fit the parameters of one calibration, or of all.

    All of them look at the customers as they are by the values in force, and either everything found is kept or
    nothing. What a calibration leaves out stays as it was; one that finds what is kept already keeps no version.

    Raises:
        ConfigurationError: there is no such calibration, it reads or fits what is not there, it fails, or it finds
            what a parameter may not be; or measures have changed since history was folded.
        RejectedError: something was recorded that happened after the instant.
    """
    refuse_the_past(store, moment.now, "calibrate")
    check_measures(store, catalog.measures)
    among = plugins.calibrations
    chosen = tuple(among.values()) if name is None else (plugins.find(among, name, "calibration"),)
    for each in chosen:
        _refuse_unknown(each, "fits the parameter", each.parameters, plugins.parameters)
        _refuse_unknown(each, "reads the column", each.needs, catalog.types)
    needs = sorted({"customer", *(column for each in chosen for column in each.needs)})
    customers = pl.concat(_customers(store, catalog, moment, needs, page_size=page_size, progress=progress))
    kept = fitted_values(store)
    found = {each.name: _steady(_fit(each, plugins.parameters, customers), kept) for each in chosen}
    before = parameters_in_force(store, plugins, settings)
    after = parameters_in_force(store, plugins, settings, found=found)
    changed, versions = _values(before) != _values(after), {}
    if not dry_run:
        with store.transaction():
            versions = _keep(store, found, moment.now, customers.height)
            if changed:
                store.mark("review", None)
    return Calibrated(
        as_of=moment.now,
        customers=customers.height,
        versions=versions,
        parameters=tuple(_compared(chosen, found, before, after)),
        everybody_due=changed and not dry_run,
    )


def _refuse_unknown(calibration: Calibration, what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"; {_MEND}"
            message = f"the calibration {calibration.name!r} {what} {name!r}, which nothing declares{hint}"
            raise ConfigurationError(message)


def _customers(
    store: Store, catalog: Catalog, moment: Moment, needs: Sequence[str], *, page_size: int, progress: Listener
) -> Iterator[pl.DataFrame]:
    """A row for each customer, page by page."""
    yield pl.DataFrame(schema={name: catalog.types[name] for name in needs})
    total, done = int(store.count(CUSTOMERS, []).item()), 0
    for page in store.pages(None, as_of=moment.now, size=page_size):
        yield standing(store, catalog, page, needs, moment).select(needs)
        done += len(page.customers)
        progress(Progress(step="calibrate", done=done, total=total))


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


def _latest(store: Store) -> Mapping[str, tuple[Mapping[str, float], int]]:
    """Of each calibration the values and the number of its latest version."""
    rows = store.read(CALIBRATIONS).sort("version").iter_rows(named=True)
    return {row["calibration"]: (json.loads(row["content"])["values"], row["version"]) for row in rows}


def _keep(store: Store, found: _Found, now: datetime, customers: int) -> dict[str, int]:
    """Keep as a new version what is not the latest already; inside a transaction."""
    latest = _latest(store)
    versions: dict[str, int] = {}
    rows = []
    for name, values in found.items():
        kept, version = latest.get(name, ({}, 0))
        if {**kept, **values} != kept:
            versions[name] = version + 1
            content = json.dumps({"customers": customers, "values": {**kept, **values}}, sort_keys=True)
            rows.append((name, version + 1, now, content))
    if rows:
        store.put(CALIBRATIONS, pl.DataFrame(rows, schema=CALIBRATIONS.types(), orient="row"))
    return versions


def _all_of(found: _Found) -> dict[str, float]:
    return {name: value for values in found.values() for name, value in values.items()}


def _values(views: Iterable[ParameterView]) -> dict[str, float]:
    return {view.name: view.value for view in views}


def _compared(
    calibrations: Iterable[Calibration],
    found: _Found,
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
