"""Files in: CSV, JSON lines, Parquet; what cannot be read is set aside with its line and a reason."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings, strategies as st

from relationship_core import (
    CONTACT_POINTS,
    CUSTOMERS,
    IMPORTS,
    INTERACTIONS,
    ConfigurationError,
    Recorded,
    RejectedError,
    RelationshipError,
    Relationships,
    UnsupportedError,
)
from relationship_core.flow.record import csv_frames, text_files
from relationship_core.flow.record.convert import instants, major_amounts
from relationship_core.flow.record.sources import open_source

MakeProject = Callable[..., Relationships]

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HEADER = "source,id,customer,kind,at,amount"
ROW = "shop,1,ann,order,2017-03-01T09:00:00Z,12.30"


@pytest.fixture
def project(make_project: MakeProject) -> Relationships:
    return make_project()


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "orders.csv") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
        return path

    return write


def kept(project: Relationships, *columns: str) -> list[tuple[Any, ...]]:
    return project.store.read(INTERACTIONS, columns=columns or None).rows()


def reasons(recorded: Recorded) -> dict[int, str]:
    if recorded.rejects is None:
        return {}
    with recorded.rejects.open(encoding="utf-8", newline="") as file:
        return {int(row["row"]): row["reason"] for row in csv.DictReader(file)}


def test_a_csv_file(project: Relationships, put: Callable[..., Path]) -> None:
    lines = '"[{""product"": ""tea"", ""category"": ""drinks"", ""minor"": 1230}]"'
    path = put(f"{HEADER},currency,reference,lines,data", f'{ROW},EUR,r1,{lines},"{{""till"": 3}}"')
    assert project.import_file("interactions", path) == Recorded(new=1, unknown_customers=1)
    line = {"product": "tea", "category": "drinks", "quantity": 1.0, "minor": 1230}
    at = datetime(2017, 3, 1, 9, tzinfo=UTC)
    assert kept(project) == [("shop", "1", "ann", "order", at, 1230, "r1", [line], '{"till": "3"}')]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_as_other_programs_write_it(
    project: Relationships, tmp_path: Path, delimiter: str, end: str, mark: str
) -> None:
    text = f'{HEADER}\n\n"shop", 1 ,änn,order,2017-03-01T09:00:00Z,12.30\n'.replace(",", delimiter)
    path = tmp_path / "orders.CSV"
    path.write_bytes((mark + text).replace("\n", end).encode())
    assert project.import_file("interactions", path) == Recorded(new=1, unknown_customers=1)
    assert kept(project, "source", "id", "customer", "amount") == [("shop", "1", "änn", 1230)]


def test_the_same_rows_in_every_kind_of_file(make_project: MakeProject, tmp_path: Path) -> None:
    at = datetime(2017, 3, 1, 9, tzinfo=UTC)
    lines = [{"product": "tea", "category": None, "quantity": 2.0, "minor": 1230}]
    rows = [
        {"source": "s", "id": "1", "customer": "a", "kind": "order", "at": at, "amount": 12.3, "lines": lines},
        {"source": "s", "id": "2", "customer": "b", "kind": "visit", "at": at, "amount": None, "lines": None},
        {"source": "s", "id": "3", "customer": "b", "kind": "vsit", "at": at, "amount": None, "lines": None},
    ]
    parquet, json_lines, csv_file = (tmp_path / f"orders.{end}" for end in ("parquet", "jsonl", "csv"))
    frame = pl.DataFrame(rows, schema_overrides={"lines": INTERACTIONS.schema["lines"]})
    frame.write_parquet(parquet)
    json_lines.write_text("\n".join(json.dumps(row, default=datetime.isoformat) for row in rows))
    with csv_file.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "at": at.isoformat(), "lines": row["lines"] and json.dumps(row["lines"])})
    contents = []
    for path in (parquet, json_lines, csv_file):
        project = make_project()
        recorded = project.import_file("interactions", path)
        assert (recorded.new, recorded.rejected) == (2, 1)
        assert list(reasons(recorded).values()) == ["the kind 'vsit' is unknown; did you mean 'visit'?"]
        contents.append(kept(project))
    assert contents[0] == contents[1] == contents[2]
    assert contents[0][0][7] == lines


def test_columns_may_be_called_otherwise(project: Relationships, put: Callable[..., Path]) -> None:
    path = put("basket,household,when,note", "1,h1,2017-03-01T09:00:00Z,hello")
    columns = {"id": "basket", "customer": "household", "at": "when"}
    recorded = project.import_file("interactions", path, columns=columns, source="shop", kind="order")
    assert recorded == Recorded(new=1, unknown_customers=1, ignored=("note",))
    assert kept(project, "source", "id", "customer", "kind") == [("shop", "1", "h1", "order")]


def test_a_given_source_fills_gaps_only(project: Relationships, put: Callable[..., Path]) -> None:
    path = put(HEADER, ROW, ROW.replace("shop", ""))
    assert project.import_file("interactions", path, source="till") == Recorded(new=2, unknown_customers=1)
    assert kept(project, "source") == [("shop",), ("till",)]


def test_a_column_that_was_mapped_is_nothing_else_beside(project: Relationships, put: Callable[..., Path]) -> None:
    path = put("source,id,kind,at", "shop,ann,order,2017-03-01T09:00:00Z")
    with pytest.raises(RejectedError, match="no column 'id'"):
        project.import_file("interactions", path, columns={"customer": "id"})


WRONG_USE: list[tuple[Mapping[str, Any], type[RelationshipError], str]] = [
    ({"columns": {"custmer": "id"}}, ConfigurationError, "no column 'custmer' .*; did you mean 'customer'?"),
    ({"columns": {"id": "idd"}}, ConfigurationError, r"orders.csv has no column 'idd' \(it has source, id, .*'id'?"),
    ({"kind": "ordr"}, ConfigurationError, "the kind 'ordr' is unknown; did you mean 'order'?"),
    ({"zone": "Europe/Berln"}, ConfigurationError, "no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    ({"columns": {"amount_minor": "note"}}, ConfigurationError, "the amount is given twice"),
]


@pytest.mark.parametrize(("more", "error", "told"), WRONG_USE)
def test_wrong_use_is_one_clear_error(
    project: Relationships, put: Callable[..., Path], more: Mapping[str, Any], error: type[RelationshipError], told: str
) -> None:
    with pytest.raises(error, match=told):
        project.import_file("interactions", put(f"{HEADER},note", f"{ROW},"), **more)
    assert project.store.read(IMPORTS).is_empty()


BAD_FILES = [
    ("orders.csv", b"", "the file orders.csv is empty"),
    ("orders.csv", b"\n\n", "is no header"),
    ("orders.csv", b"\xff\xfes\x00o\x00", "the file orders.csv is not UTF-8"),
    ("orders.csv", f"{HEADER}\n{ROW}\n".encode() + b"\xe4\n", "the file orders.csv is not UTF-8"),
    ("orders.csv", b"id,id\n1,2\n", "two columns named 'id'"),
    ("orders.csv", b"sorce,id,customer,kind,at\n", "no column 'source' .*; did you mean 'sorce'?"),
    ("orders.jsonl", b"nothing\n", "no line with a JSON object"),
    ("orders.parquet", b"PAR1nothing", "is no Parquet file, or it is damaged"),
    ("orders.xlsx", b"PK", "files such as orders.xlsx cannot be read; those that can end in .csv, .tsv"),
]


@pytest.mark.parametrize(("name", "content", "told"), BAD_FILES)
def test_a_file_that_cannot_be_read_is_one_clear_error(
    project: Relationships, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((RejectedError, UnsupportedError), match=told):
        project.import_file("interactions", tmp_path / name)
    assert kept(project) == []


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet", "orders.jsonl"])
def test_a_missing_file(project: Relationships, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no file"):
        project.import_file("interactions", tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(RelationshipError, match=name):
        project.import_file("interactions", tmp_path / name)


def test_a_file_of_a_header_alone(project: Relationships, put: Callable[..., Path]) -> None:
    assert project.import_file("interactions", put(HEADER)) == Recorded()


BAD_ROWS = [
    ("shop,2,ann,order,2017-03-01T09:00:00Z", "the row has 5 fields, and the header 6"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,1,1", "the row has 7 fields, and the header 6"),
    ('shop,2,"ann"x,order,2017-03-01T09:00:00Z,1', "not well-formed CSV"),
    ('shop,2,"ann,order,2017-03-01T09:00:00Z,1', "not well-formed CSV"),
    (",2,ann,order,2017-03-01T09:00:00Z,1", "there is no source"),
    ("shop, ,ann,order,2017-03-01T09:00:00Z,1", "there is no id"),
    ("shop,2,,order,2017-03-01T09:00:00Z,1", "there is no customer"),
    ("shop,2,ann,,2017-03-01T09:00:00Z,1", "there is no kind"),
    ("shop,2,ann,ordr,2017-03-01T09:00:00Z,1", "the kind 'ordr' is unknown; did you mean 'order'?"),
    ("shop,2,ann,order,,1", "there is no time"),
    ("shop,2,ann,order,yesterday,1", "the time is not an ISO time"),
    ("shop,2,ann,order,2017-02-29T09:00:00Z,1", "the time is not an ISO time"),
    ("shop,2,ann,order,2017-03-01T09:00:60Z,1", "the time is not an ISO time"),
    ("shop,2,ann,order,2017-03-01T09:00:00,1", "the time has no zone"),
    ("shop,2,ann,order,2017-03-01,1", "the time has no zone"),
    ("shop,2,ann,order,2030-01-02T00:00:01Z,1", "more than a day in the future"),
    ("shop,2,ann,order,9999-12-31T23:59:59-23:00,1", "the time"),
    ("shop,2,ann,order,1969-12-31T23:59:59Z,1", "not in the years 1970 to 2099"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,1.2345", "more decimals than EUR, which has 2"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,1.234", "name the mark of its decimals, a comma or a point"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,1.000", "may be a thousand or have three decimals"),
    ('shop,2,ann,order,2017-03-01T09:00:00Z,"1,23"', "the amount is not a decimal number"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,NaN", "the amount is not a decimal number"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,99999999999999.00", "the amount is too large"),
    ("shop,2,ann,order,2017-03-01T09:00:00Z,-0.01", "the amount of an order is negative"),
    ("shop,2,a\x1bnn,order,2017-03-01T09:00:00Z,1", "the customer holds a line break or another control character"),
    ("sh\x85op,2,ann,order,2017-03-01T09:00:00Z,1", "the source holds a line break or another control character"),
]


@pytest.mark.parametrize(("bad", "told"), BAD_ROWS)
def test_a_bad_row_is_set_aside_and_those_around_it_are_kept(
    project: Relationships, put: Callable[..., Path], bad: str, told: str
) -> None:
    path = put(HEADER, ROW, bad, ROW.replace(",1,", ",3,"), ROW.replace(",1,", ",4,").replace("ann", '"ann"'))
    recorded = project.import_file("interactions", path)
    assert (recorded.new, recorded.rejected) == (3, 1)
    assert told in reasons(recorded)[3]
    assert recorded.rejects == path.with_name("orders.csv.rejects.csv")
    with recorded.rejects.open(newline="") as file:
        row = next(csv.DictReader(file))
    whole = row["written"] == bad
    assert whole or [row[name] or "" for name in HEADER.split(",")] == [f.strip() for f in next(csv.reader([bad]))]


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("currency", "USD", "another currency than the project's, EUR"),
        ("lines", "tea", "the lines are not a JSON list"),
        ("lines", '[{"product": "tea", "minor": 1.5}]', "not a whole number of minor units"),
        ("lines", '[{"product": "tea", "quantity": -1}]', "a quantity that is not a number of at least 0"),
        ("lines", '[{"product": "tea", "quantity": NaN}]', "the lines are not a JSON list"),
        ("lines", '[{"product": "tea", "minor": 1' + "0" * 30 + "}]", "not a whole number of minor units"),
        ("lines", '[{"product": "tea", "minr": 1}]', "an unknown field 'minr'; did you mean 'minor'?"),
        ("lines", '[{"product": ["tea"]}]', "a product that is not text"),
        ("lines", '[{"category": "tea"}]', "an order line has no product"),
        ("lines", '[{"product": "\\ud800"}]', "the lines are not a JSON list"),
        ("lines", "[" * 100_000, "the lines are not a JSON list"),
        ("data", "[]", "the data are not a JSON object"),
        ("amount_minor", "12.3", "not a whole number of minor units"),
    ],
)
def test_a_bad_value_in_a_further_column(
    project: Relationships, put: Callable[..., Path], column: str, value: str, told: str
) -> None:
    good = {"source": "shop", "id": "1", "customer": "ann", "kind": "order", "at": "2017-03-01T09:00:00Z"}
    lines = [json.dumps(good), json.dumps({**good, "id": "2", column: value})]
    recorded = project.import_file("interactions", put(*lines, name="orders.jsonl"))
    assert (recorded.new, recorded.rejected) == (1, 1)
    assert told in reasons(recorded)[2]


def test_one_stray_quote_does_not_swallow_the_rows_after_it(project: Relationships, put: Callable[..., Path]) -> None:
    rows = [f"{ROW.replace(',1,', f',{number},')},r1" for number in range(5000)]
    rows[2] = rows[2].replace("ann", '"ann')
    rows[3000] = rows[3000].replace("r1", '"a""n\nn"')
    recorded = project.import_file("interactions", put(f"{HEADER},reference", *rows))
    assert (recorded.new, recorded.rejected) == (4999, 1)
    assert list(reasons(recorded)) == [4]
    assert 'a"n\nn' in {reference for (reference,) in kept(project, "reference")}


def test_rejects_can_be_corrected_and_imported(project: Relationships, put: Callable[..., Path]) -> None:
    path = put(HEADER, ROW, ROW.replace("order", "ordr").replace(",1,", ",2,"), "short")
    recorded = project.import_file("interactions", path)
    assert recorded.rejects is not None
    recorded.rejects.write_text(recorded.rejects.read_text().replace("ordr", "order"))
    again = project.import_file("interactions", recorded.rejects)
    assert (again.new, again.rejected, again.ignored) == (1, 1, ())
    assert kept(project, "id") == [("1",), ("2",)]


def test_rejects_go_where_they_are_wanted_but_never_over_another_file(
    project: Relationships, put: Callable[..., Path], tmp_path: Path
) -> None:
    path = put(HEADER, "short")
    other = tmp_path / "other.csv"
    other.write_text("customer\nann\n")
    for taken in (other, path):
        with pytest.raises(ConfigurationError, match="is no file of rejects"):
            project.import_file("interactions", path, rejects=taken)
    other.unlink()
    assert project.import_file("interactions", path, rejects=other).rejects == other
    assert other.read_text().startswith("row,reason,source,id,customer,kind,at,amount,written\n")


def test_rejects_of_an_earlier_import_are_not_left_lying(project: Relationships, put: Callable[..., Path]) -> None:
    bad = project.import_file("interactions", put(HEADER, "short"))
    assert bad.rejects is not None
    assert project.import_file("interactions", put(HEADER, ROW)) == Recorded(new=1, unknown_customers=1)
    assert not bad.rejects.exists()


# Times


def local(text: str, zone: str = "America/New_York") -> str:
    values, problems = instants(pl.Series("at", [text]), zone)
    return str(problems[0]) if values[0] is None else values[0].astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def test_a_time_without_an_offset_is_read_in_the_named_zone() -> None:
    assert local("2017-03-01T09:00:00") == "2017-03-01 14:00"
    assert local("2017-07-01 09:00") == "2017-07-01 13:00"
    assert local("2017-07-01T09:00:00Z") == "2017-07-01 09:00"
    assert local("2017-07-01T09:00:00+02:00") == "2017-07-01 07:00"


def test_a_time_that_clocks_skip_is_refused_and_one_that_they_show_twice_is_the_first() -> None:
    assert local("2017-03-12T02:30:00") == "the time does not exist in America/New_York: its clocks skip it"
    assert local("2017-03-12T03:00:00") == "2017-03-12 07:00"
    assert local("2017-11-05T01:30:00") == "2017-11-05 05:30"
    assert local("2017-11-05T01:30:00-05:00") == "2017-11-05 06:30"


def test_a_date_is_the_first_instant_of_that_day() -> None:
    assert local("2017-03-12") == "2017-03-12 05:00"
    assert local("2018-11-04", "America/Sao_Paulo") == "2018-11-04 03:00"  # clocks skip midnight there


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@given(moments=st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2035, 1, 1)), min_size=1))  # noqa: DTZ001  naive on purpose
def test_local_times_are_what_the_standard_library_says(zone: str, moments: list[datetime]) -> None:
    values, _ = instants(pl.Series("at", [moment.isoformat(" ") for moment in moments]), zone)
    for moment, value in zip(moments, values, strict=True):
        expected = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        exists = expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment
        assert value == (expected if exists else None)


def python_reads(text: str) -> datetime | None:
    """An instant, a time or a date in UTC by the standard library; a space before the offset does not matter."""
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=[+-]\d\d:?\d\d$)", "", text))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_or_time() -> st.SearchStrategy[str]:
    offsets = st.timezones() | st.just(UTC) | st.none()
    written = st.builds(
        lambda moment, zone, by, unit: moment.replace(tzinfo=zone).isoformat(by, unit),
        st.datetimes(datetime(1970, 1, 2), datetime(2099, 1, 1)),  # noqa: DTZ001  naive on purpose
        offsets,
        st.sampled_from("T "),
        st.sampled_from(["auto", "minutes", "seconds", "milliseconds", "microseconds"]),
    )
    digits = st.text("0123456789-:T Z+.", max_size=26)
    spoilt = st.builds(
        lambda text, at, letter: text[:at] + letter + text[at + 1 :], written, st.integers(0, 25), digits
    )
    return written | written.map(lambda text: text.replace("+00:00", "Z")) | st.dates().map(date.isoformat) | spoilt


@settings(max_examples=300)
@given(texts=st.lists(day_or_time(), min_size=1, max_size=20))
def test_times_are_read_as_the_standard_library_reads_them(texts: list[str]) -> None:
    values, problems = instants(pl.Series("at", texts), "UTC")
    for text, value, problem in zip(texts, values, problems, strict=True):
        assert value == python_reads(text)
        assert (value is None) == (problem is not None)


NINE = datetime(2017, 3, 1, 9)  # noqa: DTZ001  naive on purpose  a clock on a wall


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (pl.Series([NINE]).dt.replace_time_zone("Europe/Berlin").cast(pl.Datetime("ns", "Europe/Berlin")), None, 8),
        (pl.Series([NINE]).cast(pl.Datetime("ms")), "Europe/Berlin", 8),
        (pl.Series([NINE.date()]), "Europe/Berlin", -1),
    ],
)
def test_instants_times_and_dates_in_parquet(
    project: Relationships, tmp_path: Path, at: pl.Series, zone: str | None, expected: int
) -> None:
    path = tmp_path / "orders.parquet"
    frame = pl.DataFrame({"source": ["s"], "id": [1], "customer": [7], "kind": ["order"], "at": at})
    frame.write_parquet(path)
    assert project.import_file("interactions", path, zone=zone) == Recorded(new=1, unknown_customers=1)
    assert kept(project, "customer", "at") == [("7", datetime(2017, 3, 1, tzinfo=UTC) + timedelta(hours=expected))]


def test_local_times_in_parquet_need_a_zone(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pl.DataFrame({"source": ["s"], "id": [1], "customer": [7], "kind": ["order"], "at": [NINE]}).write_parquet(path)
    with pytest.raises(RejectedError, match="the column 'at' holds times without a zone; name the zone"):
        project.import_file("interactions", path)


# Amounts


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("USD", "0.29", 29),
        ("USD", "1.15", 115),
        ("USD", "-4.35", -435),
        ("USD", "+7", 700),
        ("USD", ".5", 50),
        ("USD", "12.3400", 1234),
        ("USD", "90071992547409.91", 9007199254740991),
        ("USD", "1.005", None),
        ("USD", "1e2", None),
        ("USD", "٣", None),
        ("USD", ".", None),
        ("JPY", "500", 500),
        ("JPY", "500.0", 500),
        ("JPY", "0.5", None),
        ("KWD", "1.234", 1234),
        ("KWD", "1.2345", None),
    ],
)
def test_amounts_become_minor_units_exactly(currency: str, text: str, minor: int | None) -> None:
    values, problems = major_amounts(pl.Series("amount", [text]), currency)
    assert values.to_list() == [minor]
    assert (problems[0] is None) == (minor is not None)


@example(minor=233781152395, digits=("EUR", 2))
@given(minor=st.integers(-(10**14), 10**14), digits=st.sampled_from([("JPY", 0), ("EUR", 2), ("KWD", 3)]))
def test_no_amount_suffers_from_floating_point(minor: int, digits: tuple[str, int]) -> None:
    currency, places = digits
    amount = Decimal(minor).scaleb(-places)
    for column in (
        pl.Series("amount", [format(amount, "f")]),
        pl.Series("amount", [amount], dtype=pl.Decimal(38, places)),
        pl.Series("amount", [float(amount)]),
    ):
        values, problems = major_amounts(column, currency)
        assert (values.to_list(), problems.to_list()) == ([minor], [None])


def test_a_floating_point_sum_is_the_amount_it_means() -> None:
    values, problems = major_amounts(pl.Series("amount", [0.1 + 0.2, 1.005, float("inf"), 1e300]), "EUR")
    assert values.to_list() == [30, None, None, None]
    assert problems.is_not_null().to_list() == [False, True, True, True]


# Customers


def test_customers_from_a_file(make_project: MakeProject, put: Callable[..., Path]) -> None:
    project = make_project(attributes={"size": "number", "vip": "boolean", "pet": "text"})
    path = put(
        "nr,name,country,zone,contact.email,attribute.size,attribute.vip,attribute.pet",
        "1,Ann,DE,Europe/Berlin,ann@example.com,2.5,True,7",
        "2,Bob,,,,,,",
        "3,Cid,de,,,,,",
        "4,Dot,,Berlin,,,,",
        "5,Eve,,,,many,,",
        "6,Fay,,,,,maybe,",
        ",Gus,,,,,,",
    )
    recorded = project.import_file("customers", path, columns={"customer": "nr"})
    assert (recorded.new, recorded.rejected) == (2, 5)
    assert project.store.read(CUSTOMERS).rows() == [
        ("1", "Ann", None, "Europe/Berlin", "DE", '{"pet": "7", "size": 2.5, "vip": true}'),
        ("2", "Bob", None, None, None, None),
    ]
    kept = ("1", "email", "ann@example.com", False, "ann@example.com")
    assert project.store.read(CONTACT_POINTS).rows() == [kept]
    told = reasons(recorded)
    assert "the country is not" in told[4]
    assert "the zone is no IANA time zone" in told[5]
    assert told[6] == "the attribute 'size' is not a number"
    assert told[7] == "the attribute 'vip' is not a boolean"
    assert told[8] == "there is no customer"


def test_a_file_with_an_undeclared_attribute_is_refused(make_project: MakeProject, put: Callable[..., Path]) -> None:
    project = make_project(attributes={"size": "number"})
    with pytest.raises(ConfigurationError, match="the attribute 'sise' is not declared; did you mean 'size'"):
        project.import_file("customers", put("customer,attribute.sise", "1,2"))


# Anything at all

TEXT = f'{HEADER},lines,data\n{ROW},,\n{ROW},"[{{""product"": ""tea""}}]",\n{ROW},,"{{""a"": 1}}"\n'
JSON = '{"source": "s", "id": 1, "customer": "c", "kind": "order", "at": "2017-03-01T09:00:00Z", "lines": [{}]}\n'
PIECES = [b'"', b"\n", b"\r", b",", b"\xff", b"\x00", b"\xef\xbb\xbf", b"9" * 400, b"[", b"{", b"\\ud800", b"e", b"-"]


def spoil(content: bytes) -> st.SearchStrategy[bytes]:
    cut = st.tuples(st.integers(0, len(content)), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=8))

    def apply(cuts: list[tuple[int, int, bytes]]) -> bytes:
        spoilt = content
        for at, width, piece in cuts:
            spoilt = spoilt[:at] + piece + spoilt[at + width :]
        return spoilt

    return st.lists(cut, max_size=4).map(apply)


@settings(max_examples=300)
@given(
    content=st.tuples(st.just("csv"), st.binary(max_size=200) | spoil(TEXT.encode()))
    | st.tuples(st.just("jsonl"), st.binary(max_size=200) | spoil(JSON.encode() * 3)),
    what=st.sampled_from(["interactions", "customers"]),
    zone=st.sampled_from([None, "America/New_York"]),
)
def test_no_bytes_crash_an_import(
    content: tuple[str, bytes], what: Any, zone: str | None, make_project: MakeProject
) -> None:
    project = make_project()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{content[0]}"
        path.write_bytes(content[1])
        try:
            recorded = project.import_file(what, path, zone=zone)
        except RelationshipError:
            assert project.store.read(CUSTOMERS).is_empty()
            return
        rejects = Path(folder) / f"file.{content[0]}.rejects.csv"
        assert rejects.exists() == (recorded.rejected > 0)
        assert recorded.rejected == 0 or pl.read_csv(rejects, infer_schema=False).height == recorded.rejected
        table = INTERACTIONS if what == "interactions" else CUSTOMERS
        assert project.store.read(table).height == recorded.new


csv_fields = st.sampled_from(
    ["a", " b ", "", "ä", "1.5", '"q"', '"x,y"', '"two\nlines"', '"open', 'mid"dle', '""', "\0"]
)
csv_lines = st.lists(csv_fields, max_size=4).map(",".join)


@settings(max_examples=300)
@given(
    text=st.lists(csv_lines, max_size=12).map("\n".join),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.integers(1, 5),
    chunk=st.integers(1, 6),
    skip=st.integers(0, 4),
)
def test_plain_lines_read_at_once_are_the_rows_read_one_by_one(
    text: str, end: str, block: int, chunk: int, skip: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "file.csv"
        path.write_bytes(f"x,y,z\n{text}".replace("\n", end).encode())
        source = open_source(path)
        patch.setattr(csv_frames, "_is_plain", lambda *_: False)
        slow = [row for part in source.read(source.columns, 0, 10**6) for row in part.rows()]
        patch.undo()
        patch.setattr(text_files, "BLOCK", block)
        chunks = list(source.read(source.columns, skip, chunk))
    assert [part.height for part in chunks[:-1]] == [chunk] * (len(chunks) - 1)
    assert [row for part in chunks for row in part.rows()] == slow[skip:]
