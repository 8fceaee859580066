"""The benchmarks: what the product takes, beside a raw probe measured in the same run.

python tests/benchmarks/run.py [--size small] [--only NAME ...] [--repeats N] [--folder DIR]
    [--customers N] [--json FILE] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from attrs import evolve

from data import SIZES
from figures import (
    contact,
    customer,
    day,
    deliver,
    executors,
    keyed,
    knowing,
    load,
    memory,
    plan,
    post,
    postgres,
    record,
    replay,
    review,
    sendgrid,
    smtp,
    start,
)
from measuring import Figure
from projects import Prepared
from table import as_json, as_markdown, show, verdict

Measure: TypeAlias = Callable[[Prepared, int], list[Figure]]

MEASURES: Mapping[str, tuple[Measure, int]] = {
    "help": (start.measure, start.REPEATS),
    "record": (record.measure, record.REPEATS),
    "keyed": (keyed.measure, keyed.REPEATS),
    "load": (load.measure, load.REPEATS),
    "knowing": (knowing.measure, knowing.REPEATS),
    "customer": (customer.measure, customer.REPEATS),
    "review": (review.measure, review.REPEATS),
    "plan": (plan.measure, plan.REPEATS),
    "day": (day.measure, day.REPEATS),
    "replay": (replay.measure, replay.REPEATS),
    "campaigns": (contact.campaigns, contact.REPEATS),
    "campaigns day": (contact.day, contact.REPEATS),
    "explain": (contact.explain, contact.ANSWERS),
    "executors": (executors.measure, executors.REPEATS),
    "deliver": (deliver.measure, deliver.REPEATS),
    "post": (post.measure, post.REPEATS),
    "postgres record": (postgres.record, postgres.REPEATS),
    "postgres deliver": (postgres.deliver, postgres.REPEATS),
    "sendgrid": (sendgrid.measure, sendgrid.REPEATS),
    "smtp": (smtp.measure, smtp.REPEATS),
    "memory": (memory.measure, memory.REPEATS),
}
"""What measures each figure, and how often unless the command line says otherwise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer 1 where something could not be measured."""
    options = _options(arguments)
    size = SIZES[options.size]
    if options.customers is not None:
        size = evolve(size, customers=options.customers)
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        figures, failures = _measured(Prepared(folder=options.folder, size=size), options)
    else:
        with TemporaryDirectory(prefix="relationship-bench-") as name:
            figures, failures = _measured(Prepared(folder=Path(name), size=size), options)
    show(figures, failures, options.size)
    if options.json is not None:
        options.json.write_text(as_json(figures, failures, options.size) + "\n", encoding="utf-8")
    if options.markdown is not None:
        options.markdown.write_text(as_markdown(figures, options.size) + "\n", encoding="utf-8")
    return 1 if failures else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full", help="small: a twentieth, for a quick try")
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure this figure; may be repeated")
    parser.add_argument(
        "--repeats", type=int, metavar="N", help="measure each so many times, instead of as many as it needs"
    )
    parser.add_argument(
        "--customers", type=int, metavar="N", help="so many customers instead, a multiple of 100; not in the imports"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there as well")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table of the documentation there")
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="keep the prepared databases there, and use those that are there already; remove it when the code changes",
    )
    return parser.parse_args(arguments)


def _measured(prepared: Prepared, options: argparse.Namespace) -> tuple[list[Figure], dict[str, str]]:
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for name in options.only or MEASURES:
        measure, repeats = MEASURES[name]
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            found = measure(prepared, options.repeats or repeats)
        except Exception as error:  # noqa: BLE001  one figure that fails must not cost the others
            traceback.print_exc()
            failures[name] = f"{type(error).__name__}: {error}"
            continue
        figures.extend(found)
        for figure in found:
            print(f"{figure.name}: ratio {figure.ratio:.2f}, {verdict(figure) or 'no target'}", file=sys.stderr)
    return figures, failures


if __name__ == "__main__":
    sys.exit(main())
