"""A day on which one customer in a hundred is due, against reading those customers' rows by key."""

from __future__ import annotations

from statistics import median

from data import NEXT_DAY, news
from figures.review import review_queries
from measuring import Figure, timed
from probes import read_by_key
from projects import DATABASE, Prepared, copied, open_project

FIXED_SECONDS, SECONDS_EACH = 0.5, 60e-6
REPEATS = 5


def measure(prepared: Prepared) -> list[Figure]:
    """Review and plan of the day, after its news were recorded."""
    size = prepared.size
    pairs, parts, numbers = [], [], []
    for _ in range(REPEATS):
        with copied(prepared.planned()) as folder, open_project(folder) as project:
            today = news(size)
            project.record(today)
            customers = today["customer"].to_list()
            wanted = review_queries(project)
            raw, _ = timed(lambda folder=folder, wanted=wanted: read_by_key(folder / DATABASE, wanted, customers))
            reviewing, reviewed = timed(lambda project=project: project.review(as_of=NEXT_DAY))
            planning, planned = timed(lambda project=project: project.plan(as_of=NEXT_DAY))
            pairs.append((reviewing + planning, raw))
            parts.append((reviewing.wall, planning.wall))
            numbers.append((reviewed.customers, planned.customers, planned.planned))
    due, planned_for, messages = numbers[-1]
    allowed = FIXED_SECONDS + SECONDS_EACH * due
    return [
        Figure(
            name="day",
            what=f"review and plan of a day, {due:,} of {size.customers:,} customers due",
            product=[ours.wall for ours, _ in pairs],
            probe=[raw.wall for _, raw in pairs],
            ratios=[ours.wall / raw.wall for ours, raw in pairs],
            cpu_ratio=median(ours.cpu / raw.cpu for ours, raw in pairs),
            target=f"at most 0.5 s + 60 us a customer = {allowed:.2f} s",
            met=median(ours.wall for ours, _ in pairs) <= allowed,
            notes=(
                f"review {median(part[0] for part in parts):.2f} s, plan {median(part[1] for part in parts):.2f} s",
                f"{planned_for:,} planned for, {messages:,} messages",
            ),
        )
    ]
