"""``relate receive``: saved requests, and what is wrong with them."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

Relate = Callable[..., Result]

AS_OF = ("--as-of", "2024-06-01T00:00:00Z")
SETTINGS = """\
[project]
name = "Corner Bakery"
postal_address = "1 Mill Lane"
links = "https://bakery.example.com/r"

[channels.outbox]
use = "folder"
path = "outbox"

[consent]
without = ["email"]
"""
CAMPAIGN = """\
name = "news"
owner = "shop"
purpose = "marketing"
nature = "give"

[[actions]]
name = "write"
occasion = { name = "once" }

[[actions.variants]]
channel = "outbox"
subject = "News"
text = "Hello. {{ links.unsubscribe }}"
"""


@pytest.fixture
def shop(tmp_path: Path, relate: Relate) -> Path:
    """Where one message went to ada."""
    folder = tmp_path / "shop"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "relationship.toml").write_text(SETTINGS)
    (folder / "campaigns" / "news.toml").write_text(CAMPAIGN)
    (tmp_path / "customers.csv").write_text("customer,contact.email\nada,ada@example.com\n")
    assert relate("import", "customers", tmp_path / "customers.csv").exit_code == 0
    assert relate("run").exit_code == 0
    return folder


def saved(folder: Path, line: str, name: str = "click.http") -> Path:
    (folder / name).write_text(f"{line}\nHost: bakery.example.com\n\nList-Unsubscribe=One-Click")
    return folder / name


def link(shop: Path) -> str:
    (message,) = (shop / "outbox").iterdir()
    text = message.read_text().replace("=\n", "")
    found = re.search(r"https://bakery\.example\.com(/r/u/[\w-]+)", text)
    assert found, text
    return found[1]


def test_a_saved_click_unsubscribes_once(shop: Path, relate: Relate) -> None:
    request = saved(shop, f"POST {link(shop)} HTTP/1.1")
    first = relate("receive", "links", request)
    assert (first.exit_code, first.stdout) == (0, "Received 1 request: 1 new events, 1 addresses suppressed.\n")
    again = json.loads(relate("receive", "links", request, "--json").stdout)
    assert (again["requests"], again["events"] + again["repeated"], again["suppressed"]) == (1, 1, 0)
    with closing(sqlite3.connect(shop / "relationships.db")) as database:
        assert database.execute("SELECT customer, act FROM consents").fetchall() == [("ada", "withdraw")]


def test_a_refused_request_is_told_with_its_file(shop: Path, relate: Relate) -> None:
    refused = relate(
        "receive", "links", saved(shop, "POST /r/u/none HTTP/1.1"), saved(shop, "GET / HTTP/1.1", "b.http")
    )
    assert refused.exit_code == 1
    assert "click.http: refused, this is no link of this project" in refused.stdout
    assert "b.http: refused, this is no link of a message" in refused.stdout
    document = json.loads(relate("receive", "links", shop / "b.http", "--json").stdout)
    assert [each["status"] for each in document["refused"]] == [404]


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"no request at all", b"POST / HTTP/1.1\r\nHost: x"])
def test_a_file_that_is_no_request_is_told_in_a_sentence(shop: Path, relate: Relate, content: bytes) -> None:
    (shop / "wrong.http").write_bytes(content)
    told = relate("receive", "links", shop / "wrong.http")
    assert told.exit_code == 1
    assert "this is no saved request" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_file_that_is_no_request_holds_no_other_back(shop: Path, relate: Relate) -> None:
    (shop / "a.http").write_bytes(b"junk")
    request = saved(shop, f"POST {link(shop)} HTTP/1.1")
    told = relate("receive", "links", shop / "a.http", request)
    assert told.exit_code == 1
    assert told.stdout == "Received 1 request: 1 new events, 1 addresses suppressed.\n"
    assert told.stderr.startswith("Error: a.http: this is no saved request")
    document = json.loads(relate("receive", "links", shop / "a.http", request, "--json").stdout)
    assert [each["status"] for each in document["refused"]] == [None]


def test_a_link_of_a_host_that_is_none_is_refused(shop: Path, relate: Relate) -> None:
    (shop / "odd.http").write_text("POST /r/u/none HTTP/1.1\nHost: [\n\n")
    told = relate("receive", "links", shop / "odd.http")
    assert told.exit_code == 1
    assert "odd.http: refused, this is no link of a message" in told.stdout


def test_a_receiver_or_a_file_that_there_is_not_is_named(shop: Path, relate: Relate) -> None:
    assert relate("receive", "links", shop / "missing.http").exit_code == 2
    told = relate("receive", "news", saved(shop, "POST / HTTP/1.1"))
    assert told.exit_code == 1
    assert "there is no 'news'" in told.stderr
    told = relate("receive", "links", shop)
    assert told.exit_code == 1
    assert "reads no mailbox" in told.stderr
