"""The names of the columns that candidates have beside those of the standing; ``plan.candidates`` says what each is."""

from __future__ import annotations

from relationship_core.errors import ConfigurationError
from relationship_core.flow.catalog import Catalog

KEYS = ("campaign", "action", "customer", "occasion")
STEP_AT = "step_at"
"""The column that a follow-up's condition may name: when the step before went."""
ENTERED_AT = "entered_at"
"""The column that a follow-up's condition and a goal may name: when the first step of the occasion was queued."""
CHANGES_AT = "changes_at"
"""The column that holds when time alone may change what messages tell of a candidate; null for never."""
GOAL_REACHED = "goal_reached"
"""Whether the customer has reached the campaign's goal."""
OWN_COLUMNS = frozenset(
    (
        *(*KEYS, "purpose", "nature", "topic", "priority", "value", "weight", "cost", "our_minutes", "their_minutes"),
        *("per_customer", "due", "expires_at", STEP_AT, ENTERED_AT, "now"),
    )
)
"""The columns that candidates begin with."""
CANDIDATE_COLUMNS = OWN_COLUMNS | frozenset(
    (
        *("engagements", "held", "reachable", "variant", "channel", "medium", "address", "suppressed", "consent"),
        *("wish", "last_contact_at", "minimum_interval_days", "cap", "cap_until"),
        *("contact_balance", "contact_balance_until", "open_ask_at", "open_ask_until", "cost_minor"),
        *("quiet_until", "quiet_unknown", GOAL_REACHED),
        *("last_give_at", "last_presence_at", "cleared_at", "cleared_until", "cleared_by"),
    )
)
"""Every column that candidates have beside those of the standing."""
_CARRIED = frozenset({CHANGES_AT, "left_out", "not_before", "room", "waits"})
"""What planning itself adds to candidates on the way, beside that."""
_HIDDEN = frozenset({"cost", "our_minutes", "their_minutes"})
"""Measures that come with the package: of a candidate the columns of these names are the campaign's."""
_DECLARED = frozenset({"attribute", "measure", "feature", "keyed feature", "score"})
"""The origins of columns that somebody else names."""


def refuse_candidate_names(catalog: Catalog) -> None:
    """Refuse a column of the standing that has the name of a candidate's: policies know both by name alone.

    Raises:
        ConfigurationError: somebody declares one; the message names it.
    """
    taken = CANDIDATE_COLUMNS | _CARRIED
    for column in catalog.columns.values():
        hidden = column.origin == "measure" and column.name in _HIDDEN
        if column.origin in _DECLARED and column.name in taken and not hidden:
            message = (
                f"the {column.origin} {column.name!r} has the name of a column that planning gives every candidate; "
                f"give it another one, such as {'own_' + column.name!r}"
            )
            raise ConfigurationError(message)
