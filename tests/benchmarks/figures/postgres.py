"""PostgreSQL: recording a file against COPY of the same rows; two workers that deliver, against a bare loop of two.

Product and probe have the same server with the same settings, and databases of their own on it. Processor time is not
told: most of it is the server's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import polars as pl
from attrs import evolve, frozen

from data import write_import
from figures.deliver import CALL, CLAIM, open_thanks, queue, unrendered
from measuring import Figure, Timing, at_most, timed
from probes import BATCH
from projects import Prepared, open_project
from relationship_core import INTERACTIONS, MESSAGES, Choice, Relationships, Store
from servers import Server, connect, started, store_of

if TYPE_CHECKING:
    from psycopg import Connection


REPEATS = 3
RECORDED_SHARE, DELIVERED_SHARE = 0.2, 0.5
WORKERS = 2
CLAIMS, SHARE = 8, 25
"""So many claims at least; at size full one customer in so many gets a message."""

URL = "RELATIONSHIP_BENCH_URL"
"""The environment variable by which a worker learns where its outbox is."""


@frozen(kw_only=True)
class _Recorded:
    """One import, with its probe and what the store alone took of it."""

    product: Timing
    bare: Timing
    append: Timing


def record(prepared: Prepared, repeats: int) -> list[Figure]:
    """An import of the file of the figure ``record``; the bare rows go in as the product wrote them."""
    size = prepared.size
    with TemporaryDirectory(dir=prepared.folder) as name, started() as server:
        file = write_import(Path(name), size.imported, size.importing)
        runs = [_record(server, Path(name), file, size.imported) for _ in range(repeats)]
        version = server.version()
    rates = [size.imported / median(getattr(run, part).wall for run in runs) for part in ("product", "bare", "append")]
    figure = at_most(
        "postgres record",
        f"import {size.imported:,} interactions of {size.importing:,} customers into PostgreSQL, against COPY",
        [(run.product, run.bare) for run in runs],
        1 / RECORDED_SHARE,
        target=f"rate at least {RECORDED_SHARE:g} of bare",
        notes=(
            f"{rates[0]:,.0f} rows a second, bare {rates[1]:,.0f}; the store's append alone {rates[2]:,.0f}",
            f"the probe: COPY of {BATCH:,} rows in a transaction, into the same table in the same order",
            version,
        ),
    )
    return [evolve(figure, cpu_ratio=None)]


def _record(server: Server, folder: Path, file: Path, rows: int) -> _Recorded:
    with server.database() as database:
        with _empty(server, database, folder) as project:
            product, recorded = timed(project.import_file, "interactions", file)
        lines = _lines(server.url_of(database))
    if recorded.new != rows or len(lines) != rows:
        message = f"{recorded.new} of {rows} rows were recorded, and {len(lines)} are there"
        raise RuntimeError(message)
    texts = [b"".join(lines[start : start + BATCH]) for start in range(0, rows, BATCH)]
    with server.database() as database:
        _empty(server, database, folder).close()
        with connect(server.url_of(database)) as connection:
            bare, _ = timed(_copy, connection, texts)
    with server.database() as database, _empty(server, database, folder) as project:
        append, _ = timed(_append, project._project.store, _interactions(file))
    return _Recorded(product=product, bare=bare, append=append)


def _empty(server: Server, database: str, folder: Path) -> Relationships:
    return open_project(folder, store=store_of(server.url_of(database)), campaigns=())


def _lines(url: str) -> list[bytes | bytearray | memoryview]:
    """The interactions as COPY writes them, in the order in which the product did."""
    copy = "COPY (SELECT * FROM interactions ORDER BY ctid) TO STDOUT"
    with connect(url) as connection, connection.cursor() as cursor, cursor.copy(copy) as stream:
        return list(stream)  # a piece for each row


def _copy(connection: Connection[tuple[object, ...]], texts: Sequence[bytes]) -> None:
    """Copy them, a transaction each, into the product's own table of another database."""
    for text in texts:
        with connection.cursor() as cursor, cursor.copy("COPY interactions FROM STDIN") as stream:
            stream.write(text)


def _interactions(file: Path) -> pl.DataFrame:
    """The rows of a file in the order in which the product writes them."""
    rows = pl.read_parquet(file).sort("customer", "at").rename({"amount_minor": "amount"})
    absent = [pl.lit(None).alias(name) for name in INTERACTIONS.schema if name not in rows.columns]
    return INTERACTIONS.conform(rows.with_columns(absent))


def _append(store: Store, interactions: pl.DataFrame) -> None:
    """The store's part of an import: nothing is made of the rows."""
    for rows in interactions.iter_slices(BATCH):
        with store.transaction():
            store.append(rows)


def deliver(prepared: Prepared, repeats: int) -> list[Figure]:
    """Two processes that take from one outbox until it is empty; their start is not measured."""
    count = max(prepared.size.customers // SHARE, CLAIMS * CLAIM)
    with started() as server, server.database() as queued:
        with TemporaryDirectory() as name, _opened(Path(name), store_of(server.url_of(queued))) as project:
            queue(project, count)
        pairs = [
            (_emptied(server, queued, "product", count), _emptied(server, queued, "bare", count))
            for _ in range(repeats)
        ]
        version = server.version()
    sides = list(zip(*pairs, strict=True))
    rates = [count / median(timing.wall for timing in side) for side in sides]
    own = [median(timing.cpu for timing in side) for side in sides]
    figure = at_most(
        "postgres deliver",
        f"{WORKERS} workers deliver {count:,} messages without templates from PostgreSQL to the null channel, against "
        f"{WORKERS} that claim and settle",
        pairs,
        1 / DELIVERED_SHARE,
        target=f"rate at least {DELIVERED_SHARE:g} of bare",
        notes=(
            f"{rates[0]:,.0f} messages a second, bare {rates[1]:,.0f}",
            f"processor time of the workers without the server's: {own[0]:.2f} s, bare {own[1]:.2f} s",
            version,
        ),
    )
    return [evolve(figure, cpu_ratio=None)]


def _opened(folder: Path, store: Choice) -> Relationships:
    return open_thanks(folder, "Hello", "Hello again", store=store)


def _emptied(server: Server, queued: str, how: str, count: int) -> Timing:
    """How long the workers take from when all are ready until the last has nothing left to do."""
    with server.database(like=queued) as database, TemporaryDirectory() as folder, ExitStack() as stack:
        environment = {**os.environ, URL: server.url_of(database), "PYTHONPATH": str(Path(__file__).parent.parent)}
        command = [sys.executable, __file__, how, folder]
        workers = [
            stack.enter_context(
                subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(WORKERS)
        ]
        for worker in workers:
            _line(worker)
        start = perf_counter()
        for worker in workers:
            _tell(worker)
        answers = [json.loads(_line(worker)) for worker in workers]
        wall = perf_counter() - start
    shares = [answer["done"] for answer in answers]
    if sum(shares) != count or not all(shares):
        message = f"of {count} messages the workers settled {shares}"
        raise RuntimeError(message)
    return Timing(wall=wall, cpu=sum(answer["cpu"] for answer in answers))


def _tell(worker: subprocess.Popen[str]) -> None:
    """Let a worker begin."""
    if worker.stdin is not None:
        worker.stdin.write("\n")
        worker.stdin.flush()


def _line(worker: subprocess.Popen[str]) -> str:
    """The next line of a worker; an error where it has ended."""
    line = worker.stdout.readline() if worker.stdout is not None else ""
    if not line:
        message = f"a worker ended with status {worker.wait()}"
        raise RuntimeError(message)
    return line


def _begin() -> None:
    """Tell that everything is ready, and wait for the other workers."""
    print("ready", flush=True)
    sys.stdin.readline()


def _product(folder: Path, url: str) -> Mapping[str, float]:
    """Deliver; what is imported late was imported before, for one message in memory."""
    with unrendered():
        with TemporaryDirectory() as name, _opened(Path(name), Choice(use="memory")) as project:
            queue(project, 1)
            project.deliver()
        with _opened(folder, store_of(url)) as project:
            _begin()
            timing, delivered = timed(project.deliver)
    return {"done": delivered.accepted, "cpu": timing.cpu}


def _bare(_folder: Path, url: str) -> Mapping[str, float]:
    """Claim and settle."""
    with connect(url) as connection:
        connection.execute("SELECT")
        _begin()
        timing, done = timed(_claim_and_settle, connection)
    return {"done": done, "cpu": timing.cpu}


def _claim_and_settle(connection: Connection[tuple[object, ...]]) -> int:
    """The same states in the same transactions, by a statement for each; how many messages there were."""
    claim = (
        "UPDATE messages SET state = 'claimed', worker = 'w', claimed_until = 1 WHERE id = ANY(ARRAY("  # noqa: S608  names of this repository
        f"SELECT id FROM messages WHERE channel = 'mail' AND state = 'queued' ORDER BY queued_at, id LIMIT {CLAIM} "
        f"FOR UPDATE SKIP LOCKED)) RETURNING {', '.join(MESSAGES.schema)}"
    )
    attempt = "UPDATE messages SET state = 'attempting' WHERE id = ANY(%s)"
    settle = (
        "UPDATE messages SET state = 'accepted', worker = NULL, claimed_until = NULL, settled_at = 1 WHERE id = ANY(%s)"
    )
    done = 0
    while rows := connection.execute(claim).fetchall():
        done += len(rows)
        before: list[object] = []
        for start in range(0, len(rows), CALL):
            ids = [row[0] for row in rows[start : start + CALL]]
            with connection.transaction():
                if before:
                    connection.execute(settle, (before,))
                connection.execute(attempt, (ids,))
            before = ids
        connection.execute(settle, (before,))
    return done


if __name__ == "__main__":
    work = {"product": _product, "bare": _bare}[sys.argv[1]]
    print(json.dumps(work(Path(sys.argv[2]), os.environ[URL])))
