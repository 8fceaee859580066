"""Single columns as they come, to the types of INTERACTIONS: text, instants, amounts.

Each function returns the converted column and the problems: a column of texts, null where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeAlias

import polars as pl

from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.record.checks import LARGEST_AMOUNT
from relationship_core.flow.record.numbers import GROUP, THOUSAND
from relationship_core.model.instants import utc
from relationship_core.model.money import minor_digits
from relationship_core.table import INSTANT

Converted: TypeAlias = tuple[pl.Series, pl.Series]
"""A column, and what is wrong with each of its rows."""
Converter: TypeAlias = Callable[[pl.Series], Converted]

_DAY = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?"
_AWARE_TEXT = rf"^{_DAY}{_TIME}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$"
_NAIVE_TEXT = rf"^{_DAY}{_TIME}$"
_DATE_TEXT = rf"^{_DAY}$"
_NAIVE = pl.Datetime("us")

_NO_ZONE = "the time has no zone; name the zone that the file means"
_NO_TIME = "the time is not an ISO time such as 2017-03-01T09:00:00Z"
_NO_NUMBER = "the amount is not a decimal number such as 1234.50"
_NO_MARK = f"{_NO_NUMBER}; name the mark of its decimals, a comma or a point"
_UNSURE = "the amount may be a thousand or have three decimals; name the mark of its decimals, a comma or a point"
_MARKED = r"^[+-]?[0-9]+(([.,'\x{2019} \x{00a0}\x{202f}][0-9]+){2,}|[,'\x{2019} \x{00a0}\x{202f}][0-9]+)$"
_CENT_TOLERANCE = 1e-6
_ROUNDING = 2.0**-51
"""Relative: the amount as it was written, and the multiplication, are rounded by 2^-53 each."""


def text(column: pl.Series) -> Converted:
    """Text, integers written out, or nothing at all.

    Raises:
        RejectedError: the column holds something else.
    """
    if column.dtype == pl.String or column.dtype.is_integer() or column.dtype in {pl.Null, pl.Categorical, pl.Enum}:
        return column.cast(pl.String), fine(column)
    raise wrong_type(column, "text")


def instants(column: pl.Series, zone: str | None) -> Converted:
    """Instants in UTC.

    A time without an offset is read in ``zone``. One that the zone has twice means the first of them; one that
    it skips is a problem. A date means the first instant of that day.

    Raises:
        RejectedError: the column holds neither times nor text.
    """
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return column.cast(INSTANT), fine(column)
    if column.dtype.is_temporal() and zone is None:
        message = f"the column {column.name!r} holds times without a zone; name the zone that it means"
        raise RejectedError(message)
    if isinstance(column.dtype, pl.Datetime):
        return _localized(column.cast(_NAIVE), pl.repeat(None, len(column), dtype=pl.Date, eager=True), zone)
    if column.dtype == pl.Date:
        return _localized(pl.repeat(None, len(column), dtype=_NAIVE, eager=True), column, zone)
    if column.dtype in {pl.String, pl.Null}:
        return _read_times(column.cast(pl.String), zone)
    raise wrong_type(column, "times: ISO text, or instants")


def major_amounts(column: pl.Series, currency: str) -> Converted:
    """Amounts in major units, such as 12.34 dollars, to minor units; exact, never rounded.

    A floating-point amount counts as the multiple of the minor unit from which it differs by less than a
    millionth of it, so that sums such as 0.1 + 0.2 pass.

    Raises:
        RejectedError: the column holds neither numbers nor text.
    """
    digits = minor_digits(currency)
    kind = column.dtype
    if kind in {pl.String, pl.Null}:
        return _written_amounts(column.cast(pl.String), currency, digits)
    if kind.is_integer() or kind.is_decimal():
        return _decimal_amounts(column.cast(pl.String), currency, digits)
    if kind.is_float():
        return _float_amounts(column.cast(pl.Float64), currency, digits)
    raise wrong_type(column, "amounts: decimal numbers")


def minor_amounts(column: pl.Series) -> Converted:
    """Amounts in minor units: whole numbers.

    Raises:
        RejectedError: the column holds neither whole numbers nor text.
    """
    if column.dtype.is_integer() or column.dtype in {pl.String, pl.Null}:
        written = column.cast(pl.String)
        amounts = pl.when(written.str.contains("^[+-]?[0-9]{1,18}$")).then(written)
        values = pl.select(amounts.cast(pl.Int64).alias(column.name)).to_series()
        return values, _where(
            written.is_not_null() & values.is_null(), "the amount is not a whole number of minor units"
        )
    raise wrong_type(column, "amounts in minor units: whole numbers")


def check_zone(zone: str) -> None:
    """Refuse a name that is no time zone.

    Raises:
        ConfigurationError: there is no such zone.
    """
    try:
        pl.Series([datetime(2020, 1, 1)]).dt.replace_time_zone(zone)  # noqa: DTZ001  the zone is what is tried
    except pl.exceptions.PolarsError as error:
        from zoneinfo import available_timezones

        message = f"there is no time zone {zone!r}{nearest(zone, sorted(available_timezones()))}"
        raise ConfigurationError(message) from error


def fine(column: pl.Series) -> pl.Series:
    """No problems, for as many rows as the column has."""
    return pl.repeat(None, len(column), dtype=pl.String, eager=True)


def wrong_type(column: pl.Series, wanted: str) -> RejectedError:
    """The error for a column of a type that cannot be read."""
    message = f"the column {column.name!r} holds {column.dtype}; it must hold {wanted}"
    return RejectedError(message)


def _where(bad: pl.Series, reason: str) -> pl.Series:
    return pl.select(pl.when(bad).then(pl.lit(reason))).to_series()


def _read_times(written: pl.Series, zone: str | None) -> Converted:
    frame = pl.DataFrame({"text": written})
    col = pl.col("text")
    tidy = col.str.replace(" ", "T", literal=True)
    read = frame.select(
        "text",
        aware=pl.when(col.str.contains(_AWARE_TEXT))
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", strict=False, ambiguous="earliest"),
        naive=pl.when(col.str.contains(_NAIVE_TEXT))
        .then(tidy)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False),
        date=pl.when(col.str.contains(_DATE_TEXT)).then(col).str.to_date("%Y-%m-%d", strict=False),
    )
    others = read.filter(col.is_not_null() & pl.all_horizontal(pl.col("aware", "naive", "date").is_null()))
    if others.height:
        read = _with_other_times(read, others["text"].unique())
    values, problems = _localized(read["naive"], read["date"], zone)
    values = pl.select(pl.coalesce(read["aware"], values)).to_series()
    unread = _where(written.is_not_null() & values.is_null(), _NO_TIME)
    return values, pl.select(pl.coalesce(problems, unread)).to_series()


def _with_other_times(read: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """The rarer ways to write an ISO time, read one by one."""
    found = [(value, *_read_time(value)) for value in texts]
    rows = pl.DataFrame(
        found, schema={"text": pl.String, "aware2": INSTANT, "naive2": _NAIVE, "date2": pl.Date}, orient="row"
    )
    joined = read.join(rows, on="text", how="left", maintain_order="left")
    return joined.select("text", *(pl.coalesce(name, f"{name}2") for name in ("aware", "naive", "date")))


_APART = re.compile(r" (?=[+-][0-9]{2}:?[0-9]{2}$)")
"""The space that some exports leave before the offset."""
_HALVES = re.compile(r"(?P<day>[12][0-9]{3}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9:]{4,8}) ?(?P<half>[APap])\.?[Mm]\.?")
"""A day, and a time on a clock of twelve hours."""


def _on_24_hours(written: str) -> str:
    halves = _HALVES.fullmatch(written)
    if halves is None:
        return _APART.sub("", written)
    hour, _, rest = halves["time"].partition(":")
    if not 1 <= int(hour or 0) <= 12:  # noqa: PLR2004  the hours of such a clock
        return written
    return f"{halves['day']}T{int(hour) % 12 + 12 * (halves['half'] in 'Pp'):02}:{rest}"


def _read_time(written: str) -> tuple[datetime | None, datetime | None, date | None]:
    try:
        return None, None, date.fromisoformat(written)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(_on_24_hours(written))
        return (None, instant, None) if instant.tzinfo is None else (utc(instant), None, None)
    except (ValueError, OverflowError):
        return None, None, None


def _localized(naive: pl.Series, days: pl.Series, zone: str | None) -> Converted:
    """Times and dates without an offset, as instants of the zone."""
    present = naive.is_not_null() | days.is_not_null()
    if zone is None or not present.any():
        return pl.repeat(None, len(naive), dtype=INSTANT, eager=True), _where(present, _NO_ZONE)

    def placed(times: pl.Series) -> pl.Series:
        return times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").cast(INSTANT)

    midnight = days.cast(_NAIVE)
    # Some zones change their clocks at midnight, and then a day begins an hour late.
    values = pl.select(pl.coalesce(placed(naive), placed(midnight), placed(midnight + timedelta(hours=1)))).to_series()
    return values, _where(present & values.is_null(), f"the time does not exist in {zone}: its clocks skip it")


def _decimal_amounts(written: pl.Series, currency: str, digits: int, zeros: str = "0*") -> Converted:
    """Amounts with a point; ``zeros`` is what may follow the decimals that the currency has."""
    number = written.str.contains(r"^[+-]?([0-9]{1,15}(\.[0-9]{0,20})?|\.[0-9]{1,20})$")
    exact = written.str.contains(rf"^[+-]?[0-9]*(\.[0-9]{{0,{digits}}}{zeros})?$")
    usable = pl.select(pl.when(number & exact).then(written)).to_series()
    values = usable.cast(pl.Decimal(38, digits)).to_physical().cast(pl.Int64)
    problems = pl.select(
        pl.when(number & ~exact).then(pl.lit(_too_fine(currency, digits))).when(~number).then(pl.lit(_NO_NUMBER))
    ).to_series()
    return values.alias(written.name), problems


def _written_amounts(written: pl.Series, currency: str, digits: int) -> Converted:
    """Amounts in text. One point before three digits may divide thousands; unless these are decimals, nobody knows."""
    values, problems = _decimal_amounts(written, currency, digits, zeros="")
    if problems.null_count() == len(problems):  # so it is nearly always, and nothing more is looked at
        return values, problems
    values, problems = _decimal_amounts(written, currency, digits)
    unsure = written.str.contains(THOUSAND) & (digits < GROUP)
    told = (
        pl.when(unsure)
        .then(pl.lit(_UNSURE))
        .when(problems.is_not_null() & written.str.contains(_MARKED))
        .then(pl.lit(_NO_MARK))
        .otherwise(problems)
    )
    return values.set(unsure.fill_null(value=False), None), pl.select(told).to_series()


def _float_amounts(amounts: pl.Series, currency: str, digits: int) -> Converted:
    scaled = amounts * 10.0**digits
    whole = scaled.round()
    # A large amount cannot be nearer to its minor units than the rounding of its own size.
    near = (scaled - whole).abs() <= _CENT_TOLERANCE + scaled.abs() * _ROUNDING
    usable = near & (whole.abs() <= LARGEST_AMOUNT)
    values = pl.select(pl.when(usable.fill_null(value=False)).then(whole).cast(pl.Int64)).to_series()
    problems = pl.select(
        pl.when(~amounts.is_finite() | (whole.abs() > LARGEST_AMOUNT))
        .then(pl.lit(_NO_NUMBER))
        .when(~near)
        .then(pl.lit(_too_fine(currency, digits)))
    ).to_series()
    return values.alias(amounts.name), problems


def _too_fine(currency: str, digits: int) -> str:
    return f"the amount has more decimals than {currency}, which has {digits}"
