"""Import: a file, read in chunks, kept in batches, its refused rows written down; resumed where it stopped."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

import polars as pl
from attrs import evolve, frozen

from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.facts import LAST_RECORDED_FACT, read_fact
from relationship_core.flow.progress import Listener, Progress
from relationship_core.flow.record.addresses import check_media
from relationship_core.flow.record.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from relationship_core.flow.record.checks import PROBLEM, customer_rules, interaction_rules, sift
from relationship_core.flow.record.commit import commit
from relationship_core.flow.record.contacts import commit_contacts, contact_rules, typed_contacts
from relationship_core.flow.record.convert import check_zone, text
from relationship_core.flow.record.customers import commit_customers
from relationship_core.flow.record.loading import CHUNKS, KEY, Range, survey
from relationship_core.flow.record.mapping import map_columns, media_of
from relationship_core.flow.record.numbers import check_decimal, with_plain_amounts
from relationship_core.flow.record.permission_rows import COLUMNS, said_rules, typed_said
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.rejects import FIRST, LAST, append_rejects, prepare_rejects
from relationship_core.flow.record.rows import Rows
from relationship_core.flow.record.said import COMMITS
from relationship_core.flow.record.sources import Source, open_source
from relationship_core.flow.record.text_files import ROW, WRITTEN, reading
from relationship_core.flow.record.typed import typed_interactions
from relationship_core.flow.record.typed_customers import contact_points, typed_customers
from relationship_core.model.instants import utc

_BLOCK = 1 << 20
_ORIGINAL = "original "
"""What the names of the file's columns begin with while they stand beside ours."""


@frozen(kw_only=True)
class Import:
    """One import: the file, how it is read, where its refused rows go, and the ranges of an initial load.

    Attributes:
        decimal: the mark of decimals in its amounts; None where nobody said it.
        used: the columns of the file that are read, where ``columns`` does not name them.
        more: what else decides how it is read, in texts.
        joined: the column with the numbers of the lines that a row was made of; None where each is one.
    """

    recorder: Recorder
    what: Rows
    source: Source
    columns: Mapping[str, str]
    given: Mapping[str, str]
    zone: str | None
    rejects: Path
    ranges: Sequence[Range] | None = None
    decimal: str | None = None
    used: frozenset[str] | None = None
    more: Sequence[str] = ()
    joined: str | None = None


def check_said(recorder: Recorder, kind: str | None, decimal: str | None) -> None:
    """Refuse a mark of decimals that is none, and a kind that is not declared.

    Raises:
        ConfigurationError: it is such a one.
    """
    check_decimal(decimal)
    if kind is not None and kind not in recorder.kinds:
        message = f"the kind {kind!r} is unknown{nearest(kind, recorder.kinds)}"
        raise ConfigurationError(message)


def given_of(source: str | None, kind: str | None) -> dict[str, str]:
    """What the caller says of rows that do not say it themselves."""
    return {name: value for name, value in (("source", source), ("kind", kind)) if value is not None}


def open_import(
    recorder: Recorder,
    what: Rows,
    path: Path,
    *,
    columns: Mapping[str, str],
    source: str | None,
    kind: str | None,
    zone: str | None,
    encoding: str | None,
    decimal: str | None,
) -> Import:
    """An import of a file with our columns that is not begun yet.

    Args:
        recorder: what to work with.
        what: what the rows are.
        path: the file.
        columns: for each of our columns that is called otherwise in the file, its name there.
        source: the source of rows that name none.
        kind: the kind of rows that name none.
        zone: the zone of times without an offset; None refuses them.
        encoding: how a text file is written; None for UTF-8.
        decimal: the mark of decimals in amounts that are text, a point or a comma; then thousands may have marks, too.

    Raises:
        ConfigurationError: the file is not there, a named column is not in it, or a zone, a kind or a medium
            does not exist.
        RejectedError: the file cannot be read, or lacks a column.
        UnsupportedError: the file's extension is unknown.
    """
    if zone is not None:
        check_zone(zone)
    check_said(recorder, kind, decimal)
    given = given_of(source, kind)
    file = open_source(path, encoding)
    mapped = map_columns(what, path.name, file.columns, columns, given)
    if what == "customers":
        check_media(media_of(mapped), recorder.media)
    return Import(
        recorder=recorder,
        what=what,
        source=file,
        columns=mapped,
        given=given,
        zone=zone,
        rejects=path.with_name(f"{path.name}.rejects.csv"),
        decimal=decimal,
    )


def run_import(task: Import, progress: Listener) -> Recorded:
    """Record what is left of an import: it goes on where it was cut short, and one that is finished is not done twice.

    The same content with the same settings is the same import, wherever the file lies.
    """
    checkpoint = read_checkpoint(task.recorder.store, _fingerprint(task))
    if checkpoint.finished:
        return evolve(_recorded(task, checkpoint), already=True)
    prepare_rejects(task.rejects, checkpoint.size, task.source.path)
    return _recorded(task, _go_on(task, checkpoint, progress))


def _go_on(task: Import, checkpoint: Checkpoint, progress: Listener) -> Checkpoint:
    recorder = task.recorder
    task = evolve(task, ranges=_ranges(task, checkpoint))
    checkpoint = evolve(checkpoint, loading=task.ranges is not None)
    for start, chunk in _chunks(task, checkpoint.done):
        checkpoint = _keep_chunk(task, checkpoint, chunk.rechunk(), start, progress)
        del chunk  # before the next one is read
    if checkpoint.loading:
        recorder.store.index()
    checkpoint = evolve(checkpoint, finished=True)
    with recorder.store.transaction():
        write_checkpoint(recorder.store, checkpoint, utc(recorder.clock()))
    return checkpoint


def _ranges(task: Import, checkpoint: Checkpoint) -> Sequence[Range] | None:
    """The ranges of an initial load that begins or goes on; None where rows are taken as they come."""
    recorder, file = task.recorder, task.source
    if task.what != "interactions" or file.between is None:
        return None
    is_large = (file.total or 0) > recorder.batch
    begins = not checkpoint.done and is_large and read_fact(recorder.store, LAST_RECORDED_FACT) is None
    # What was begun customer after customer goes on so: its rows are counted in that order.
    if not (begins or checkpoint.loading):
        return None
    keys = evolve(task, columns={our: their for our, their in task.columns.items() if our in KEY})
    frames = (renamed(keys, rows) for rows in file.read(_read_columns(keys), 0, recorder.chunk))
    ranges = survey(frames, CHUNKS * recorder.chunk)
    if ranges is None and checkpoint.loading:
        message = (
            f"{file.path.name} was begun as a load by another version of this program; import it with that version"
        )
        raise ConfigurationError(message)
    return ranges


def _chunks(task: Import, done: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """What is left to do: how many rows are before each chunk, and its rows; none is kept when the next is read."""
    wanted, size = _read_columns(task), task.recorder.chunk
    if task.ranges is None or task.source.between is None:
        start = done - done % size
        for chunk in task.source.read(wanted, start, size):
            yield start, chunk
            start += size
            del chunk
        return
    for each in task.ranges:
        if each.start + each.rows > done:
            yield each.start, task.source.between(wanted, task.columns["customer"], each.first, each.end)


def _keep_chunk(
    task: Import, checkpoint: Checkpoint, chunk: pl.DataFrame, start: int, progress: Listener
) -> Checkpoint:
    """The batches of a chunk that are left to do; it is in one piece, of which rows are taken out quickly."""
    order = _by_customer(task, chunk)
    for place in range(checkpoint.done - start, chunk.height, task.recorder.batch):
        rows = chunk[order[place : place + task.recorder.batch]]
        checkpoint = _keep(task, checkpoint, rows)
        progress(Progress(step=f"import {task.what}", done=checkpoint.done, total=task.source.total))
    return checkpoint


def _by_customer(task: Import, chunk: pl.DataFrame) -> pl.Series:
    """The places of a chunk's rows in ascending order of customer.

    Neighbours in the store are written together, which is much cheaper. Whatever becomes of a row, it keeps its
    place, so that an import that is resumed tomorrow finds the same batches.
    """
    if "customer" not in task.columns:
        return pl.int_range(chunk.height, eager=True)
    customers, _ = text(chunk[task.columns["customer"]].alias("customer"))
    rows = customers.to_frame()
    # Only the distinct texts are compared; the rows are ordered by number, three times as quick.
    ranks = rows.select(pl.col("customer").unique().sort()).with_row_index("rank")
    ranked = rows.join(ranks, on="customer", how="left", nulls_equal=True, maintain_order="left")
    return ranked.with_row_index("place").sort("rank", maintain_order=True)["place"]


def _keep(task: Import, before: Checkpoint, rows: pl.DataFrame) -> Checkpoint:
    """One batch: refused rows to the file of rejects, the others to the store, and how far it has come.

    Only the store can tell which rows contradict it, so the rejects are written inside the transaction. If that
    comes to nothing, the next attempt takes them off the file again: it knows how long the file was.
    """
    good, bad, commit_rows = sifted(task, renamed(task, rows))
    after = before

    def note(new: int, contradicting: pl.DataFrame | None = None, unknown: int = 0) -> None:
        nonlocal after
        refused = bad if contradicting is None else pl.concat([bad, contradicting])
        repeated = rows.height - new - refused.height
        after = evolve(
            before,
            done=before.done + rows.height,
            new=before.new + new,
            repeated=before.repeated + repeated,
            rejected=before.rejected + refused.height,
            unknown=before.unknown + unknown,
            size=_write_rejects(task, refused) if refused.height else before.size,
        )
        write_checkpoint(task.recorder.store, after, utc(task.recorder.clock()))

    commit_rows(good, note)
    return after


def _write_rejects(task: Import, refused: pl.DataFrame) -> int:
    shown = {name: name.removeprefix(_ORIGINAL) for name in refused.columns if name.startswith(_ORIGINAL)}
    if task.joined is not None:  # every line that the row was made of, so that they can be corrected together
        refused = refused.explode(*shown, task.joined).with_columns(pl.col(task.joined).alias(ROW))
    return append_rejects(task.rejects, refused, shown)


def renamed(task: Import, rows: pl.DataFrame) -> pl.DataFrame:
    """Our columns, then those of the file under other names, for the file of rejects."""
    kept = {ROW, PROBLEM, WRITTEN} | ({task.joined} if task.joined else set())
    theirs = set(task.source.columns)
    originals = [pl.col(name).alias(_ORIGINAL + name) for name in rows.columns if name in theirs and name not in kept]
    frame = rows.select(*(pl.col(their).alias(our) for our, their in task.columns.items()), *kept, *originals)
    return with_plain_amounts(frame, task.decimal).with_columns(
        (pl.col(name).cast(pl.String).fill_null(value) if name in task.columns else pl.lit(value)).alias(name)
        for name, value in task.given.items()
    )


class _Note(Protocol):
    """Told what came of a batch, inside its transaction."""

    def __call__(self, new: int, contradicting: pl.DataFrame | None = None, unknown: int = 0) -> None: ...


_Commit: TypeAlias = Callable[[pl.DataFrame, _Note], object]


def sifted(task: Import, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, _Commit]:
    """The rows that can be kept, those that cannot, and how to keep the former."""
    recorder = task.recorder
    if task.what == "customers":
        typed = typed_customers(frame, recorder.attributes)
        return *sift(typed, customer_rules()), partial(_commit_customers, recorder)
    if task.what in COMMITS:
        typed = typed_said(frame, COLUMNS[task.what], task.zone)
        return *sift(typed, said_rules(task.what, recorder.clock(), typed, recorder.media)), partial(
            COMMITS[task.what], recorder
        )
    if task.what == "contacts":
        typed = typed_contacts(frame, task.zone)
        return *sift(typed, contact_rules(utc(recorder.clock()))), partial(commit_contacts, recorder)
    typed = typed_interactions(frame, currency=recorder.currency, zone=task.zone, major=True)
    rules = interaction_rules(recorder.kinds, recorder.currency, recorder.clock(), typed)
    return *sift(typed, rules), partial(commit, recorder, fresh=task.ranges is not None)


def _commit_customers(recorder: Recorder, good: pl.DataFrame, note: _Note) -> int:
    return commit_customers(recorder, good, contact_points(good), note)


def _read_columns(task: Import) -> list[str]:
    """All columns of a text file, for the file of rejects; of Parquet, which is wide, those that are used."""
    if task.source.path.suffix.lower() != ".parquet":
        return list(task.source.columns)
    return list(dict.fromkeys(task.columns.values()))


def _recorded(task: Import, checkpoint: Checkpoint) -> Recorded:
    used = {*(task.columns.values() if task.used is None else task.used), *FIRST, *LAST}
    return Recorded(
        new=checkpoint.new,
        repeated=checkpoint.repeated,
        rejected=checkpoint.rejected,
        rejects=task.rejects if checkpoint.rejected else None,
        unknown_customers=checkpoint.unknown,
        ignored=tuple(name for name in task.source.columns if name not in used),
    )


def _fingerprint(task: Import) -> str:
    """What tells this import from others: the content, and everything that decides how it is read."""
    recorder = task.recorder
    settings = [
        task.what,
        sorted(task.columns.items()),
        sorted(task.given.items()),
        task.zone,
        recorder.currency,
        sorted(recorder.kinds),
        None if recorder.attributes is None else sorted(recorder.attributes.items()),
        recorder.chunk,
        task.source.path.suffix.lower(),
        *task.more,
        *([] if task.decimal is None else [f"decimal {task.decimal}"]),
        *([] if task.source.encoding is None else [f"encoding {task.source.encoding}"]),
    ]
    digest = hashlib.blake2b(json.dumps(settings).encode(), digest_size=16)
    path = task.source.path
    encoding = task.source.encoding or "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)() if path.suffix.lower() != ".parquet" else None
    with reading(path, encoding), path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            # Before anything is kept, see that all of the file is text.
            if decoder is not None:
                decoder.decode(block)
        if decoder is not None:
            decoder.decode(b"", final=True)
    return digest.hexdigest()
