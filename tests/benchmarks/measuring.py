"""Timing a product against a raw probe, and what comes of it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen(kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what ``--only`` calls it.
        what: what was measured, in a few words.
        product: what each run took, in ``unit``.
        probe: what the raw probe beside each run took, in ``unit``; as many.
        unit: ``s``, ``ms`` or ``MB``.
        ratios: the product against its probe, run by run; as many.
        target: the bound as text.
        met: whether the median ratio, or what the target names, keeps the bound; None where there is no bound.
        notes: what a reader needs to judge it.
        load: the machine's load average (one minute) when it was measured.
    """

    name: str
    what: str
    product: Sequence[float]
    probe: Sequence[float]
    unit: str = "s"
    ratios: Sequence[float]
    target: str
    met: bool | None
    notes: Sequence[str] = ()
    load: float = field(factory=lambda: os.getloadavg()[0])

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return median(self.ratios)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of wall time that work takes, and its result."""
    gc.collect()
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def at_most(
    name: str,
    what: str,
    pairs: Sequence[tuple[float, float]],
    limit: float,
    *,
    target: str = "",
    unit: str = "s",
    notes: Sequence[str] = (),
) -> Figure:
    """A figure whose median ratio of product to probe may not pass a limit; ``pairs`` are (product, probe)."""
    ratios = [product / probe for product, probe in pairs]
    return Figure(
        name=name,
        what=what,
        product=[product for product, _ in pairs],
        probe=[probe for _, probe in pairs],
        unit=unit,
        ratios=ratios,
        target=target or f"at most {limit:g}",
        met=median(ratios) <= limit,
        notes=notes,
    )
