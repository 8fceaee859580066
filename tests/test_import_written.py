"""Files as other programs write them: encodings, marks of decimals, times; and ``relate import --preset``."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, strategies as st

from relationship_core import (
    CUSTOMERS,
    INTERACTIONS,
    ConfigurationError,
    ProjectSettings,
    RejectedError,
    Relationships,
    Settings,
)
from relationship_core.flow.record.convert import instants, major_amounts
from relationship_core.flow.record.numbers import plain_number
from relationship_core.flow.record.order_lines import order_lines

Relate = Callable[..., Result]
SAMPLES = Path(__file__).resolve().parent / "samples"
HEADER = "source,id,customer,kind,at,amount"
ROW = "till,1,{customer},order,2024-03-01T09:00:00Z,{amount}"


@pytest.fixture
def project() -> Iterator[Relationships]:
    settings = Settings(project=ProjectSettings(name="shop", currency="EUR", zone="UTC"))
    with Relationships(settings=settings, clock=lambda: datetime(2024, 4, 1, tzinfo=UTC)) as opened:
        yield opened


def amounts(project: Relationships) -> list[int | None]:
    return project.store.read(INTERACTIONS, columns=("amount",))["amount"].to_list()


# Encodings


@pytest.mark.parametrize(
    ("encoding", "suffix"),
    [
        ("cp1252", "csv"),
        ("latin-1", "csv"),
        ("utf-16", "csv"),
        ("utf-16", "jsonl"),
        ("cp1250", "tsv"),
        ("utf-8", "csv"),
    ],
)
def test_a_file_in_a_named_encoding(project: Relationships, tmp_path: Path, encoding: str, suffix: str) -> None:
    text = '{"customer": "1", "name": "Zoë"}\n' if suffix == "jsonl" else "customer,name\n1,Zoë\n"
    path = tmp_path / f"people.{suffix}"
    path.write_bytes(text.replace(",", "\t" if suffix == "tsv" else ",").encode(encoding))
    assert project.import_file("customers", path, encoding=encoding).new == 1
    assert project.store.read(CUSTOMERS)["name"].to_list() == ["Zoë"]


@pytest.mark.parametrize(
    ("content", "probable"),
    [
        ("customer,name\n1,Zoë\n".encode("utf-16"), "utf-16"),
        ("customer,name\n1,Zoë\n".encode("cp1252"), "cp1252"),
        (b"customer,name\n1,Zo\xeb\x81\n", "latin-1"),
        ("customer,name\n1,Zoë\n".encode("utf-16-le"), "utf-16-le"),
        ("customer,name\n1,Zo\n".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_a_file_that_is_not_utf_8_is_told_with_what_it_probably_is(
    project: Relationships, tmp_path: Path, content: bytes, probable: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(
        RejectedError, match=f"people.csv is not UTF-8; name its encoding, probably --encoding {probable}$"
    ):
        project.import_file("customers", path)
    assert project.store.read(CUSTOMERS).is_empty()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"\x1f\x8b\x08\x00customer,name\n", "compressed by gzip"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
    ],
)
@pytest.mark.parametrize("encoding", [None, "cp1252"])
def test_a_file_that_is_no_text_is_told_so(
    project: Relationships, tmp_path: Path, content: bytes, what: str, encoding: str | None
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(RejectedError, match=f"people.csv is no text but {what}; unpack it, or save it as CSV$"):
        project.import_file("customers", path, encoding=encoding)


def test_a_line_for_excel_alone_is_told(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("sep=;\ncustomer;name\n1;Zoe\n", encoding="utf-8")
    with pytest.raises(RejectedError, match=r"the first line of people.csv, sep=, is for Excel alone; delete it$"):
        project.import_file("customers", path)


def test_an_encoding_that_there_is_not_or_that_is_another(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"customer,name\n1,Zo\xeb\n")
    for name in ("cp1225", "base64", "a\0b", "undefined"):
        with pytest.raises(ConfigurationError, match="there is no encoding"):
            project.import_file("customers", path, encoding=name)
    with pytest.raises(RejectedError, match="not in the encoding ascii; name another one"):
        project.import_file("customers", path, encoding="ascii")
    with pytest.raises(RejectedError, match="not in the encoding utf-16; name another one"):
        project.import_file("customers", path, encoding="utf-16")


WRITABLE = {"cp1252": "äßé€œ,;", "latin-1": "äßé©,;", "utf-16": "äß漢☃,;", "cp1251": "жщё,;", "mac-roman": "äßé†,;"}


@given(data=st.data(), encoding=st.sampled_from(sorted(WRITABLE)), delimiter=st.sampled_from(",;\t"))
def test_names_come_in_as_they_were_written(data: st.DataObject, encoding: str, delimiter: str) -> None:
    letters = st.text(WRITABLE[encoding] + "abc ", min_size=1, max_size=8).filter(lambda text: bool(text.strip(" ,;")))
    names = data.draw(st.lists(letters, min_size=1, max_size=5))
    rows = [f'{number}{delimiter}"{name}"' for number, name in enumerate(names)]
    settings = Settings(project=ProjectSettings(name="shop", currency="EUR", zone="UTC"))
    with TemporaryDirectory() as folder, Relationships(settings=settings) as project:
        path = Path(folder) / "people.csv"
        path.write_bytes("\r\n".join([f"customer{delimiter}name", *rows]).encode(encoding))
        assert project.import_file("customers", path, encoding=encoding).new == len(names)
        kept = project.store.read(CUSTOMERS).sort(pl.col("customer").cast(pl.Int64))["name"].to_list()
    assert kept == [name.strip() for name in names]


# Marks of decimals


def test_what_may_mean_two_amounts_is_never_guessed(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    for amount in ("1.234", "1.000", "12.500", '"1,234"', '"12,50"', '"1.234,50"', '"1,234.50"', "1 234.50"):
        path.write_text(f"{HEADER}\n{ROW.format(customer='ann', amount=amount)}\n", encoding="utf-8")
        recorded = project.import_file("interactions", path)
        assert recorded.rejected == 1
        assert recorded.rejects is not None
        assert "name the mark of its decimals, a comma or a point" in recorded.rejects.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "decimal", "minor"),
    [
        ("1.234,50", ",", 123450),
        ("1234,5", ",", 123450),
        ("1.234", ",", 123400),
        ("-1.234.567,89", ",", -123456789),
        ("1 234,50", ",", 123450),
        ("1\u202f234,50", ",", 123450),
        ("1'234.50", ".", 123450),
        ("1,234.50", ".", 123450),
        ("12.50", ".", 1250),
        (",50", ",", 50),
        ("12.50", ",", None),
        ("1.2345,00", ",", None),
        ("12.34.567", ",", None),
        ("1.234 567,00", ",", None),
        ("1,23", ".", None),
        ("1,234,50", ",", None),
        ("", ",", None),
        ("1234", ",", 123400),
        ("12 EUR", ",", None),
    ],
)
def test_amounts_with_marks(text: str, decimal: str, minor: int | None) -> None:
    plain = plain_number(text, decimal)
    values, problems = major_amounts(pl.Series("amount", [plain], dtype=pl.String), "EUR")
    assert values.to_list() == [minor]
    assert plain is None or problems.to_list() == [None] or minor is None


@given(
    minor=st.integers(-(10**12), 10**12),
    decimal=st.sampled_from(",."),
    thousands=st.sampled_from(["", ".", ",", " ", "'", "\u00a0"]),
)
def test_an_amount_is_read_as_it_was_written(minor: int, decimal: str, thousands: str) -> None:
    if thousands == decimal:
        thousands = ""
    whole, cents = divmod(abs(minor), 100)
    text = f"{'-' if minor < 0 else ''}{whole:,}".replace(",", thousands) + f"{decimal}{cents:02}"
    plain = plain_number(text, decimal)
    assert plain is not None
    assert Decimal(plain) == Decimal(minor).scaleb(-2)
    other = "." if decimal == "," else ","
    assert plain_number(text, other) is None


def test_an_import_with_a_mark_is_another_than_one_without(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\n{ROW.format(customer='ann', amount='1.234')}\n", encoding="utf-8")
    assert project.import_file("interactions", path).rejected == 1
    assert project.import_file("interactions", path, decimal=",").new == 1
    assert amounts(project) == [123400]
    path.write_text(
        f"{HEADER}\n{ROW.format(customer='ann', amount='12.500').replace(',1,', ',2,')}\n", encoding="utf-8"
    )
    assert project.import_file("interactions", path, decimal=".").new == 1
    assert sorted(map(int, filter(None, amounts(project)))) == [1250, 123400]


@pytest.mark.parametrize(("amount", "decimal"), [("1.234", "."), ('"1,234"', ",")])
def test_who_named_the_mark_is_not_asked_for_it(
    project: Relationships, tmp_path: Path, amount: str, decimal: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\n{ROW.format(customer='ann', amount=amount)}\n", encoding="utf-8")
    recorded = project.import_file("interactions", path, decimal=decimal)
    assert recorded.rejects is not None
    told = recorded.rejects.read_text(encoding="utf-8")
    assert "name the mark" not in told
    assert "more decimals than EUR, which has 2" in told


# Times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01 09:12:33 -0500", datetime(2024, 3, 1, 14, 12, 33, tzinfo=UTC)),
        ("2024-03-01T09:12 +02:00", datetime(2024, 3, 1, 7, 12, tzinfo=UTC)),
        ("2024-03-01 09:12:33 AM", datetime(2024, 3, 1, 9, 12, 33, tzinfo=UTC)),
        ("2024-03-01 12:00 AM", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01 12:00 p.m.", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("2024-03-01 1:05:06PM", datetime(2024, 3, 1, 13, 5, 6, tzinfo=UTC)),
        ("2024-03-01 13:00 PM", None),
        ("2024-03-01 0:30 AM", None),
        ("2024-03-01 : PM", None),
        ("03/01/2024 09:00", None),
    ],
)
def test_times_of_exports(text: str, expected: datetime | None) -> None:
    values, problems = instants(pl.Series("at", [text]), "UTC")
    assert values.to_list() == [expected]
    assert (problems[0] is None) == (expected is not None)


# The command


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relate: Relate) -> Path:
    monkeypatch.chdir(tmp_path)
    assert relate("init", "--currency", "EUR").exit_code == 0
    for each in SAMPLES.iterdir():
        shutil.copy(each, tmp_path)
    return tmp_path


def test_relate_import_with_a_preset(shop: Path, relate: Relate) -> None:
    told = relate("import", "--preset", "shopify-orders", "shopify-orders.csv")
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    assert lines[:5] == [
        "shopify-orders.csv: customers: 4 new, 0 brought up to date, 0 rejected.",
        "shopify-orders.csv: orders: 3 new, 0 recorded before, 1 rejected.",
        "shopify-orders.csv: refunds: 1 new, 0 recorded before, 0 rejected.",
        "Left out, was voided: 1.",
        "Left out, is not paid, or not wholly: 1.",
    ]
    assert "The rejected rows, each with its reason: shopify-orders.csv.orders.rejects.csv" in lines
    assert (shop / "shopify-orders.csv.orders.rejects.csv").exists()


def kept_in(folder: Path) -> dict[str, bytes]:
    """What a folder's files hold, but for what SQLite keeps beside its file."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and ".db-" not in path.name}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--preset", "shopify-orders", "shopify-orders.csv"),
        ("--preset", "shopify-customers", "shopify-customers.csv", "--json"),
        ("--preset", "generic", "interactions", "generic.csv", "--source", "till", "--kind", "order"),
        ("customers", "hubspot-contacts.csv", "--column", "customer=Record ID", "--json"),
    ],
)
def test_a_dry_run_of_the_command_changes_no_file(shop: Path, relate: Relate, arguments: tuple[str, ...]) -> None:
    assert relate("report").exit_code == 0
    before = kept_in(shop)
    told = relate("import", "--dry-run", *arguments)
    assert told.exit_code == 0
    assert kept_in(shop) == before
    if "--json" in arguments:
        document: dict[str, Any] = json.loads(told.stdout)
        assert document["recorded"] is False
        assert all(part["rows"] >= len(part["first"]) for part in document["parts"])
    else:
        assert told.stdout.endswith("not looked up, and is counted among the rows.\n")


@pytest.mark.usefixtures("shop")
def test_a_dry_run_shows_the_mapping_and_what_would_be_refused(relate: Relate) -> None:
    shown = relate("import", "--dry-run", "--preset", "stripe-payments", "stripe-payments.csv").stdout
    for line in (
        "stripe-payments.csv: payments: 4 rows, 1 would be rejected.",
        "  at         <- Created date (UTC)",
        "  kind       is order",
        "  1 left out: failed",
        "  1 rejected: the amount is in another currency than the project's, EUR; convert it first",
    ):
        assert f"{line}\n" in shown
    assert "amount 20.00 EUR" in shown
    assert "Columns that are not read: Captured, Converted Amount" in shown


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--preset", "shopify", "shopify-orders.csv"), "there is no 'shopify'; did you mean 'shopify-"),
        (("shopify-orders.csv",), "say what the rows are, customers, interactions or contacts; or name a preset"),
        (("customers",), "Missing argument 'FILE'"),
        (("customers", "shopify-orders.csv", "more"), "unexpected extra argument (more)"),
        (("--preset", "generic", "interactions", "generic.csv"), "kind (kind), source (source); it has Order ID"),
        (("--preset", "stripe-payments", "shopify-orders.csv"), "export again with all columns, and with times in UTC"),
    ],
)
def test_wrong_use_is_one_sentence(relate: Relate, arguments: tuple[str, ...], sentence: str) -> None:
    told = relate("import", *arguments)
    assert told.exit_code != 0
    assert sentence in told.stderr


@pytest.mark.usefixtures("shop")
def test_the_command_tells_of_the_option_that_would_have_helped(relate: Relate) -> None:
    said = ("--preset", "generic", "interactions", "generic.csv", "--source", "till", "--kind", "order")
    assert "Times without a zone are read by the clocks that --zone names" in relate("import", *said).stdout
    told = relate("import", *said, "--zone", "UTC").stdout
    assert "Where amounts are written as 1.234,50 say --decimal , and where as 1,234.50 say --decimal ." in told
    assert "1 recorded before" not in told


ODD = st.sampled_from(["NaN", "Infinity", "-inf", "1e999", "9" * 400, "1_0", "٣", "", " ", "--1", "1.", ".5", "0,0"])


@given(price=ODD | st.text(max_size=6), quantity=ODD | st.text(max_size=6), decimal=st.sampled_from([None, ",", "."]))
def test_no_text_in_a_line_is_more_than_an_unknown_number(price: str, quantity: str, decimal: str | None) -> None:
    pieces = {"product": ["tea"], "quantity": [quantity], "price": [price]}
    (written,) = order_lines({name: pl.Series([values]) for name, values in pieces.items()}, "EUR", decimal)
    (line,) = json.loads(written)
    assert line["product"] == "tea"


def test_money_of_a_line_that_may_mean_two_amounts_is_left_out() -> None:
    pieces = {
        "product": ["tea", "cup", "pot", None, "jar", "mug"],
        "quantity": ["2", None, "many", "1", "1.500", ""],
        "price": ["1.50", "1.000", "3.00", "9.00", "2.00", "0.333"],
        "discount": ["0.50", None, None, None, None, None],
    }
    (written,) = order_lines({name: pl.Series([values]) for name, values in pieces.items()}, "EUR", None)
    assert json.loads(written) == [
        {"product": "tea", "quantity": 2.0, "minor": 250},
        {"product": "cup", "quantity": 1.0},
        {"product": "pot"},
        {"product": "jar", "quantity": 1.5, "minor": 300},
        {"product": "mug", "quantity": 1.0},
    ]
