"""Tables that calibrations fitted: gathered page by page, checked, and kept as text among the calibrations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from relationship_core.errors import ConfigurationError
from relationship_core.flow.in_force import latest_versions
from relationship_core.model.validation import kind_of

if TYPE_CHECKING:
    from relationship_core.parameters import TableCalibration
    from relationship_core.ports import Store

T = TypeVar("T")

_TYPES: Mapping[str, pl.DataType] = {"text": pl.String(), "number": pl.Float64()}
_MEND = "mend its plugin or disable it"


def fitted_tables(store: Store) -> Mapping[str, pl.DataFrame]:
    """The latest version of every table that was fitted, by the name of its calibration."""
    contents = {name: latest.content for name, latest in latest_versions(store).items()}
    return {name: _read(content["table"]) for name, content in contents.items() if "table" in content}


def gathered(calibration: TableCalibration, rows: pl.DataFrame) -> pl.DataFrame:
    """What a calibration needs of the keyed rows of some customers.

    Raises:
        ConfigurationError: it fails, or gives no frame.
    """
    found: Any = _called(calibration, calibration.gather, rows.select("customer", "key", "value"))
    if not isinstance(found, pl.DataFrame):
        message = f"the calibration {calibration.name!r} must gather a frame, not {kind_of(found)}; {_MEND}"
        raise ConfigurationError(message)
    return found


def fitted_table(calibration: TableCalibration, parts: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    """The table that a calibration finds, as it will be read again; None where there is too little data.

    Of nobody nothing can be told, so it is not asked.

    Raises:
        ConfigurationError: it fails, or finds what is no table of texts and numbers.
    """
    found: Any = _called(calibration, calibration.fit, parts) if parts else None
    if found is None:
        return None
    if not isinstance(found, pl.DataFrame):
        message = f"the calibration {calibration.name!r} must give a frame, not {kind_of(found)}; {_MEND}"
        raise ConfigurationError(message)
    for column in found:
        numeric = column.dtype.is_numeric()
        if not numeric and column.dtype != pl.String:
            what = f"the type {column.dtype}, and only texts and numbers can be kept"
        elif column.null_count() or (numeric and not column.cast(pl.Float64).is_finite().all()):
            what = "values that are null or not finite"
        else:
            continue
        message = f"the calibration {calibration.name!r} gave a column {column.name!r} with {what}; {_MEND}"
        raise ConfigurationError(message)
    return _read(written(found))


def written(table: pl.DataFrame) -> Mapping[str, Any]:
    """A table as JSON can hold it: the types and the values of its columns, by name."""
    types = {column.name: "number" if column.dtype.is_numeric() else "text" for column in table}
    values = {column.name: column.cast(_TYPES[types[column.name]]).to_list() for column in table}
    # Lists keep the order of the columns, which sorted keys would not.
    return {"types": list(types.items()), "values": values}


def _read(content: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(name, content["values"][name], _TYPES[type_]) for name, type_ in content["types"]])


def _called(calibration: TableCalibration, function: Callable[[Any], T], argument: object) -> T:
    try:
        return function(argument)
    except ConfigurationError:
        raise
    except Exception as error:  # the core owns every try around plugin code
        message = f"the calibration {calibration.name!r} failed with {type(error).__name__}; {_MEND}"
        raise ConfigurationError(message) from error
