"""The standard scores: what the measures say about a relationship.

They are behavioural proxies of constructs that research measures by survey (Morgan and Hunt 1994; Palmatier et al.
2006, 2009). Every score is shown with its confidence; without evidence it is its prior, with confidence 0, and prints
as "no evidence".
"""

from __future__ import annotations

from collections.abc import Mapping

from relationship_core import ScoringRule, hookimpl


@hookimpl
def relationship_scores(parameters: Mapping[str, float]) -> tuple[ScoringRule, ...]:
    """Patronage, the elements of a relationship, and what they come to."""
    # These import polars, which `relate --help` can do without.
    from relationship_core.builtin.scores.elements import elements
    from relationship_core.builtin.scores.patronage import patronage
    from relationship_core.builtin.scores.whole import whole

    return (*patronage(parameters), *elements(parameters), *whole(parameters))
