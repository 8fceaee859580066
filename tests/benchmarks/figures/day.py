"""A day on which one customer in a hundred is due, against reading those customers' rows by key."""

from __future__ import annotations

from statistics import median

from attrs import evolve, frozen

from data import NEXT_DAY, Size, news
from figures.review import review_queries
from measuring import Figure, Timing, timed
from probes import read_by_key
from projects import DATABASE, Prepared, copied, open_project

FIXED_SECONDS, SECONDS_EACH = 0.5, 40e-6
REPEATS = 5


@frozen(kw_only=True)
class _Run:
    """One day: its steps, its probe, and how many customers and messages there were."""

    review: Timing
    plan: Timing
    probe: Timing
    due: int
    planned_for: int
    messages: int

    @property
    def total(self) -> Timing:
        return self.review + self.plan


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Review and plan of the day, after its news were recorded; and of as large a part of a tenth of the customers."""
    smaller = Prepared(
        folder=prepared.folder / "tenth", size=evolve(prepared.size, customers=prepared.size.customers // 10)
    )
    smaller.folder.mkdir(exist_ok=True)
    return [_figure(each, repeats) for each in (prepared, smaller)]


def _figure(prepared: Prepared, repeats: int) -> Figure:
    runs = [_run(prepared) for _ in range(repeats)]
    last = runs[-1]
    allowed = FIXED_SECONDS + SECONDS_EACH * last.due
    return Figure(
        name="day",
        what=f"review and plan of a day, {last.due:,} of {prepared.size.customers:,} customers due",
        product=[run.total.wall for run in runs],
        probe=[run.probe.wall for run in runs],
        ratios=[run.total.wall / run.probe.wall for run in runs],
        cpu_ratio=median(run.total.cpu / run.probe.cpu for run in runs),
        target=f"at most 0.5 s + 40 us a customer = {allowed:.2f} s",
        met=median(run.total.wall for run in runs) <= allowed,
        notes=(
            f"review {median(run.review.wall for run in runs):.2f} s",
            f"plan {median(run.plan.wall for run in runs):.2f} s",
            f"{last.planned_for:,} planned for, {last.messages:,} messages",
        ),
    )


def _run(prepared: Prepared) -> _Run:
    size: Size = prepared.size
    today = news(size)
    with copied(prepared.planned()) as folder, open_project(folder) as project:
        project.record(today)
        wanted = review_queries(project)
        probe, _ = timed(read_by_key, folder / DATABASE, wanted, today["customer"].to_list())
        reviewing, reviewed = timed(project.review, as_of=NEXT_DAY)
        planning, planned = timed(project.plan, as_of=NEXT_DAY)
    return _Run(
        review=reviewing,
        plan=planning,
        probe=probe,
        due=reviewed.customers,
        planned_for=planned.customers,
        messages=planned.planned,
    )
