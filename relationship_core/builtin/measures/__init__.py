"""The standard measures: what is counted about every customer, interaction by interaction.

Half-lives are parameters; see the reference page of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from relationship_core import CaseMeasure, KeyedMeasure, Measure, hookimpl


@hookimpl
def relationship_measures(parameters: Mapping[str, float]) -> tuple[Measure | KeyedMeasure | CaseMeasure, ...]:
    """Orders and visits, costs, evidence for each element, cases, wishes, restraint, and days of support."""
    # These import polars, which `relate --help` can do without.
    from relationship_core.builtin.measures.buying import buying
    from relationship_core.builtin.measures.cases import cases
    from relationship_core.builtin.measures.days import days
    from relationship_core.builtin.measures.evidence import evidence
    from relationship_core.builtin.measures.restraint import restraint
    from relationship_core.builtin.measures.wishes import wishes

    return (
        *buying(parameters),
        *evidence(parameters),
        *cases(parameters),
        *wishes(parameters),
        *restraint(),
        *days(),
    )
