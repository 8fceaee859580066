"""Presets without recording, of plugins, and in other kinds of file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from relationship_core import (
    CONSENTS,
    CUSTOMERS,
    IMPORTS,
    INTERACTIONS,
    ConfigurationError,
    LeftOut,
    Preset,
    PresetPart,
    RelationshipError,
    Relationships,
)

MakeShop = Callable[..., Relationships]

SAMPLES = Path(__file__).resolve().parent / "samples"


@pytest.fixture
def project(make_shop: MakeShop) -> Iterator[Relationships]:
    with make_shop() as opened:
        yield opened


# Without recording


def test_a_dry_run_writes_nothing_and_tells_what_an_import_would_do(
    make_shop: MakeShop, sample: Callable[[str], Path]
) -> None:
    path = sample("shopify-orders")
    with make_shop() as project:
        parts = {part.name: part for part in project.imports.preview(path=path, preset="shopify-orders")}
        for table in (CUSTOMERS, INTERACTIONS, CONSENTS, IMPORTS):
            assert project.store.read(table).is_empty()
        assert list(path.parent.iterdir()) == [path]
        recorded = project.import_file(path=path, preset="shopify-orders")
        for name, part in parts.items():
            did = recorded.parts[name]
            assert (part.rows, sum(part.refused.values())) == (did.new + did.rejected, did.rejected)
        kept = project.store.read(INTERACTIONS, columns=("id", "amount")).select("id", "amount").rows()
    shown = [(row["id"], row["amount"]) for name in ("orders", "refunds") for row in parts[name].first]
    assert sorted(shown) == sorted(kept)
    assert parts["orders"].left_out == recorded.left_out


def test_a_dry_run_without_a_preset(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("nr,name,country,shoe\n1,Ann,DE,38\n2,Bob,Germany,44\n", encoding="utf-8")
    (part,) = project.imports.preview("customers", path, columns={"customer": "nr"})
    assert (part.name, part.columns) == ("customers", {"customer": "nr", "name": "name", "country": "country"})
    assert (part.rows, part.ignored) == (2, ("shoe",))
    assert [(number, "two capital letters" in reason) for reason, number in part.refused.items()] == [(1, True)]
    assert part.first == ({"customer": "1", "name": "Ann", "country": "DE"},)


# Of plugins


VISITS = Preset(
    name="bakery-visits",
    summary="A test.",
    parts=[
        PresetPart(
            name="visits",
            what="interactions",
            columns={"id": "No", "customer": "Guest", "at": "Came"},
            given={"source": "bakery", "kind": "visit"},
            left_out=[LeftOut(column="State", values=["CLOSED"], reason="found the door closed")],
        )
    ],
)


def test_a_preset_of_a_plugin(make_shop: MakeShop, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("No,Guest,Came,State\n1,ann,2024-03-01T09:00Z,open\n2,bob,2024-03-01T09:00Z,Closed\n")
    with make_shop(VISITS) as project:
        recorded = project.import_file(path=path, preset="bakery-visits")
        assert (recorded.new, recorded.left_out) == (1, {"found the door closed": 1})
        kept = project.store.read(INTERACTIONS, columns=("id", "customer", "kind")).select("id", "customer", "kind")
        assert kept.rows() == [("1", "ann", "visit")]


def test_a_preset_has_parts_that_can_be_told_apart() -> None:
    part = PresetPart(name="people", what="customers", columns={"customer": "id"})
    for parts in ((), (part, part)):
        with pytest.raises(ConfigurationError, match="must have parts, each of another name"):
            Preset(name="twice", summary="A test.", parts=parts)


def test_parquet_may_be_an_export_too(project: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "payments.parquet"
    pl.read_csv(SAMPLES / "stripe-payments.csv", infer_schema=False).write_parquet(path)
    recorded = project.import_file(path=path, preset="stripe-payments")
    got = {name: (each.new, each.rejected) for name, each in recorded.parts.items()}
    assert got == {"customers": (3, 0), "payments": (3, 1), "refunds": (2, 0)}


# Anything at all

PIECES = [b'"', b"\n", b",", b"\xff", b"\x00", b"9" * 400, b"paid", b"-", b".000", b"\n,,\n", b"#1001", b"'", b"@"]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([path.stem for path in sorted(SAMPLES.glob("*.csv")) if path.stem != "generic"]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES)), max_size=4),
    decimal=st.sampled_from([None, ",", "."]),
)
def test_no_bytes_crash_an_import_and_a_preview_agrees_with_it(
    make_shop: MakeShop, name: str, cuts: list[tuple[float, int, bytes]], decimal: str | None
) -> None:
    content = (SAMPLES / f"{name}.csv").read_bytes()
    for at, width, piece in cuts:
        place = int(at * len(content))
        content = content[:place] + piece + content[place + width :]
    with TemporaryDirectory() as folder, make_shop() as project:
        path = Path(folder) / f"{name}.csv"
        path.write_bytes(content)
        zone = None if name == "stripe-payments" else "UTC"
        try:
            parts = project.imports.preview(path=path, preset=name, zone=zone, decimal=decimal)
        except RelationshipError as error:
            with pytest.raises(type(error)):
                project.import_file(path=path, preset=name, zone=zone, decimal=decimal)
            return
        recorded = project.import_file(path=path, preset=name, zone=zone, decimal=decimal)
        assert recorded.parts.keys() == {part.name for part in parts}
        for part in parts:
            did = recorded.parts[part.name]
            assert did.new + did.repeated + did.rejected == part.rows
            assert did.rejected >= sum(part.refused.values())
