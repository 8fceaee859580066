"""Imports by a preset: part after part of an export; and what an import would do, without doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.progress import Listener, silent
from relationship_core.flow.record.addresses import check_media
from relationship_core.flow.record.importing import (
    Import,
    check_said,
    given_of,
    open_import,
    renamed,
    run_import,
    sifted,
)
from relationship_core.flow.record.mapping import has_column, media_of
from relationship_core.flow.record.prepared import (
    ROWS,
    Prepared,
    Reading,
    is_there,
    prepare,
)
from relationship_core.flow.record.preset_words import check_words, chosen_parts, is_of, zone_of
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.rows import Rows
from relationship_core.flow.record.sources import open_source
from relationship_core.flow.record.text_files import ROW
from relationship_core.presets import Preset, PresetPart

SHOWN = 5
"""So many rows a preview shows of each part."""

_HIDDEN = {"attributes", "data"}


@frozen(kw_only=True)
class How:
    """What a caller says of a file.

    Attributes:
        what: what the rows are; None where the preset says it.
        preset: how the export is read; None for a file with our columns.
        columns: for each of our columns that is called otherwise, its name in the file.
        source: the source of rows that name none.
        kind: the kind of rows that name none.
        zone: the zone of times without an offset.
        encoding: how the text is written; None for UTF-8.
        decimal: the mark of decimals in amounts.
        consent_at: when those had agreed of whom the export says no date.
        rejects: where refused rows go; None for beside the file.
    """

    what: Rows | None = None
    preset: Preset | None = None
    columns: Mapping[str, str] = field(factory=dict)
    source: str | None = None
    kind: str | None = None
    zone: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    consent_at: datetime | None = None
    rejects: Path | None = None


@frozen(kw_only=True)
class PartPreview:
    """What an import would do with one kind of rows.

    Attributes:
        name: which part of the preset it is; what the rows are, where there is no preset.
        what: what the rows are.
        columns: for each of our columns what it is read from.
        given: a value for each of our columns that no column of the file says.
        ignored: columns of the file that are not read.
        rows: how many rows the file makes, whether or not they were recorded before.
        refused: how many of them would be refused, by the reason; what only the store can tell is not among them.
        left_out: lines of the export that the preset does not record, by the reason.
        first: the first rows as they would be recorded, by our columns.
    """

    name: str
    what: str
    columns: Mapping[str, str]
    given: Mapping[str, str]
    ignored: tuple[str, ...]
    rows: int
    refused: Mapping[str, int]
    left_out: Mapping[str, int]
    first: tuple[Mapping[str, Any], ...]


def import_from(recorder: Recorder, path: Path, how: How, progress: Listener = silent) -> Recorded:
    """Record a file, CSV, JSON lines or Parquet by its extension; with a preset each of its parts, one after the other.

    Raises:
        ConfigurationError: the file is not there, or what was said of it is wrong.
        RejectedError: the file cannot be read, or lacks a column.
        UnsupportedError: the file's extension is unknown.
    """
    tasks = list(_tasks(recorder, path, how))
    results: dict[str, Recorded] = {}
    for name, task, prepared in tasks:
        done = run_import(task, progress)
        if prepared is not None:
            if done.already:
                _count(prepared)
            done = evolve(done, left_out=dict(prepared.left_out))
        results[name] = done
    if how.preset is None:
        return next(iter(results.values()))
    return _sum(results)


def preview(recorder: Recorder, path: Path, how: How) -> tuple[PartPreview, ...]:
    """What an import would do; nothing is written, neither to the store nor to a file.

    Raises:
        As ``import_from``.
    """
    return tuple(_preview(name, task, prepared) for name, task, prepared in _tasks(recorder, path, how))


def _tasks(recorder: Recorder, path: Path, how: How) -> Iterator[tuple[str, Import, Prepared | None]]:
    if how.preset is None:
        if how.what is None:
            message = "say what the rows are, customers, interactions or contacts; or name a preset"
            raise ConfigurationError(message)
        if how.consent_at is not None:
            message = "consent_at is for presets whose exports tell no date; leave it out"
            raise ConfigurationError(message)
        task = open_import(
            recorder, how.what, path, columns=how.columns, source=how.source, kind=how.kind, zone=how.zone,
            encoding=how.encoding, decimal=how.decimal,
        )  # fmt: skip
        yield how.what, evolve(task, rejects=how.rejects or task.rejects), None
        return
    yield from _preset_tasks(recorder, path, how, how.preset)


def _preset_tasks(
    recorder: Recorder, path: Path, how: How, preset: Preset
) -> Iterator[tuple[str, Import, Prepared | None]]:
    parts = chosen_parts(preset, how.what)
    given = given_of(how.source, how.kind)
    check_words(preset, parts, how.columns, given)
    check_said(recorder, how.kind, how.decimal)
    zone = zone_of(preset, how.zone)
    file = open_source(path, how.encoding)
    reading = Reading(currency=recorder.currency, decimal=how.decimal, consent_at=how.consent_at, now=recorder.clock())
    wanted = [part for part in parts if not part.optional or is_there(part, file)]
    if not wanted:
        message = f"{path.name} has no part of {preset.name!r}; it has {', '.join(file.columns)}"
        raise RejectedError(message)
    for part in wanted:
        ours = _named(part, parts, how.columns)
        taken = {our: value for our, value in given.items() if has_column(part.what, our)}
        whole = evolve(part, given={**part.given, **taken})
        prepared = prepare(preset, whole, file, ours, reading)
        if part.what == "customers":
            check_media(media_of(prepared.columns), recorder.media)
        task = Import(
            recorder=recorder,
            what=part.what,
            source=prepared.source,
            columns=prepared.columns,
            given=whole.given,
            zone=zone,
            rejects=_rejects(path, how, part, len(parts)),
            decimal=how.decimal,
            used=prepared.used,
            more=[
                preset.name,
                repr(whole),
                repr(preset.times),
                repr(sorted(prepared.told.items())),
                str(how.consent_at),
            ],
            joined=ROWS if part.joined else None,
        )
        yield part.name, task, prepared


def _named(part: PresetPart, parts: Sequence[PresetPart], columns: Mapping[str, str]) -> Mapping[str, str]:
    """What the caller calls a part's columns; where parts read one of ours differently, the first of them is meant."""
    first = {our: names for each in reversed(parts) for our, names in each.columns.items()}
    return {
        our: their for our, their in columns.items() if is_of(part, our) and part.columns.get(our) == first.get(our)
    }


def _rejects(path: Path, how: How, part: PresetPart, number: int) -> Path:
    beside = how.rejects or path.with_name(f"{path.name}.rejects.csv")
    if number == 1:
        return beside
    stem = beside.name.removesuffix(".csv").removesuffix(".rejects")
    return beside.with_name(f"{stem}.{part.name}.rejects.csv")


def _count(prepared: Prepared) -> None:
    """Read the file once more for what is left out of it."""
    for _ in prepared.source.read(prepared.source.columns, 0, 100_000):
        pass


def _sum(parts: Mapping[str, Recorded]) -> Recorded:
    results = parts.values()
    left_out: Counter[str] = Counter()
    for each in results:
        left_out.update(each.left_out)
    return Recorded(
        new=sum(each.new for each in results),
        repeated=sum(each.repeated for each in results),
        rejected=sum(each.rejected for each in results),
        rejects=next((each.rejects for each in results if each.rejects is not None), None),
        unknown_customers=sum(each.unknown_customers for each in results),
        already=all(each.already for each in results),
        ignored=tuple(name for name in next(iter(results)).ignored if all(name in each.ignored for each in results)),
        left_out=dict(left_out),
        parts=dict(parts),
    )


def _preview(name: str, task: Import, prepared: Prepared | None) -> PartPreview:
    rows, refused = 0, Counter[str]()
    first: list[Mapping[str, Any]] = []
    wanted = [*task.given, *(our for our in task.columns if our not in task.given)]
    for chunk in task.source.read(_columns(task), 0, task.recorder.batch):
        good, bad, _ = sifted(task, renamed(task, chunk))
        rows += chunk.height
        refused.update(dict(bad.group_by("reason").len().iter_rows()))
        shown = good.sort(ROW, maintain_order=True).head(max(0, SHOWN - len(first)))
        names = [our for our in wanted if our in shown.columns and our not in _HIDDEN]
        first += shown.select(names).to_dicts()
    used = task.used if task.used is not None else frozenset(task.columns.values())
    return PartPreview(
        name=name,
        what=task.what,
        columns=task.columns if prepared is None else prepared.told,
        given=task.given,
        ignored=tuple(each for each in task.source.columns if each not in used),
        rows=rows,
        refused=dict(sorted(refused.items(), key=lambda each: (-each[1], each[0]))),
        left_out={} if prepared is None else dict(prepared.left_out),
        first=tuple(first),
    )


def _columns(task: Import) -> list[str]:
    return list(dict.fromkeys(task.columns.values())) if task.used is None else list(task.source.columns)
