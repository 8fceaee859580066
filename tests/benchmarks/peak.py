"""Review and plan in a fresh process; prints the highest resident memory so far, in MB, after each step."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from data import NOW
from projects import open_project

_STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """The highest resident memory of this process so far."""
    if _STATUS.exists():
        # On Linux ru_maxrss also counts what the process was before it started this program.
        line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


def main(folder: Path) -> None:
    """Measure the project in a folder."""
    peaks = {}
    with open_project(folder) as project:
        peaks["start"] = peak_mb()
        project.review(as_of=NOW)
        peaks["review"] = peak_mb()
        project.plan(as_of=NOW)
        peaks["plan"] = peak_mb()
    print(json.dumps(peaks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
