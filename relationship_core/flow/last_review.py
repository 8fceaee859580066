"""The last review: as of when it was, and the rules that it went by."""

from __future__ import annotations

from datetime import datetime

from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.rules import Rules
from relationship_core.model.instants import parse_instant
from relationship_core.ports import Store

RULES_FACT = "rules"
INSTANT_FACT = "last_reviewed_at"


def last_reviewed(store: Store) -> datetime | None:
    """The instant of the last review, also of one that was cut short; None before the first."""
    last = read_fact(store, INSTANT_FACT)
    return None if last is None else parse_instant(last)


def is_by_rules(store: Store, rules: Rules) -> bool:
    """Whether the last review went by these very rules."""
    return read_fact(store, RULES_FACT) == rules.signature()


def note_review(store: Store, now: datetime, rules: Rules) -> None:
    """Keep the instant and the rules of a review that begins; inside a transaction."""
    write_fact(store, INSTANT_FACT, now.isoformat())
    write_fact(store, RULES_FACT, rules.signature())


def refuse_before_the_last(store: Store, now: datetime, step: str) -> None:
    """Stages are those of the last review, and no step goes back behind it.

    Raises:
        RejectedError: the last review was as of a later instant.
    """
    last = last_reviewed(store)
    if last is not None and last > now:
        message = (
            f"cannot {step} as of {now.isoformat()}: there was a review as of {last.isoformat()}; "
            f"{step} as of that instant or later"
        )
        raise RejectedError(message)


def refuse_other_rules(store: Store, rules: Rules) -> None:
    """A plan by new rules, of customers whom only the old ones have marked, would leave everybody else out.

    Raises:
        ConfigurationError: nobody was reviewed, or the rules have changed since.
    """
    if is_by_rules(store, rules):
        return
    if read_fact(store, RULES_FACT) is None:
        what = "nobody has been reviewed yet"
    else:
        what = "since the last review, campaigns or other rules have changed"
    message = f"cannot plan: {what}; run `relate review` first, or `relate run` for every step"
    raise ConfigurationError(message)
