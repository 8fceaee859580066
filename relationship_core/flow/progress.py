"""How a step tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen


@frozen(kw_only=True)
class Progress:
    """How far a step is.

    Attributes:
        step: the step's name.
        done: customers, rows or messages done.
        total: how many there will be; None where nobody knows yet.
    """

    step: str
    done: int
    total: int | None = None


Listener: TypeAlias = Callable[[Progress], None]
"""Called again and again during a step, with how far it has come."""


def silent(_progress: Progress) -> None:
    """Listens and says nothing."""
