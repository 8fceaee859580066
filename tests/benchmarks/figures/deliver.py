"""Delivering to channels of this machine, against claiming and settling, and rendering and writing, in a bare loop."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from data import NOW
from measuring import Figure, Timing, at_most, timed
from peak import peak_mb
from probes import connect
from projects import DATABASE, Prepared, copied, open_project
from relationship_core import (
    MESSAGES,
    Action,
    Campaign,
    Choice,
    ContactPoint,
    Customer,
    Engagement,
    Message,
    Occasion,
    Relationships,
    Renderer,
    Variant,
    eml,
)
from relationship_core.builtin.liquid import LiquidRenderer, LiquidSettings

REPEATS = 3
BARE_SHARE, WRITING_SHARE, MEMORY = 0.5, 0.5, 1.3
SHARE = 50
"""One customer in so many gets a message."""
CLAIM, CALL = 2_000, 100
"""How many messages the probe claims, and settles, in one transaction: as many as the product does at most."""
SUBJECT, TEXT = "Hello {{ customer.name }}", "Dear {{ customer.name }},\n\nthank you for coming back.\n"


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """The null channel without templates, the folder with them, and the peak of memory."""
    count = prepared.size.customers // SHARE
    return [_null(prepared, count, repeats), _folder(prepared, count, repeats), _memory(prepared, count, repeats)]


def _null(prepared: Prepared, count: int, repeats: int) -> Figure:
    """Words without variables: what is filled in costs little beside what is looked after."""
    runs = []
    for _ in range(repeats):
        with copied(_queued(prepared, count, "Hello", "Hello again")) as folder:
            probe = folder / "probe.db"
            probe.write_bytes((folder / DATABASE).read_bytes())
            bare, _none = timed(_claim_and_settle, probe)
            with open_thanks(folder, "Hello", "Hello again") as project, unrendered():
                delivery, delivered = timed(project.deliver)
            _check(delivered.accepted, count)
        runs.append((delivery, bare))
    return at_most(
        "deliver null",
        f"deliver {count:,} messages without templates to the null channel, against claiming and settling",
        runs,
        1 / BARE_SHARE,
        target=f"rate at least {BARE_SHARE:g} of bare",
        notes=(_rates(runs, count),),
    )


def _folder(prepared: Prepared, count: int, repeats: int) -> Figure:
    runs = []
    for _ in range(repeats):
        with copied(_queued(prepared, count, SUBJECT, TEXT)) as folder:
            bare, _none = timed(_render_and_write, folder / "bare", count)
            channel = Choice(use="folder", settings={"path": folder / "outbox"})
            with open_thanks(folder, SUBJECT, TEXT, channel) as project:
                delivery, delivered = timed(project.deliver)
            _check(delivered.accepted, count)
        runs.append((delivery, bare))
    return at_most(
        "deliver folder",
        f"deliver {count:,} mails into a folder, against rendering and writing them",
        runs,
        1 / WRITING_SHARE,
        target=f"rate at least {WRITING_SHARE:g} of bare",
        notes=(_rates(runs, count),),
    )


def _memory(prepared: Prepared, count: int, repeats: int) -> Figure:
    single, double = count, count * 4
    peaks = [{each: _peak(prepared, each) for each in (single, double)} for _ in range(repeats)]
    ratios = [peak[double] / peak[single] for peak in peaks]
    return Figure(
        name="deliver memory",
        what=f"peak of delivering {double:,} against {single:,} messages to the null channel",
        product=[peak[double] for peak in peaks],
        probe=[peak[single] for peak in peaks],
        unit="MB",
        ratios=ratios,
        target=f"at most {MEMORY:g}",
        met=median(ratios) <= MEMORY,
    )


def _peak(prepared: Prepared, count: int) -> float:
    with copied(_queued(prepared, count, SUBJECT, TEXT)) as folder:
        command = [sys.executable, __file__, str(folder)]
        environment = {"PYTHONPATH": str(Path(__file__).parent.parent)}
        answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return float(json.loads(answer))


def _rates(runs: list[tuple[Timing, Timing]], count: int) -> str:
    product, bare = (count / median(run[place].wall for run in runs) for place in (0, 1))
    return f"{product:,.0f} messages a second, bare {bare:,.0f}"


def _check(accepted: int, count: int) -> None:
    if accepted != count:
        message = f"{accepted} of {count} messages were accepted"
        raise RuntimeError(message)


def _queued(prepared: Prepared, count: int, subject: str, text: str) -> Path:
    empty = prepared.folder / "empty.db"
    empty.touch()
    kind = "templates" if "{{" in text else "plain"
    return prepared.after(f"queued-{kind}-{count}", empty, lambda folder: _queue(folder, count, subject, text))


def _queue(folder: Path, count: int, subject: str, text: str) -> None:
    with open_thanks(folder, subject, text) as project:
        queue(project, count)


def queue(project: Relationships, count: int) -> None:
    """Put a message each for so many customers into the outbox of a project that ``open_thanks`` has opened."""
    project.record_customers(
        Customer(
            id=f"c{number}",
            name=f"Number {number}",
            contact_points=[ContactPoint(medium="email", address=f"c{number}@example.com", synthetic=True)],
        )
        for number in range(count)
    )
    project.review(as_of=NOW)
    project.plan(as_of=NOW)


def open_thanks(folder: Path, subject: str, text: str, channel: Choice | None = None, **settings: Any) -> Relationships:
    """Open a project whose only campaign thanks everybody once; ``settings`` as for ``open_project``."""
    action = Action(
        name="write",
        occasion=Occasion(name="occasion", when=""),
        variants=(Variant(channel="mail", subject=subject, text=text),),
    )
    campaign = Campaign(name="thanks", owner="Care", purpose="service", nature="give", actions=(action,))
    null = Choice(use="null", settings={"medium": "email"})
    return open_project(folder, campaigns=(campaign,), channels={"mail": channel or null}, **settings)


def _as_it_is(self: LiquidRenderer, template: str, context: Mapping[str, object], *, html: bool) -> str:  # noqa: ARG001  the port's
    return template


@contextmanager
def unrendered() -> Iterator[None]:
    """The words as they are, without looking for anything to fill in."""
    render = LiquidRenderer.render
    LiquidRenderer.render = _as_it_is  # type: ignore[method-assign]  # for once
    try:
        yield
    finally:
        LiquidRenderer.render = render  # type: ignore[method-assign]  # as it was


def _claim_and_settle(database: Path) -> None:
    """The same states in the same transactions, as a loop over SQLite itself."""
    columns = ", ".join(MESSAGES.schema)
    claim = (
        "UPDATE messages SET state = 'claimed', "  # noqa: S608  names of this repository
        "worker = 'w', claimed_until = 1 WHERE id IN (SELECT id FROM messages "
        f"WHERE channel = 'mail' AND state = 'queued' ORDER BY queued_at, id LIMIT {CLAIM}) RETURNING {columns}"
    )
    settle = "UPDATE messages SET state = 'accepted', worker = NULL, claimed_until = NULL, settled_at = 1 WHERE id = ?"
    with closing(connect(database)) as connection:
        while True:
            with _transaction(connection, durable=True):
                rows = connection.execute(claim).fetchall()
            if not rows:
                return
            before: list[tuple[str]] = []
            for start in range(0, len(rows), CALL):
                ids = [(row[0],) for row in rows[start : start + CALL]]
                with _transaction(connection):
                    connection.executemany(settle, before)
                    connection.executemany("UPDATE messages SET state = 'attempting' WHERE id = ?", ids)
                before = ids
            with _transaction(connection, durable=True):
                connection.executemany(settle, before)


@contextmanager
def _transaction(connection: sqlite3.Connection, *, durable: bool = False) -> Iterator[None]:
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


def _render_and_write(folder: Path, count: int) -> None:
    """Fill in, build and write as many mails, each by a name of its own first, as the folder channel does."""
    folder.mkdir()
    renderer: Renderer = LiquidRenderer(LiquidSettings())
    engagement = Engagement(campaign="thanks", action="write", customer="c", occasion="once")
    for number in range(count):
        context: Mapping[str, object] = {"customer": {"name": f"Number {number}"}}
        message = Message(
            id=f"{number:032x}",
            engagement=engagement,
            channel="mail",
            address=f"c{number}@example.com",
            recipient=f"Number {number}",
            subject=renderer.render(SUBJECT, context, html=False),
            text=renderer.render(TEXT, context, html=False),
            at=NOW,
        )
        part = folder / f".{number:032x}.part"
        part.write_bytes(eml(message, sender="Benchmark <hello@example.com>", domain="example.com"))
        part.replace(folder / f"{number:032x}.eml")


def main(folder: Path) -> None:
    """Deliver what is queued in a folder, and print the highest resident memory, in MB."""
    with open_thanks(folder, SUBJECT, TEXT) as project:
        project.deliver()
    print(json.dumps(peak_mb()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
