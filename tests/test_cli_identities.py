"""``relate identity``, ``relate account`` and ``relate import contacts`` as people type them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Relate = Callable[..., Result]


@pytest.fixture
def shop(relate: Relate, tmp_path: Path) -> Relate:
    """A project with two ids of one customer, and a firm."""
    relate("init")
    customers = tmp_path / "customers.csv"
    customers.write_text(
        "customer,contact.email,contact.sms\nada,ada@example.com,020 7946 0958\nlovelace,ADA@example.com,\nfirm,,\n"
    )
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "source,id,customer,kind,at\nshop,1,ada,visit,2024-01-01T00:00:00Z\nshop,2,lovelace,visit,2024-01-02T00:00:00Z\n"
    )
    assert relate("import", "customers", customers).exit_code == 0
    assert relate("import", "interactions", orders).exit_code == 0
    return relate


def document(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_candidates_merge_show_and_unmerge(shop: Relate) -> None:
    told = shop("identity", "candidates").stdout
    assert "ada, lovelace" in told
    assert "the same e-mail address" in told
    assert "1 telephone number could not be compared:\n  ada: the telephone number begins with no country" in told
    assert document(shop("identity", "candidates", "--json"))["found"] == [
        {"customers": ["ada", "lovelace"], "reasons": ["the same e-mail address"]}
    ]
    told = shop("identity", "merge", "lovelace", "--into", "ada", "--actor", "grace", "--reason", "married").stdout
    assert told == "lovelace is ada from now on; `relate review` judges anew.\n"
    assert "Nobody shares" in shop("identity", "candidates").stdout
    told = shop("identity", "show", "lovelace").stdout
    assert told.startswith("lovelace is ada.\nOther ids of ada: lovelace.\n")
    assert "married" in told
    assert document(shop("customer", "lovelace", "--json"))["interactions"] == 2

    undone = document(shop("identity", "unmerge", "lovelace", "--actor", "grace", "--json"))
    assert [undone[name] for name in ("act", "customer", "survivor", "actor")] == [
        "unmerge",
        "lovelace",
        "ada",
        "grace",
    ]
    assert document(shop("customer", "lovelace", "--json"))["interactions"] == 1


def test_an_id_of_another_system(shop: Relate) -> None:
    assert shop("identity", "link", "crm-17", "--to", "ada").stdout == "Whatever comes under crm-17 is for ada.\n"
    assert document(shop("identity", "show", "ada", "--json"))["aliases"] == ["crm-17"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("identity", "merge", "ada", "--into", "ada"), "cannot be merged with itself"),
        (("identity", "unmerge", "ada"), "is not merged into anybody"),
        (("account", "link", "firm", "nobody"), "there is no customer 'nobody'"),
        (("account", "unlink", "firm", "ada"), "is no contact of 'firm'"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_status_1(shop: Relate, arguments: tuple[str, ...], told: str) -> None:
    result = shop(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_accounts_are_linked_shown_and_unlinked(shop: Relate) -> None:
    assert "firm is no account" in shop("account", "show", "firm").stdout
    link = ("account", "link", "firm", "ada", "--role", "buyer", "--since", "2024-01-01T00:00:00Z")
    assert shop(*link).stdout == "ada is a contact of firm; `relate review` judges the account anew.\n"
    told = shop("account", "show", "firm").stdout
    assert "buyer" in told
    assert "2024-01-01 00:00" in told
    assert document(shop("account", "show", "ada", "--json"))["accounts"] == [
        {"account": "firm", "customer": "ada", "role": "buyer", "since": "2024-01-01T00:00:00+00:00", "until": None}
    ]
    assert document(shop("customer", "firm", "--json"))["interactions"] == 1
    ended = document(shop("account", "unlink", "firm", "ada", "--until", "2024-06-01T00:00:00Z", "--json"))["ended"]
    assert [each["until"] for each in ended] == ["2024-06-01T00:00:00+00:00"]  # type: ignore[attr-defined]  # a list
    assert "never was a contact" in shop("account", "unlink", "firm", "ada", "--mistaken").stdout
    assert document(shop("customer", "firm", "--json"))["interactions"] == 0


def test_contacts_come_from_a_file(shop: Relate, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("account,customer,role\nfirm,ada,buyer\nfirm,nobody,\n")
    told = shop("import", "contacts", file)
    assert told.exit_code == 1, "a row was refused"
    assert "contacts.csv: contacts: 1 new, 0 brought up to date, 1 rejected." in told.stdout
    assert document(shop("account", "show", "firm", "--json"))["contacts"]
