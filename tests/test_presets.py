"""Presets: what comes of the export of another system, row by row; and what a dry run shows."""

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from relationship_core import (
    CONSENTS,
    CONTACT_POINTS,
    CUSTOMERS,
    IMPORTS,
    INTERACTIONS,
    ConfigurationError,
    LeftOut,
    Preset,
    PresetPart,
    RejectedError,
    Relationships,
)
from relationship_core.flow.record.presets import How, import_from

SAMPLES = Path(__file__).resolve().parent / "samples"
MakeShop = Callable[..., Relationships]

NOW = datetime(2024, 4, 1, 12, tzinfo=UTC)
AGREED = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(make_shop: MakeShop) -> Iterator[Relationships]:
    with make_shop() as opened:
        yield opened


def at(year: int, month: int, day: int, *clock: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC) + timedelta(**dict(zip(("hours", "minutes", "seconds"), clock)))  # noqa: B905  the rest is zero


def interactions(project: Relationships) -> list[tuple[Any, ...]]:
    columns = ("id", "customer", "kind", "at", "amount", "reference")
    return sorted(project.store.read(INTERACTIONS, columns=columns).select(columns).rows())


def lines(project: Relationships) -> dict[str, list[tuple[str, float, int | None]]]:
    rows = project.store.read(INTERACTIONS, columns=("id", "lines")).select("id", "lines").rows()
    return {
        name: [(line["product"], line["quantity"], line["minor"]) for line in found] for name, found in rows if found
    }


def customers(project: Relationships) -> list[tuple[Any, ...]]:
    named = project.store.read(CUSTOMERS).select("customer", "name", "country")
    points = project.store.read(CONTACT_POINTS).select("customer", "address")
    return sorted(named.join(points, on="customer", how="left").rows())


def consents(project: Relationships) -> list[tuple[Any, ...]]:
    columns = ("customer", "act", "medium", "at", "source", "method")
    return sorted(project.store.read(CONSENTS).select(columns).rows())


def reasons(path: Path | None) -> list[str]:
    assert path is not None
    with path.open(encoding="utf-8", newline="") as file:
        return [row["reason"] for row in csv.DictReader(file)]


def told(recorded: Any) -> dict[str, tuple[int, int, int]]:
    return {name: (each.new, each.repeated, each.rejected) for name, each in recorded.parts.items()}


# Each of them


def test_shopify_orders(project: Relationships, sample: Callable[[str], Path]) -> None:
    recorded = project.import_file(path=sample("shopify-orders"), preset="shopify-orders")
    assert told(recorded) == {"customers": (4, 0, 0), "orders": (3, 0, 1), "refunds": (1, 0, 0)}
    assert recorded.left_out == {"was voided": 1, "is not paid, or not wholly": 1}
    assert interactions(project) == [
        ("#1001", "ann@example.com", "order", at(2024, 3, 1, 14, 12, 30), 3790, "#1001"),
        ("#1002", "bob@example.com", "order", at(2024, 3, 1, 15, 12, 30), 1300, "#1002"),
        ("#1002:refund", "bob@example.com", "return", at(2024, 3, 1, 15, 12, 30), 300, "#1002"),
        ("#1004", "ann@example.com", "order", at(2024, 3, 2, 13, 59), 2000, "#1004"),
    ]
    assert lines(project) == {
        "#1001": [("TEA-2", 3.0, 2500), ("CUP-1", 1.0, 800)],
        "#1002": [("Pot", 1.0, 1300)],
        "#1004": [("CUP-1", 1.0, 2000)],
    }
    assert customers(project) == [
        ("ann@example.com", "Ann Ahorn", None, "Ann@example.com"),
        ("bob@example.com", "Bob Birke", None, "bob@example.com"),
        ("cid@example.com", "Cid Buche", None, "cid@example.com"),
        ("dot@example.com", "Dot Eiche", None, "dot@example.com"),
    ]
    assert consents(project) == []


def test_an_order_without_an_amount_and_a_line_apart_from_its_order_are_refused(
    project: Relationships, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "Name,Email,Financial Status,Currency,Total,Created at,Lineitem name,Refunded Amount\n"
        "#1,ann@example.com,paid,EUR,10.00,2024-03-01 15:00:00 +0100,Tea,\n"
        "#2,bob@example.com,paid,EUR,,2024-03-01 16:00:00 +0100,Pot,\n"
        "#3,bob@example.com,paid,EUR,0.00,2024-03-01 17:00:00 +0100,Sample,\n"
        "#1,ann@example.com,,,,,Cup,\n",
        encoding="utf-8",
    )
    recorded = project.import_file(path=path, preset="shopify-orders")
    assert told(recorded)["orders"] == (2, 0, 2)
    assert [each[0] for each in interactions(project)] == ["#1", "#3"]
    assert (
        reasons(recorded.parts["orders"].rejects)
        == ["there is no amount; a further line of an order has to follow its first one"] * 2
    )


def test_every_line_of_a_refused_order_goes_to_the_rejects_and_comes_in_when_they_are_corrected(
    project: Relationships, sample: Callable[[str], Path]
) -> None:
    recorded = project.import_file(path=sample("shopify-orders"), preset="shopify-orders")
    rejects = recorded.parts["orders"].rejects
    assert rejects is not None
    assert rejects.name == "shopify-orders.csv.orders.rejects.csv"
    with rejects.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["Name"], row["Lineitem sku"]) for row in rows] == [
        ("8", "#0999", "CUP-1"),
        ("9", "#0999", "TEA-1"),
    ]
    assert "another currency" in rows[0]["reason"]
    rejects.write_text(rejects.read_text(encoding="utf-8").replace("USD", "EUR"), encoding="utf-8")
    again = project.import_file("interactions", rejects, preset="shopify-orders")
    assert told(again) == {"orders": (1, 0, 0), "refunds": (0, 0, 0)}
    assert lines(project)["#0999"] == [("CUP-1", 1.0, 800), ("TEA-1", 1.0, 0)]


def test_shopify_customers(project: Relationships, sample: Callable[[str], Path]) -> None:
    recorded = project.import_file(path=sample("shopify-customers"), preset="shopify-customers", consent_at=AGREED)
    assert told(recorded) == {"customers": (3, 0, 1), "consents": (2, 0, 1)}
    assert customers(project) == [
        ("7003", "Cid", None, None),
        ("ann@example.com", "Ann Ahorn", "DE", "Ann@example.com"),
        ("bob@example.com", "Bob Birke", None, "bob@example.com"),
    ]
    assert consents(project) == [
        ("ann@example.com", "grant", "email", AGREED, "shopify", "export"),
        ("bob@example.com", "withdraw", "email", NOW, "shopify", "export"),
    ]


def test_consent_without_a_date_is_not_invented(project: Relationships, sample: Callable[[str], Path]) -> None:
    recorded = project.import_file(path=sample("shopify-customers"), preset="shopify-customers")
    assert recorded.left_out == {"agreed, but the export says no date; name consent_at": 2}
    assert [row[:2] for row in consents(project)] == [("bob@example.com", "withdraw")]


def test_woocommerce_orders(project: Relationships, sample: Callable[[str], Path]) -> None:
    path = sample("woocommerce-orders")
    recorded = project.import_file(path=path, preset="woocommerce-orders", zone="Europe/Berlin")
    assert told(recorded) == {"customers": (3, 0, 0), "orders": (2, 0, 0), "refunds": (1, 0, 0)}
    assert recorded.left_out == {"failed": 1, "is not paid": 1}
    assert interactions(project) == [
        ("501", "ann@example.com", "order", at(2024, 3, 1, 8, 12, 33), 3000, "501"),
        ("503", "bob@example.com", "order", at(2024, 3, 2, 17, 30), 1200, "503"),
        ("503:refund", "bob@example.com", "return", at(2024, 3, 2, 17, 30), 500, "503"),
    ]
    assert lines(project) == {"501": [("TEA-1", 2.0, 2000), ("CUP-1", 1.0, 1000)], "503": [("TEA-1", 1.0, 1200)]}
    assert customers(project) == [
        ("ann@example.com", "Ann Ahorn", "DE", "ann@example.com"),
        ("bob@example.com", "Bob Birke", "DE", "bob@example.com"),
        ("cid@example.com", "Cid Buche", "AT", "cid@example.com"),
    ]


def test_stripe_payments(project: Relationships, sample: Callable[[str], Path]) -> None:
    recorded = project.import_file(path=sample("stripe-payments"), preset="stripe-payments")
    assert told(recorded) == {"customers": (3, 0, 0), "payments": (3, 0, 1), "refunds": (2, 0, 0)}
    assert recorded.left_out == {"failed": 1}
    assert "another currency" in reasons(recorded.rejects)[0]
    assert interactions(project) == [
        ("ch_1", "cus_1", "order", at(2024, 3, 1, 9, 12, 33), 2000, "ch_1"),
        ("ch_2", "bob@example.com", "order", at(2024, 3, 2, 10), 5000, "ch_2"),
        ("ch_2:refund", "bob@example.com", "return", at(2024, 3, 5, 8), 2000, "ch_2"),
        ("ch_5", "cus_1", "order", at(2024, 3, 5, 10), 800, "ch_5"),
        ("ch_5:refund", "cus_1", "return", at(2024, 3, 6, 11), 800, "ch_5"),
    ]
    assert customers(project) == [
        ("bob@example.com", None, None, "Bob@example.com"),
        ("cus_1", None, None, "ann@example.com"),
        ("cus_3", None, None, "cid@example.com"),
    ]


def test_hubspot_contacts(project: Relationships, sample: Callable[[str], Path]) -> None:
    recorded = project.import_file(path=sample("hubspot-contacts"), preset="hubspot-contacts")
    assert told(recorded) == {"customers": (3, 0, 0), "consents": (1, 0, 0)}
    assert customers(project) == [
        ("901", "Ann Ahorn", None, "ann@example.com"),
        ("902", "Bob Birke", None, "bob@example.com"),
        ("903", "Buche", None, None),
    ]
    assert consents(project) == [("902", "withdraw", "email", NOW, "hubspot", "export")]


def test_a_guess(project: Relationships, sample: Callable[[str], Path]) -> None:
    said: Mapping[str, Any] = {"preset": "generic", "source": "till", "kind": "order", "zone": "UTC", "decimal": ","}
    (part,) = project.imports.preview("interactions", sample("generic"), **said)
    assert part.columns == {
        "id": "Order ID",
        "customer": "E-Mail",
        "at": "Date",
        "amount": "Total",
        "currency": "Currency",
    }
    assert (part.given, part.ignored) == ({"source": "till", "kind": "order"}, ("Colour",))
    recorded = project.import_file("interactions", sample("generic"), **said)
    assert told(recorded) == {"interactions": (2, 0, 1)}
    assert reasons(recorded.rejects) == ["the amount is not a number such as 1.234,50"]
    assert interactions(project) == [
        ("A-1", "ann@example.com", "order", at(2024, 3, 1, 9, 12, 33), 123450, None),
        ("A-2", "bob@example.com", "order", at(2024, 3, 1, 13), 1200, None),
    ]


# Again, and further


def test_the_same_file_again_does_nothing_and_tells_what_came_of_it(
    project: Relationships, sample: Callable[[str], Path]
) -> None:
    path = sample("shopify-orders")
    first = project.import_file(path=path, preset="shopify-orders")
    kept = interactions(project)
    again = project.import_file(path=path, preset="shopify-orders")
    assert again.already
    assert told(again) == told(first)
    assert again.left_out == first.left_out
    assert interactions(project) == kept


def test_an_export_that_overlaps_adds_what_is_new(project: Relationships, sample: Callable[[str], Path]) -> None:
    path = sample("shopify-orders")
    project.import_file(path=path, preset="shopify-orders")
    text = path.read_text(encoding="utf-8").replace("cid@example.com,pending,", "cid@example.com,paid,")
    path.write_text(text, encoding="utf-8")
    again = project.import_file(path=path, preset="shopify-orders")
    assert told(again) == {"customers": (0, 4, 0), "orders": (1, 3, 1), "refunds": (0, 1, 0)}
    assert again.left_out == {"was voided": 1}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_orders_are_joined_wherever_a_chunk_ends(
    make_shop: MakeShop, sample: Callable[[str], Path], chunk: int
) -> None:
    with make_shop() as whole, make_shop() as project:
        path = sample("shopify-orders")
        whole.import_file(path=path, preset="shopify-orders")
        recorder = evolve(project._project.recording(), chunk=chunk, batch=2)  # only here is a chunk so small
        import_from(recorder, path, How(preset=project.imports.presets["shopify-orders"]))
        assert interactions(project) == interactions(whole)
        assert lines(project) == lines(whole)


def test_a_line_that_is_malformed_costs_itself_alone(project: Relationships, sample: Callable[[str], Path]) -> None:
    path = sample("shopify-orders")
    path.write_text(path.read_text(encoding="utf-8").replace("#1000,", "short\n#1000,"), encoding="utf-8")
    recorded = project.import_file("interactions", path, preset="shopify-orders")
    assert told(recorded) == {"orders": (3, 0, 2), "refunds": (1, 0, 1)}


# What cannot be read


def test_a_preset_that_there_is_not(project: Relationships, sample: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigurationError, match="there is no 'shopify-order'; did you mean 'shopify-orders'"):
        project.import_file(path=sample("shopify-orders"), preset="shopify-order")


def test_missing_columns_are_named_and_the_columns_of_the_file_are_shown(
    project: Relationships, sample: Callable[[str], Path]
) -> None:
    told = r"lacks columns for the consents of 'shopify-customers': act \(.*, address \(Email\); it has id, C"
    with pytest.raises(RejectedError, match=told):
        project.import_file(path=sample("stripe-payments"), preset="shopify-customers")
    with pytest.raises(RejectedError, match=r"the orders of 'shopify-orders': amount \(Total\)"):
        project.import_file(
            "interactions", sample("stripe-payments"), preset="shopify-orders",
            columns={"id": "id", "customer": "Customer Email", "at": "Created date (UTC)"},
        )  # fmt: skip
    path = sample("stripe-payments")
    path.write_text(path.read_text(encoding="utf-8").replace("Status", "State"), encoding="utf-8")
    with pytest.raises(RejectedError, match=r"the payments of 'stripe-payments': Status; it has id"):
        project.import_file(path=path, preset="stripe-payments")
    assert project.store.read(IMPORTS).is_empty()


def test_an_export_without_who_unsubscribed_is_refused_unless_customers_alone_are_wanted(
    project: Relationships, sample: Callable[[str], Path]
) -> None:
    path = sample("hubspot-contacts")
    path.write_text(path.read_text(encoding="utf-8").replace("Unsubscribed from all email", "Other"), encoding="utf-8")
    with pytest.raises(RejectedError, match=r"the consents of 'hubspot-contacts': act \(Unsubscribed from all email"):
        project.import_file(path=path, preset="hubspot-contacts")
    assert told(project.import_file("customers", path, preset="hubspot-contacts")) == {"customers": (3, 0, 0)}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"preset": "stripe-payments", "zone": "Europe/Berlin"},
            "are in UTC, not in Europe/Berlin; leave the zone out",
        ),
        ({"preset": "stripe-payments", "kind": "visit"}, "says the kind itself"),
        (
            {"preset": "stripe-payments", "columns": {"ammount": "Fee"}},
            "reads no column 'ammount'; did you mean 'amount'",
        ),
        ({"preset": "stripe-payments", "columns": {"amount": "Fees"}}, "has no column 'Fees'"),
        ({"preset": "stripe-payments", "what": "contacts"}, "makes no contacts: customers or interactions"),
        ({"preset": "stripe-payments", "decimal": ";"}, "a point or a comma, not ';'"),
        ({"preset": "stripe-payments", "encoding": "utf-99"}, "there is no encoding 'utf-99'"),
        ({"preset": "generic"}, "say what the rows are: customers or interactions"),
        (
            {"preset": "stripe-payments", "what": "customers", "source": "till"},
            "customers have no source; leave it out",
        ),
        ({"preset": "stripe-payments", "what": "customers", "kind": "order"}, "customers have no kind; leave it out"),
        ({"preset": "hubspot-contacts", "kind": "order"}, "customers and consents have no kind; leave it out"),
        ({"what": "customers", "source": "till"}, "customers have no source; leave it out"),
        ({"what": "contacts", "kind": "order"}, "contacts have no kind; leave it out"),
        ({}, "say what the rows are, customers, interactions or contacts; or name a preset"),
        ({"what": "customers", "consent_at": NOW}, "consent_at is for presets"),
    ],
)
def test_what_is_said_wrongly(
    project: Relationships, sample: Callable[[str], Path], said: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        project.import_file(path=sample("stripe-payments"), **said)


def test_a_column_may_be_another_one(project: Relationships, sample: Callable[[str], Path]) -> None:
    path = sample("hubspot-contacts")
    said: Mapping[str, Any] = {
        "preset": "hubspot-contacts",
        "columns": {"customer": "Email", "contact.sms": "Phone Number"},
    }
    project.import_file("customers", path, **said)
    assert [row[0] for row in customers(project)] == ["ann@example.com", "bob@example.com"]


def test_another_column_is_meant_for_the_first_part_that_reads_it(project: Relationships, tmp_path: Path) -> None:
    """Otherwise what was paid would be taken for what was paid back."""
    path = tmp_path / "orders.csv"
    text = (SAMPLES / "shopify-orders.csv").read_text(encoding="utf-8")
    path.write_text(text.replace(",Total,", ",Paid,"), encoding="utf-8")
    project.import_file(path=path, preset="shopify-orders", columns={"amount": "Paid"})
    kinds = [(row[0], row[2], row[4]) for row in interactions(project)]
    assert kinds == [
        ("#1001", "order", 3790),
        ("#1002", "order", 1300),
        ("#1002:refund", "return", 300),
        ("#1004", "order", 2000),
    ]


def test_the_newest_order_tells_who_a_customer_is_however_times_are_written(
    project: Relationships, tmp_path: Path
) -> None:
    head, *_ = (SAMPLES / "woocommerce-orders.csv").read_text(encoding="utf-8").splitlines()
    rows = [
        f"{number},{number},{day},completed,EUR,5.00,0.00,11,{name},Ahorn,ann@example.com,DE,TEA-1,Tea,1,5.00"
        for number, day, name in ((1, "12/31/2023 09:00", "Old"), (2, "01/05/2024 09:00", "New"))
    ]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    project.import_file("customers", path, preset="woocommerce-orders")
    assert [row[1] for row in customers(project)] == ["New Ahorn"]


BAKERY = Preset(
    name="bakery",
    summary="What the till of the bakery exports.",
    zone="UTC",
    parts=[
        PresetPart(
            name="orders",
            what="interactions",
            columns={"id": ["Номер"], "customer": ["Größe"], "at": ["Дата"]},
            given={"source": "till", "kind": "order"},
            left_out=[LeftOut(column="Статус", values=["Groß", "ОТМЕНЁН"], reason="was called off")],
            optional=True,
        )
    ],
)


@pytest.fixture
def bakery(make_shop: MakeShop) -> Iterator[Relationships]:
    with make_shop(BAKERY) as opened:
        yield opened


def test_letters_of_any_alphabet_count(bakery: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    rows = ["1,anna,2024-03-01,", "2,ben,2024-03-02,groß", "3,cid,2024-03-03,Отменён"]
    path.write_text("\n".join(["Номер,Größe,Дата,Статус", *rows]) + "\n", encoding="utf-8")
    recorded = bakery.import_file(path=path, preset="bakery")
    assert [row[:2] for row in interactions(bakery)] == [("1", "anna")]
    assert recorded.left_out == {"was called off": 2}


def test_a_rule_may_be_there_twice(make_shop: MakeShop, tmp_path: Path) -> None:
    rule = LeftOut(column="State", values=["closed"], reason="was closed")
    part = PresetPart(
        name="visits", what="interactions", given={"source": "till", "kind": "visit"},
        columns={"id": "No", "customer": "Guest", "at": "Came"}, left_out=[rule, rule],
    )  # fmt: skip
    path = tmp_path / "visits.csv"
    path.write_text("No,Guest,Came,State\n1,ann,2024-03-01T09:00Z,open\n2,bob,2024-03-01T09:00Z,closed\n")
    with make_shop(evolve(BAKERY, parts=[part])) as opened:
        assert opened.import_file(path=path, preset="bakery").left_out == {"was closed": 1}


def test_a_file_with_no_part_of_a_preset_is_refused(bakery: Relationships, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text("one,two\n1,2\n", encoding="utf-8")
    with pytest.raises(RejectedError, match="has no part of 'bakery'; it has one, two"):
        bakery.import_file(path=path, preset="bakery")


def test_a_column_that_no_part_reads_is_refused(project: Relationships, sample: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigurationError, match=r"reads no column 'contact\.email'"):
        project.import_file("interactions", sample("generic"), preset="generic", columns={"contact.email": "nope"})
