"""The distributions that are published beside the core: which of them a project asks for that has it not installed."""

from __future__ import annotations

from collections.abc import Iterable

from relationship_core.errors import nearest

PUBLISHED = frozenset({"dask", "lob", "post", "postgres", "sendgrid", "smtp", "twilio"})
"""What the distributions provide; the name of each is ``relationship-`` with it."""


def what_brings(name: str, known: Iterable[str]) -> str:
    """How a message about a name that is not there goes on: the command that brings it, or the nearest right name."""
    provided = name.lower().removeprefix("relationship-")
    return f"; `pip install relationship-{provided}` brings it" if provided in PUBLISHED else nearest(name, known)
