"""The values of parameters in force: what is set by hand, else what calibrations found, else their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from relationship_core.columns import CALIBRATIONS
from relationship_core.parameters import ParameterView, in_force
from relationship_core.ports import Store

if TYPE_CHECKING:
    from relationship_core.config import ParameterSettings
    from relationship_core.plugins import Plugins

Found: TypeAlias = Mapping[str, Mapping[str, float]]
"""Of each calibration, by name, the values that it found."""


def fitted_values(store: Store) -> Mapping[str, float]:
    """What the latest version of every calibration found, by parameter."""
    return _all_of({name: latest.values for name, latest in latest_versions(store).items()})


def parameters_in_force(
    store: Store, plugins: Plugins, settings: ParameterSettings, *, found: Found | None = None
) -> tuple[ParameterView, ...]:
    """Every parameter with its value in force; ``found`` is taken for kept.

    Raises:
        ConfigurationError: ``[parameters]`` names a set or a parameter that is not there, or a value out of range.
    """
    fitted = {**fitted_values(store), **_all_of(found or {})}
    return in_force(plugins.parameters, use=settings.use, by_hand=settings.values, fitted=fitted)


@frozen(kw_only=True)
class Version:
    """A version of a calibration.

    Attributes:
        number: the versions of each calibration count from 1.
        content: what was kept: the values of parameters, or a table.
    """

    number: int
    content: Mapping[str, Any]

    @property
    def values(self) -> Mapping[str, float]:
        """The values of parameters; a table has none."""
        values: Mapping[str, float] = self.content.get("values", {})
        return values


def latest_versions(store: Store) -> Mapping[str, Version]:
    """The latest version of each calibration."""
    # Only these are parsed: each version of a table holds all of its rows.
    rows = store.read(CALIBRATIONS).sort("version").unique("calibration", keep="last", maintain_order=True)
    return {
        row["calibration"]: Version(number=row["version"], content=json.loads(row["content"]))
        for row in rows.iter_rows(named=True)
    }


def _all_of(found: Found) -> dict[str, float]:
    return {name: value for values in found.values() for name, value in values.items()}
