"""The standard measures: what is counted about every customer, interaction by interaction.

Half-lives are parameters; see the reference page of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relationship_core import CaseMeasure, KeyedMeasure, Measure, hookimpl

if TYPE_CHECKING:
    import polars as pl


@hookimpl
def relationship_measures(
    parameters: Mapping[str, float], tables: Mapping[str, pl.DataFrame]
) -> tuple[Measure | KeyedMeasure | CaseMeasure, ...]:
    """Orders and visits, trade by category, costs, evidence, cases, wishes, restraint, contact, and days of support."""
    # These import polars, which `relate --help` can do without.
    from relationship_core.builtin.measures.buying import buying
    from relationship_core.builtin.measures.cases import cases
    from relationship_core.builtin.measures.contact import contact
    from relationship_core.builtin.measures.days import days
    from relationship_core.builtin.measures.evidence import evidence
    from relationship_core.builtin.measures.restraint import restraint
    from relationship_core.builtin.measures.trading import trading
    from relationship_core.builtin.measures.wishes import wishes

    return (
        *buying(parameters, tables),
        trading(parameters),
        *evidence(parameters),
        *cases(parameters),
        *wishes(parameters),
        *restraint(),
        *contact(),
        *days(),
    )
