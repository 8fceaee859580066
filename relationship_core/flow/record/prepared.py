"""Files read by a preset: the lines of an export become rows with our columns, beside what they were made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.permission.consents import REFUSALS
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.convert import instants
from relationship_core.flow.record.mapping import required_of
from relationship_core.flow.record.order_lines import order_lines
from relationship_core.flow.record.sources import Source
from relationship_core.flow.record.text_files import ROW, WRITTEN, in_chunks
from relationship_core.model.instants import utc
from relationship_core.presets import Names, Preset, PresetPart
from relationship_core.table import INSTANT

OURS = "our "
"""What the names of our columns begin with while they stand beside those of the file."""

ROWS = "__rows"
"""Where lines were joined: the number of each."""

_GROUP, _KEY = "__group", "__key"
_ISO_LIKE = r"^[12][0-9]{3}-"
_ZERO = r"^[+-]?[0., ]*$"


@frozen(kw_only=True)
class Reading:
    """How a preset's file is read here: what the caller and the project say.

    Attributes:
        currency: the project's currency.
        decimal: the mark of decimals; None where nobody said it.
        consent_at: when those had agreed of whom the export says no date; None where nobody said it.
        now: the present instant.
    """

    currency: str
    decimal: str | None
    consent_at: datetime | None
    now: datetime


@frozen(kw_only=True)
class Prepared:
    """The rows of one part of a preset in one file.

    Attributes:
        source: gives all columns of the file, and ours.
        columns: for each of our columns what ``source`` calls it.
        told: for each of our columns what it is read from, for people.
        used: the columns of the file that are read.
        left_out: how many lines, or orders where lines are joined, are not recorded, by reason; complete when
            ``source`` was read to its end.
    """

    source: Source
    columns: Mapping[str, str]
    told: Mapping[str, str]
    used: frozenset[str]
    left_out: Counter[str] = field(factory=Counter)


@frozen(kw_only=True)
class _Work:
    """A part of a preset in one file; all names are as the file writes them.

    Attributes:
        preset: how the export is read.
        part: which rows.
        reading: what else decides how it is read.
        columns: for each of our columns where it is read from.
        lines: the same of what a line of an order says.
        told_by: for each rule of what is left out the column that tells it; nothing where the file lacks it.
        latest: the columns that tell which line of a customer is the newest.
        rest: all columns of the file.
        left_out: how many lines are left out, by reason.
    """

    preset: Preset
    part: PresetPart
    reading: Reading
    columns: Mapping[str, Names]
    lines: Mapping[str, Names]
    told_by: Sequence[Names]
    latest: Names
    rest: tuple[str, ...]
    left_out: Counter[str]


def prepare(preset: Preset, part: PresetPart, file: Source, columns: Mapping[str, str], reading: Reading) -> Prepared:
    """The rows of a part, read from a file.

    Args:
        preset: how the export is read.
        part: which rows.
        file: the export.
        columns: those of our columns that the caller reads from another column of the file.
        reading: what else decides how it is read.

    Raises:
        ConfigurationError: the caller names a column that is not in the file.
        RejectedError: the file lacks columns.
    """
    found = {our: _in_file(names, file.columns, first=preset.guesses) for our, names in part.columns.items()}
    for our, their in columns.items():
        if their not in file.columns:
            message = f"{file.path.name} has no column {their!r} (it has {', '.join(file.columns)})"
            raise ConfigurationError(message + nearest(their, file.columns))
        found[our] = (their,)
    found = {our: names for our, names in found.items() if names}
    lines = {our: _in_file(names, file.columns, first=False) for our, names in part.lines.items()}
    lines = {our: names for our, names in lines.items() if names}
    _refuse_missing(preset, part, file, found)
    told_by = [_in_file((rule.column,), file.columns, first=True) for rule in part.left_out]
    latest = _in_file(part.latest, file.columns, first=False)
    used = [name for names in (*found.values(), *lines.values(), *told_by, latest) for name in _each(names)]
    work = _Work(
        preset=preset, part=part, reading=reading, columns=found, lines=lines, told_by=told_by, latest=latest,
        rest=file.columns, left_out=Counter(),
    )  # fmt: skip
    made = [*found, *(["lines"] if "product" in lines else []), *(["at"] if part.undated else [])]
    told = {our: _told(names) for our, names in found.items()}
    if "product" in lines:
        told["lines"] = ", ".join(f"{our}: {_told(names)}" for our, names in lines.items())
    if part.undated:
        told["at"] = "no date in the export: consent_at for what was given, the clock for what was refused"

    def read(_: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        work.left_out.clear()
        frames = file.read(file.columns, 0, chunk)
        yield from in_chunks(_frames(work, frames), skip, chunk)

    return Prepared(
        source=evolve(file, total=None, read=read, between=None),
        columns={our: OURS + our for our in made},
        told=told,
        used=frozenset(used),
        left_out=work.left_out,
    )


def is_there(part: PresetPart, file: Source) -> bool:
    """Whether a file has what a part needs."""
    return not _missing(part, {our for our, names in part.columns.items() if _in_file(names, file.columns, first=True)})


def _missing(part: PresetPart, found: Collection[str]) -> list[str]:
    made = {*found, *part.given, *(["at"] if part.undated else [])}
    return sorted({*required_of(part.what), *part.needs, *part.required} - made)


def _refuse_missing(preset: Preset, part: PresetPart, file: Source, found: Mapping[str, Names]) -> None:
    wanted = [
        f"{our} ({_told(part.columns[our]) if our in part.columns else 'say it'})" for our in _missing(part, found)
    ]
    # Without the column that tells what is left out, what failed would be taken for what went well.
    told_by = dict.fromkeys(rule.column for rule in part.left_out)
    wanted += [name for name in told_by if not _in_file((name,), file.columns, first=True)]
    if not wanted:
        return
    message = f"{file.path.name} lacks columns for the {part.name} of {preset.name!r}: {', '.join(wanted)}; it has "
    message += ", ".join(file.columns) + (f"; {preset.hint}" if preset.hint else "")
    raise RejectedError(message)


def _plain(name: str) -> str:
    return re.sub(r"[^\w#]+|_+", " ", name.lower()).strip()


def _in_file(names: Names, theirs: Sequence[str], *, first: bool) -> Names:
    """Those of the names that the file has, as it writes them."""
    known = {_plain(name): name for name in reversed(theirs)}
    found: list[str | tuple[str, ...]] = []
    for each in names:
        if isinstance(each, str):
            found += [known[_plain(each)]] if _plain(each) in known else []
        elif all(_plain(part) in known for part in each):
            found.append(tuple(known[_plain(part)] for part in each))
    distinct = tuple(dict.fromkeys(found))
    return distinct[:1] if first else distinct


def _each(names: Names) -> Iterator[str]:
    for each in names:
        yield from [each] if isinstance(each, str) else each


def _told(names: Names) -> str:
    return ", else ".join(each if isinstance(each, str) else " + ".join(each) for each in names)


def _value(names: Names) -> pl.Expr:
    """The first of these that holds something, as text."""
    texts = [
        pl.col(each).cast(pl.String)
        if isinstance(each, str)
        else pl.concat_str([pl.col(part).cast(pl.String) for part in each], separator=" ", ignore_nulls=True)
        for each in names
    ]
    return pl.coalesce(pl.when(text.str.strip_chars() != "").then(text.str.strip_chars()) for text in texts)


def _frames(work: _Work, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    if work.part.joined:
        frames = _whole_groups(work, frames)
    made = (_rows(work, frame) for frame in frames if frame.height)
    yield from _newest(work, made) if work.part.latest else made


def _whole_groups(work: _Work, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same lines, cut where an order ends; with _GROUP, the number of the order in its frame."""
    carried: pl.DataFrame | None = None
    for frame in frames:
        rows = frame if carried is None else pl.concat([carried, frame])
        grouped = _numbered(work, rows)
        last = grouped[_GROUP] == grouped[_GROUP][-1]
        carried = rows.filter(last)
        yield grouped.filter(~last)
    if carried is not None:
        yield _numbered(work, carried)


def _numbered(work: _Work, rows: pl.DataFrame) -> pl.DataFrame:
    key = rows.select(pl.when(pl.col(PROBLEM).is_null()).then(_value(work.columns["id"])).alias(_KEY))[_KEY]
    begins = pl.select((key.ne_missing(key.shift()) | key.is_null()).alias(_GROUP)).to_series()
    return rows.with_columns(begins.cast(pl.UInt32).cum_sum())


def _rows(work: _Work, frame: pl.DataFrame) -> pl.DataFrame:
    part, ours = work.part, [OURS + our for our in work.columns]
    frame = frame.with_columns(_value(names).alias(OURS + our) for our, names in work.columns.items())
    frame = frame.with_columns(
        _value(names).alias(f"__told {at}") if names else pl.lit(None, pl.String).alias(f"__told {at}")
        for at, names in enumerate(work.told_by)
    )
    if part.joined:
        frame = _joined(work, frame, ours)
    frame = _without_left_out(work, frame)
    frame = frame.with_columns([_tidied(work, our).alias(OURS + our) for our in work.columns])
    for our in part.needs:
        needed = pl.col(OURS + our)
        is_row = needed.is_not_null() & (~needed.str.contains(_ZERO) if our == "amount" else pl.lit(value=True))
        frame = frame.filter(is_row | pl.col(PROBLEM).is_not_null())
    frame = _dated(work, frame) if part.undated else _complete(work, frame)
    return frame.drop(name for name in frame.columns if name.startswith("__told") or name in {_GROUP, _KEY})


def _complete(work: _Work, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that hold nothing of what is required have that as their problem."""
    apart = "; a further line of an order has to follow its first one" if work.part.joined else ""
    for our in (our for our in work.part.required if our in work.columns):
        lacks = pl.when(pl.col(OURS + our).is_null()).then(pl.lit(f"there is no {our}{apart}"))
        frame = frame.with_columns(pl.coalesce(PROBLEM, lacks))
    return frame


def _joined(work: _Work, frame: pl.DataFrame, ours: Sequence[str]) -> pl.DataFrame:
    """One row for each order: the first value of each of our columns, and lists of what its lines hold."""
    firsts = [*ours, *(name for name in frame.columns if name.startswith("__told")), WRITTEN, PROBLEM]
    pieces = [OURS + f"line {our}" for our in work.lines]
    frame = frame.with_columns(_value(names).alias(OURS + f"line {our}") for our, names in work.lines.items())
    grouped = frame.group_by(_GROUP, maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first() for name in firsts),
        *(pl.col(name) for name in (*work.rest, *pieces)),
        pl.col(ROW).alias(ROWS),
        pl.col(ROW).first(),
    )
    if "product" not in work.lines:
        return grouped
    lines = {our: grouped[OURS + f"line {our}"] for our in work.lines}
    written = order_lines(lines, work.reading.currency, work.reading.decimal)
    return grouped.with_columns(written.alias(OURS + "lines")).drop(pieces)


def _without_left_out(work: _Work, frame: pl.DataFrame) -> pl.DataFrame:
    kept = pl.lit(value=True)
    for at, rule in enumerate(work.part.left_out):
        told = pl.col(f"__told {at}").str.to_lowercase()
        applies = told.is_in([value.lower() for value in rule.values]).fill_null(value=False)
        number = int(frame.select((kept & applies).sum()).item())
        if number:
            work.left_out[rule.reason] += number
        kept = kept & ~applies
    return frame.filter(kept)


def _tidied(work: _Work, our: str) -> pl.Expr:
    value = pl.col(OURS + our)
    words = work.part.values.get(our)
    if words is not None:
        value = value.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.String)
    if our == "customer":
        # Who is known by an address is known by it however it is written.
        value = pl.when(value.str.contains("@", literal=True)).then(value.str.to_lowercase()).otherwise(value)
    if our == "currency":
        value = value.str.to_uppercase()
    if our in {"customer", "contact.sms"}:
        value = value.str.replace(r"^'([+0-9])", "${1}")  # spreadsheets are told by it that this is no number
    if our == "id" and work.part.suffix:
        value = value + work.part.suffix
    return _in_iso(value, work.preset.times) if our == "at" else value


def _in_iso(value: pl.Expr, times: Sequence[str]) -> pl.Expr:
    """Times in the forms of a preset as ISO 8601 writes them; others as they are."""
    for form in times:
        read = value.str.to_datetime(form, strict=False).dt.to_string("%Y-%m-%dT%H:%M:%S")
        value = pl.when(value.str.contains(_ISO_LIKE)).then(value).otherwise(pl.coalesce(read, value))
    return value


def _dated(work: _Work, frame: pl.DataFrame) -> pl.DataFrame:
    """Acts without a date: what was refused is refused now; what was given needs to be dated by somebody who knows."""
    refused = pl.col(OURS + "act").is_in(list(REFUSALS))
    at = work.reading.consent_at
    dated = frame.with_columns(
        pl.when(refused).then(pl.lit(utc(work.reading.now), INSTANT)).otherwise(pl.lit(at, INSTANT)).alias(OURS + "at")
    )
    if at is not None:
        return dated
    given = pl.col(PROBLEM).is_null() & ~refused
    number = int(dated.select(given.sum()).item())
    if number:
        work.left_out["agreed, but the export says no date; name consent_at"] += number
    return dated.filter(~given)


def _newest(work: _Work, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """One frame with the newest row of each customer; of a long file no more than these is in memory."""
    kept: pl.DataFrame | None = None
    for frame in frames:
        kept = _latest(work, frame if kept is None else pl.concat([kept, frame]))
    if kept is not None:
        yield kept


def _latest(work: _Work, frame: pl.DataFrame) -> pl.DataFrame:
    by = _in_iso(_value(work.latest), work.preset.times) if work.latest else pl.lit(None, pl.String)
    customer = pl.col(OURS + "customer")
    times, _ = instants(frame.with_columns(by.alias(_KEY))[_KEY], work.preset.zone or "UTC")
    newest = frame.with_columns(times.alias(_KEY)).sort(_KEY, descending=True, nulls_last=True, maintain_order=True)
    kept = newest.filter(customer.is_null() | customer.is_first_distinct())
    return kept.sort(ROW).drop(_KEY)
