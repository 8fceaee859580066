"""Timing a product against a raw probe, and what comes of it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter, process_time
from typing import ParamSpec, TypeVar

from attrs import evolve, field, frozen

T = TypeVar("T")
P = ParamSpec("P")


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
        cpu_ratio: the median ratio of processor time, which other work on the machine disturbs less; None where
            time was not measured.
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
    cpu_ratio: float | None = None
    target: str
    met: bool | None
    notes: Sequence[str] = ()
    load: float = field(factory=lambda: os.getloadavg()[0])

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return median(self.ratios)


@frozen(kw_only=True)
class Timing:
    """How long something took, in seconds.

    Attributes:
        wall: by the clock.
        cpu: of processor time, of all threads and of processes it started.
    """

    wall: float
    cpu: float

    def __add__(self, other: Timing) -> Timing:
        """One after the other."""
        return Timing(wall=self.wall + other.wall, cpu=self.cpu + other.cpu)

    def __sub__(self, other: Timing) -> Timing:
        """What is left without a part of it."""
        return Timing(wall=self.wall - other.wall, cpu=self.cpu - other.cpu)

    def times(self, factor: float) -> Timing:
        """So many times as long."""
        return Timing(wall=self.wall * factor, cpu=self.cpu * factor)


def timed(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[Timing, T]:
    """How long a call takes, and its result."""
    gc.collect()
    cpu, start = _cpu(), perf_counter()
    result = work(*args, **kwargs)
    return Timing(wall=perf_counter() - start, cpu=_cpu() - cpu), result


class Stopwatch:
    """Adds up the time that is spent in some parts of a longer work."""

    def __init__(self) -> None:
        self.total = Timing(wall=0.0, cpu=0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it run; it does not run twice at once."""
        cpu, start = _cpu(), perf_counter()
        try:
            yield
        finally:
            self.total += Timing(wall=perf_counter() - start, cpu=_cpu() - cpu)


def _cpu() -> float:
    # The clock of one process has a finer grain than the sum that counts children as well.
    children = os.times()
    return process_time() + children.children_user + children.children_system


def at_most(
    name: str,
    what: str,
    pairs: Sequence[tuple[Timing, Timing]],
    limit: float | None,
    *,
    target: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """A figure whose median ratio of product to probe may not pass a limit; ``pairs`` are (product, probe)."""
    ratios = [product.wall / probe.wall for product, probe in pairs]
    return Figure(
        name=name,
        what=what,
        product=[product.wall for product, _ in pairs],
        probe=[probe.wall for _, probe in pairs],
        ratios=ratios,
        cpu_ratio=median(product.cpu / probe.cpu for product, probe in pairs),
        target=target or ("" if limit is None else f"at most {limit:g}"),
        met=None if limit is None else median(ratios) <= limit,
        notes=notes,
    )


def under(
    name: str,
    what: str,
    pairs: Sequence[tuple[Timing, Timing]],
    seconds: float,
    *,
    target: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """A figure whose median may not take so many seconds, whatever its probe takes; ``pairs`` are (product, probe)."""
    figure = at_most(name, what, pairs, None, target=target or f"under {seconds:g} s", notes=notes)
    return evolve(figure, met=median(figure.product) < seconds)
