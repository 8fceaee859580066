"""Peak memory of review and plan, of so many customers and of twice as many."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from measuring import Figure
from projects import Prepared, copied

LIMIT = 1.3
REPEATS = 1
_CHILD = Path(__file__).parent.parent / "peak.py"


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """A process of its own for each size reviews and plans for everybody."""
    single, double = prepared.size.customers, prepared.size.customers * 2
    runs = [{customers: _peak(prepared, customers) for customers in (single, double)} for _ in range(repeats)]
    ratios = [peaks[double]["plan"] / peaks[single]["plan"] for peaks in runs]
    notes = tuple(
        f"{customers:,} customers: {peak['start']:.0f} MB with the project open, "
        f"{peak['review']:.0f} MB after the review, {peak['plan']:.0f} MB after the plan"
        for customers, peak in runs[-1].items()
    )
    return [
        Figure(
            name="memory",
            what=f"peak of review and plan, {double:,} against {single:,} customers",
            product=[peaks[double]["plan"] for peaks in runs],
            probe=[peaks[single]["plan"] for peaks in runs],
            unit="MB",
            ratios=ratios,
            target=f"at most {LIMIT:g}",
            met=median(ratios) <= LIMIT,
            notes=notes,
        )
    ]


def _peak(prepared: Prepared, customers: int) -> dict[str, float]:
    with copied(prepared.imported(customers)) as folder:
        command = [sys.executable, str(_CHILD), str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peaks: dict[str, float] = json.loads(answer)
    return peaks
