"""``relate`` on a small project, from `init` to `report`: what it says, and its documents."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from click.testing import Result

from relationship_core import Relationships, Suppression
from relationship_core.flow.permission.tokens import sign_token

Relate = Callable[..., Result]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
AS_OF = ("--as-of", "2024-06-01T12:00:00Z")

CUSTOMERS = """\
customer,name,contact.email,locale
ada,Ada Example,ada@example.com,en
ben,Ben [bold]Exam\x1b[2Jple,,de
eve,Eve Example,eve@example.com,
"""

# Ada comes every week, Ben came once, Eve came twice and stays away; all of it by the clocks of Berlin.
INTERACTIONS = """\
id,who,kind,when,amount
1,ada,order,2024-05-05T10:00:00,10.50
2,ada,order,2024-05-12T10:00:00,12.00
3,ada,order,2024-05-19T10:00:00,8.00
4,ada,order,2024-05-26T10:00:00,9.25
5,ben,order,2024-05-01T09:00:00,100.00
6,eve,order,2024-01-01T09:00:00,5.00
7,eve,order,2024-01-08T09:00:00,5.00
8,eve,visit,2024-01-09T09:00:00,
"""


@pytest.fixture
def shop(tmp_path: Path, relate: Relate) -> Path:
    """Made, and filled from two files."""
    customers, interactions = tmp_path / "customers.csv", tmp_path / "interactions.csv"
    customers.write_text(CUSTOMERS, encoding="utf-8")
    interactions.write_text(INTERACTIONS, encoding="utf-8")
    assert relate("init", "--name", "Corner Bakery", "--zone", "Europe/Berlin").exit_code == 0
    assert relate("import", "customers", customers).exit_code == 0
    settings = tmp_path / "shop" / "relationship.toml"
    told = settings.read_text(encoding="utf-8").replace("Write your postal address here, ", "")
    settings.write_text(told + '\n[consent]\nwithout = ["email"]\n', encoding="utf-8")
    columns = ("--column", "customer=who", "--column", "at=when", "--source", "till", "--zone", "Europe/Berlin")
    assert relate("import", "interactions", interactions, *columns).exit_code == 0
    return tmp_path / "shop"


@pytest.fixture
def run(shop: Path, relate: Relate) -> Path:
    """The same after one run."""
    assert relate("run", *AS_OF).exit_code == 0
    return shop


def document(result: Result, exit_code: int = 0) -> Any:
    """The one document that a command printed, and nothing else."""
    assert result.exit_code == exit_code, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def lines(result: Result) -> str:
    """What a command printed, each run of white space as one space."""
    assert result.exit_code == 0, result.output
    return re.sub(r"\s+", " ", result.stdout)


def test_init_makes_a_project_that_the_doctor_finds_well(tmp_path: Path, relate: Relate) -> None:
    made = relate("init", "--name", 'Ben\'s "Best"', "--currency", "JPY")
    assert "What to do next" in made.stdout
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == ["campaigns", "outbox", "relationship.toml"]
    assert document(relate("doctor", "--json"))["ok"]


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        (["relate", "{venv}/bin/relate"], "{venv}/bin/relate"),
        (["python", ".venv/bin/relate"], ".venv/bin/relate"),
        (["python", "{here}/.venv/bin/relate"], ".venv/bin/relate"),
        (["python", "{here}/my tools/relate"], "'my tools/relate'"),
        (["python3", "-m", "relationship_core"], "python3 -m relationship_core"),
        ([".venv/bin/python", "-m", "relationship_core"], ".venv/bin/python -m relationship_core"),
        (["python", "{path}/relate"], "relate"),
        (["python", "embedder.py"], "relate"),
    ],
)
def test_init_names_the_next_steps_as_it_was_called(
    tmp_path: Path, relate: Relate, monkeypatch: pytest.MonkeyPatch, called: list[str], shown: str
) -> None:
    here, found = tmp_path / "here", tmp_path / "found"
    here.mkdir()
    found.mkdir()
    (found / "relate").write_text("#!/bin/sh\n")
    (found / "relate").chmod(0o755)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", str(found))
    places = {"{here}": str(here), "{path}": str(found), "{venv}": "/opt/venv"}
    for place, path in places.items():
        called = [word.replace(place, path) for word in called]
        shown = shown.replace(place, path)
    monkeypatch.setattr("sys.orig_argv", called)
    program = str(here / "relationship_core" / "__main__.py") if "-m" in called else called[1]
    monkeypatch.setattr("sys.argv", [program, "init"])
    told = relate("init")
    assert f"\n  {shown} --project {tmp_path / 'shop'} run " in told.stdout
    steps = told.stdout.partition("campaigns/*.toml\n")[2].splitlines()
    assert len({step.rindex("  ") for step in steps[:3]}) == 1, "what they do stands in one column"


def test_init_never_overwrites(run: Path, relate: Relate) -> None:
    before = (run / "relationship.toml").read_bytes()
    again = relate("init")
    assert again.exit_code == 1
    assert "exists" in again.stderr
    assert (run / "relationship.toml").read_bytes() == before


def test_init_finishes_what_was_begun_and_keeps_what_is_there(tmp_path: Path, relate: Relate) -> None:
    campaign = tmp_path / "shop" / "campaigns" / "thank-you.toml"
    campaign.parent.mkdir(parents=True)
    campaign.write_text("# mine\n")
    assert document(relate("init", "--json"))["written"] == ["campaigns/we-miss-you.toml", "relationship.toml"]
    assert campaign.read_text() == "# mine\n"


@pytest.mark.usefixtures("shop")
def test_import_tells_what_was_new_repeated_and_rejected(tmp_path: Path, relate: Relate) -> None:
    file = tmp_path / "more.csv"
    file.write_text(
        "source,id,customer,kind,at,amount\n"
        "till,1,ada,order,2024-05-05T10:00:00+02:00,10.50\n"
        "till,9,ada,order,2024-05-06T10:00:00+02:00,10.50\n"
        "till,10,ada,ordr,2024-05-06T10:00:00+02:00,1\n"
    )
    told = relate("import", "interactions", file)
    assert told.exit_code == 1
    assert "1 new, 1 recorded before, 1 rejected" in told.stdout
    assert str(tmp_path / "more.csv.rejects.csv") in told.stdout
    again = document(relate("import", "interactions", file, "--json"), exit_code=1)
    assert again["already"]
    assert (again["new"], again["repeated"], again["rejected"]) == (1, 1, 1)
    assert Path(again["rejects"]).read_text().count("\n") == 2


@pytest.mark.usefixtures("shop")
def test_a_dry_run_says_what_would_be_and_keeps_nothing(relate: Relate) -> None:
    relate("review", *AS_OF)
    dry = document(relate("plan", "--dry-run", "--json", *AS_OF))
    assert {(each["campaign"], each["reason"]): each["engagements"] for each in dry["decisions"]} == {
        ("thank-you", "due"): 2,
        ("thank-you", "nothing_due"): 1,
        ("we-miss-you", "outranked"): 1,
    }
    assert document(relate("report", "--json"))["decisions"] == []
    assert "Nothing was kept." in relate("plan", "--dry-run", *AS_OF).stdout
    wet = document(relate("plan", "--json", *AS_OF))
    assert wet["decisions"] == dry["decisions"]
    assert (dry["unchanged"], wet["unchanged"]) == (0, 0)


@pytest.mark.usefixtures("run")
def test_a_plan_tells_what_is_new_and_counts_what_stands(relate: Relate, tmp_path: Path) -> None:
    relate("review", "--everybody", *AS_OF)
    dry = document(relate("plan", "--json", "--dry-run", *AS_OF))
    assert (dry["customers"], dry["decisions"], dry["unchanged"]) == (3, [], 4)
    told = lines(relate("plan", *AS_OF))
    assert "Nothing new was decided; 4 decisions stand as they were." in told
    assert "due" not in told
    (tmp_path / "more.csv").write_text(
        "source,id,customer,kind,at,amount\ntill,9,ben,order,2024-06-01T11:00:00Z,10.50\n"
    )
    assert relate("import", "interactions", tmp_path / "more.csv").exit_code == 0
    relate("review", "--everybody", *AS_OF)
    some = document(relate("plan", "--json", "--dry-run", *AS_OF))
    assert some["decisions"] == [
        {
            "campaign": "thank-you",
            "owner": "Customer care",
            "reason": "no_contact_point",
            "engagements": 1,
            "examples": ["ben"],
        }
    ]
    assert some["unchanged"] == 3
    assert "3 other decisions stand as they were." in lines(relate("plan", *AS_OF))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("step", ["plan", "plan --dry-run"])
def test_a_plan_before_the_first_review_is_refused(relate: Relate, step: str) -> None:
    told = relate(*step.split(), *AS_OF)
    assert told.exit_code == 1
    assert "cannot plan: nobody has been reviewed yet; run `relate review` first, or `relate run`" in told.stderr


@pytest.mark.parametrize("step", ["plan", "plan --dry-run"])
def test_a_plan_by_rules_that_nobody_was_reviewed_by_is_refused(run: Path, relate: Relate, step: str) -> None:
    campaign = run / "campaigns" / "thank-you.toml"
    campaign.write_text(campaign.read_text().replace("order_days >= 2", "order_days >= 1"))
    told = relate(*step.split(), *AS_OF)
    assert told.exit_code == 1
    assert "since the last review, campaigns or other rules have changed; run `relate review` first" in told.stderr
    assert document(relate("review", "--json", *AS_OF))["customers"] == 3
    told = relate(*step.split(), "--json", *AS_OF)
    assert {each["reason"] for each in document(told)["decisions"]} == {"no_contact_point"}


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("step", ["review", "plan", "plan --dry-run", "run"])
def test_a_step_before_the_last_review_is_refused(relate: Relate, step: str) -> None:
    before = document(relate("report", "--json"))
    told = relate(*step.split(), "--as-of", "2024-06-01T11:59:59Z")
    assert told.exit_code == 1
    name = step.split(maxsplit=1)[0]
    assert told.stderr == (
        f"Error: cannot {name} as of 2024-06-01T11:59:59+00:00: there was a review as of 2024-06-01T12:00:00+00:00; "
        f"{name} as of that instant or later\n"
    )
    assert document(relate("report", "--json")) == before | {"as_of": ANY}
    assert relate("run", *AS_OF).exit_code == 0, "at the same instant it goes on"


def test_a_run_delivers_and_a_second_one_repeats_nothing(run: Path, relate: Relate) -> None:
    files = sorted((run / "outbox" / "mail").iterdir())
    assert len(files) == 2
    again = document(relate("run", "--json", *AS_OF))
    assert not again["resumed"]
    assert (again["reviewed"]["transitions"], again["planned"]["planned"], again["delivered"]["accepted"]) == (0, 0, 0)
    assert sorted((run / "outbox" / "mail").iterdir()) == files


@pytest.mark.usefixtures("shop")
def test_the_steps_one_by_one_say_what_they_did(relate: Relate) -> None:
    assert "3 customers, 3 moves" in lines(relate("review", *AS_OF))
    assert "2 messages for the outbox" in lines(relate("plan", *AS_OF))
    assert "2 accepted" in lines(relate("deliver", *AS_OF))
    assert "nothing was waiting" in lines(relate("deliver", *AS_OF))
    assert "Folded 8 interactions of 3 customers" in lines(relate("rebuild"))


@pytest.mark.usefixtures("run")
def test_a_customer_is_shown_with_what_is_known_and_what_is_not(relate: Relate) -> None:
    card = lines(relate("customer", "ada", *AS_OF))
    assert "Ada Example ada" in card
    assert "ada@example.com" in card
    assert "client since 2024-06-01 14:00" in card
    assert "trust no evidence 0.00 needs promises kept" in card
    assert "history 4 interactions since 2024-05-05" in card
    assert "spent 39.75 EUR" not in card
    assert "spent 39.75 EUR" in lines(relate("customer", "ada", "--measures", *AS_OF))
    assert "prospect → client" in card
    assert "2024-05-26 10:00 order 9.25 EUR till" in card
    assert "thank-you mail: accepted" in card


@pytest.mark.usefixtures("run")
def test_a_score_without_evidence_is_no_number_in_the_document(relate: Relate) -> None:
    view = document(relate("customer", "ada", "--json", "--entries", "2", *AS_OF))
    scores = {score["name"]: score for score in view["scores"]}
    assert scores["trust"]["value"] is None
    assert scores["trust"]["confidence"] == 0
    assert scores["commitment"]["value"] > 0
    assert view["currency"] == "EUR"
    assert len(view["timeline"]) == 2
    assert datetime.fromisoformat(view["as_of"]) == datetime.fromisoformat(AS_OF[1])


@pytest.mark.usefixtures("run")
def test_names_are_no_markup_and_do_not_command_the_terminal(relate: Relate) -> None:
    shown = relate("customer", "ben", *AS_OF).stdout
    assert "\x1b" not in shown
    assert "Ben [bold]Exam\N{REPLACEMENT CHARACTER}[2Jple" in shown


@pytest.mark.usefixtures("run")
def test_explain_shows_the_conditions_with_their_values_and_the_decisions(relate: Relate) -> None:
    told = lines(relate("explain", "eve", *AS_OF))
    assert "✓ order_days >= 2 order_days = 2" in told
    assert "skipped for 2024-01-08: outranked. Another campaign" in told
    assert "(thank-you of Customer care: service goes before marketing)" in told
    one = lines(relate("explain", "ben", "we-miss-you", *AS_OF))
    assert "✕ order_days >= 2 order_days = 1" in one
    assert "no decision" in one
    assert "thank-you" not in one


@pytest.mark.usefixtures("run")
def test_explain_as_a_document(relate: Relate) -> None:
    (action,) = document(relate("explain", "ada", "thank-you", "--json", *AS_OF))["actions"]
    assert action["audience"] == [{"text": "stage >= 'customer'", "holds": True, "values": {"stage": "client"}}]
    (decision,) = action["decisions"]
    assert (decision["verdict"], decision["reason"], decision["occasion"]) == ("planned", "due", "once")
    assert [message["state"] for message in action["messages"]] == ["accepted"]


@pytest.mark.usefixtures("run")
def test_the_ladder_and_the_report_count(relate: Relate) -> None:
    ladder = document(relate("ladder", "--json"))
    assert ladder["stages"] == {"prospect": 0, "customer": 2, "client": 1} | dict.fromkeys(
        ("supporter", "advocate", "partner"), 0
    )
    report = document(relate("report", "--json"))
    assert report["ladder"] == ladder
    assert report["interactions"] == {"order": 7, "visit": 1}
    assert report["messages"] == [{"campaign": "thank-you", "channel": "mail", "state": "accepted", "messages": 2}]
    assert "prospect customer 2" in lines(relate("ladder"))
    assert "3 customers, 8 interactions" in lines(relate("report"))


LATER = ("--as-of", "2024-09-01T12:00:00Z")


@pytest.fixture
def twice(run: Path, relate: Relate) -> Path:
    """The same after a second run, three months later: Ada has lapsed, and both campaigns have written."""
    assert relate("run", *LATER).exit_code == 0
    return run


@pytest.mark.usefixtures("twice")
def test_the_ladder_as_of_an_earlier_instant(relate: Relate) -> None:
    now, then = document(relate("ladder", "--json")), document(relate("ladder", "--json", *AS_OF))
    assert now["stages"] | {"customer": 3, "client": 0} == now["stages"]
    assert then["stages"] | {"customer": 2, "client": 1} == then["stages"]
    assert (now["lapsed"], then["lapsed"]) == (3, None)
    assert list(then["by_month"]) == ["2024-06"]
    assert list(now["by_month"]) == ["2024-06", "2024-07", "2024-08", "2024-09"]
    assert sum(move["customers"] for move in then["movements"]) == 3
    before = document(relate("ladder", "--json", "--as-of", "2024-06-01T11:59:59Z"))
    assert before["stages"] | {"prospect": 3, "customer": 0, "client": 0} == before["stages"]
    assert (before["by_month"], before["movements"]) == ({}, [])
    assert document(relate("ladder", "--json", *LATER)) == now | {"as_of": LATER[1].replace("Z", "+00:00")}


@pytest.mark.usefixtures("twice")
def test_the_ladder_says_what_is_not_known_of_the_past(relate: Relate) -> None:
    told = lines(relate("ladder", *AS_OF))
    assert "Ladder b2c as of 2024-06-01 14:00" in told
    assert "Who had lapsed then is not kept." in told
    assert "Counted are the customers known today; since when they are known is not kept." in told
    assert "not kept" not in lines(relate("ladder"))
    assert "not kept" not in lines(relate("ladder", *LATER))


@pytest.mark.usefixtures("twice")
def test_the_report_as_of_an_earlier_instant(relate: Relate, tmp_path: Path) -> None:
    now = document(relate("report", "--json"))
    then = document(relate("report", "--json", "--as-of", "2024-05-12T08:00:00Z"))
    assert datetime.fromisoformat(then["as_of"]) == datetime.fromisoformat("2024-05-12T08:00:00Z")
    assert (now["interactions"], then["interactions"]) == ({"order": 7, "visit": 1}, {"order": 5, "visit": 1})
    assert (then["decisions"], then["messages"]) == (None, [])
    first = document(relate("report", "--json", *AS_OF))
    assert first["messages"] == [{"campaign": "thank-you", "channel": "mail", "state": "accepted", "messages": 2}]
    assert sum(each["messages"] for each in now["messages"]) > 2
    assert first["ladder"] == document(relate("ladder", "--json", *AS_OF))
    assert document(relate("report", "--json", *LATER))["decisions"] == now["decisions"]
    told = lines(relate("report", *AS_OF))
    assert "3 customers known today, 8 interactions until then" in told
    assert "What was decided until then is not kept: a decision is replaced by the next one." in told
    assert relate("report", "--html", tmp_path / "then.html", *AS_OF).exit_code == 0
    assert "is not kept" in (tmp_path / "then.html").read_text(encoding="utf-8")


def test_a_message_that_was_settled_later_was_waiting(run: Path, relate: Relate) -> None:
    with closing(sqlite3.connect(run / "relationships.db", isolation_level=None)) as database:
        database.execute("UPDATE messages SET settled_at = settled_at + 3600000000 WHERE customer = 'ada'")
    rows = document(relate("report", "--json", *AS_OF))["messages"]
    assert {row["state"]: row["messages"] for row in rows} == {"accepted": 1, "queued": 1}


@pytest.mark.usefixtures("run")
def test_the_report_is_a_page_of_its_own(relate: Relate, tmp_path: Path) -> None:
    assert relate("report", "--html", tmp_path / "report.html").exit_code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Corner Bakery</title>" in page
    assert "we-miss-you" in page
    assert not re.search(r"""(src|href)=|url\(|@import""", page)


def test_a_preview_fills_in_and_sends_nothing(run: Path, relate: Relate) -> None:
    assert "Hello Ada Example," in lines(relate("preview", "thank-you", "ada"))
    messages = document(relate("preview", "thank-you", "eve", "--json"))["messages"]
    assert [message["channel"] for message in messages] == ["mail", "texts"]
    assert messages[0]["address"] == "eve@example.com"
    assert len(list((run / "outbox" / "mail").iterdir())) == 2


@pytest.mark.usefixtures("shop")
def test_plugins_are_listed_with_or_without_a_project(relate: Relate) -> None:
    assert "folder, null" in lines(relate("plugins"))
    installed = document(relate("plugins", "--json"))["installed"]
    assert {"builtin.stores", "builtin.channels"} <= {plugin["name"] for plugin in installed}


def test_the_doctor_names_a_receiver_that_cannot_work(shop: Path, relate: Relate) -> None:
    settings = shop / "relationship.toml"
    settings.write_text(settings.read_text() + '\n[receivers.news]\nuse = "nowhere"\n')
    found = document(relate("doctor", "--json"), exit_code=1)
    (problem,) = [each for each in found["checks"] if not each["ok"]]
    assert problem["check"] == "receivers"
    assert "[receivers.news] use: there is no 'nowhere'" in problem["found"]


def test_the_doctor_names_a_message_that_failed_and_a_wrong_campaign(run: Path, relate: Relate) -> None:
    campaign = run / "campaigns" / "thank-you.toml"
    campaign.write_text(campaign.read_text().replace("order_days >= 2", "order_dais >= 2"))
    found = document(relate("doctor", "--json"), exit_code=1)
    problems = {each["check"]: each["found"] for each in found["checks"] if not each["ok"]}
    assert list(problems) == ["campaigns"]
    assert "order_days" in problems["campaigns"]
    told = relate("doctor")
    assert told.exit_code == 1
    assert "1 problem." in told.stdout


def test_a_message_that_cannot_be_filled_in_is_reported(shop: Path, relate: Relate) -> None:
    campaign = shop / "campaigns" / "thank-you.toml"
    campaign.write_text(campaign.read_text().replace("customer.name", "customer.nickname"))
    with (shop / "relationship.toml").open("a") as settings:
        settings.write('\n[attributes]\nnickname = "text"\n')
    delivered = relate("run", *AS_OF)
    assert delivered.exit_code == 1
    assert "2 failed" in delivered.stdout
    (told,) = [each for each in document(relate("doctor", "--json", *AS_OF))["checks"] if each["look"]]
    assert told["check"] == "messages"
    assert "nickname" in told["found"]
    assert told["customers"] == ["ada", "eve"]
    assert relate("preview", "thank-you", "ada").exit_code == 1


@pytest.mark.usefixtures("shop")
def test_a_time_without_a_zone_names_the_option(tmp_path: Path, relate: Relate) -> None:
    file = tmp_path / "more.csv"
    file.write_text("source,id,customer,kind,at\ntill,9,ada,order,2024-05-06T10:00:00\n")
    assert "--zone" in relate("import", "interactions", file).stdout
    file.write_text("source,id,customer,kind,at\ntill,9,ada,ordr,2024-05-06T10:00:00Z\n")
    told = relate("import", "interactions", file).stdout
    assert "1 rejected" in told
    assert "--zone" not in told


def test_a_deferred_message_says_why(shop: Path, relate: Relate) -> None:
    (shop / "outbox").rmdir()
    (shop / "outbox").write_text("I am a file.")
    told = relate("run", *AS_OF)
    assert "2 deferred" in told.stdout
    assert "2 of thank-you on mail: the folder cannot be written to: " in told.stdout


def settled(shop: Path, state: str, detail: str, *customers: str) -> None:
    """Let the messages of these customers have come to this."""
    with closing(sqlite3.connect(shop / "relationships.db", isolation_level=None)) as database:
        for customer in customers:
            database.execute("UPDATE messages SET state = ?, detail = ? WHERE customer = ?", (state, detail, customer))


@pytest.mark.parametrize("state", ["rejected", "failed", "unknown"])
def test_the_doctor_names_whose_messages_came_to_nothing_lately(run: Path, relate: Relate, state: str) -> None:
    settled(run, state, "no such mailbox", "ada")
    checks = document(relate("doctor", "--json", "--as-of", "2024-07-01T12:00:00Z"))["checks"]
    (told,) = [each for each in checks if each["look"]]
    assert (told["check"], told["ok"], told["customers"]) == ("messages", True, ["ada"])
    assert told["found"].startswith(f"1 {state} in the last 30 days: ")
    assert "no such mailbox" in told["found"]
    shown = relate("doctor", "--as-of", "2024-07-01T12:00:00Z")
    assert shown.exit_code == 0, "nothing has to be done now"
    assert "look  messages" in lines(shown).replace("look messages", "look  messages")
    assert "of ada; `relate explain ID` tells what happened" in lines(shown)
    assert "Nothing has to be done now; 1 thing to look at." in lines(shown)


@pytest.mark.parametrize("state", ["claimed", "attempting"])
def test_the_doctor_counts_what_a_delivery_is_at_or_has_left(run: Path, relate: Relate, state: str) -> None:
    settled(run, state, "", "ada")
    checks = document(relate("doctor", "--json", *AS_OF))["checks"]
    (told,) = [each for each in checks if each["check"] == "messages"]
    assert told["found"] == "1 that a delivery is at, or has left; `relate deliver` goes on"
    assert (told["ok"], told["look"]) == (True, True)
    assert "All is well." not in relate("doctor", *AS_OF).stdout


def looked_at(relate: Relate) -> list[str]:
    return [each["found"] for each in document(relate("doctor", "--json", *AS_OF))["checks"] if each["look"]]


def test_the_doctor_looks_at_the_postal_address_of_the_starter(tmp_path: Path, relate: Relate) -> None:
    assert relate("init", "--name", "Shop").exit_code == 0
    (told,) = looked_at(relate)
    assert "[project] postal_address is still the one of `relate init`" in told
    settings = tmp_path / "shop" / "relationship.toml"
    settings.write_text(settings.read_text().replace("Write your postal address here, ", ""))
    assert looked_at(relate) == []


@pytest.mark.parametrize(
    ("seed", "told"),
    [("ada@example.com", "is a suppressed address"), ("nowhere", "is not one address"), ("me@example.com", "")],
)
def test_the_doctor_looks_at_seeds_that_no_test_can_go_to(shop: Path, relate: Relate, seed: str, told: str) -> None:
    with (shop / "relationship.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[campaigns]\nseeds = {{ email = ["{seed}"] }}\n')
    with Relationships.open(shop) as project:
        at = datetime.fromisoformat(AS_OF[1])
        held = Suppression(medium="email", address="ada@example.com", scope="marketing", reason="complaint", at=at)
        project.permissions.suppress([held])
    found = looked_at(relate)
    assert [told in each and seed not in each for each in found] == ([True] if told else [])


def test_the_doctor_sums_up_what_is_long_past(run: Path, relate: Relate) -> None:
    settled(run, "rejected", "no such mailbox", "ada")
    settled(run, "failed", "no name", "eve")
    later = ("--as-of", "2024-07-01T12:00:01Z")
    checks = document(relate("doctor", "--json", *later))["checks"]
    assert not any(each["look"] for each in checks)
    (told,) = [each["found"] for each in checks if "older than" in each["found"]]
    assert told == "older than 30 days: 1 failed, 1 rejected"
    assert "All is well." in relate("doctor", *later).stdout
    assert "older than 30 days" in lines(relate("doctor")), "by the clock, where no instant is given"


def test_the_doctor_names_ten_customers_and_counts_the_rest(shop: Path, relate: Relate, tmp_path: Path) -> None:
    ids = [f"c{number:02}" for number in range(13)]
    (tmp_path / "many.csv").write_text(
        "customer,name,contact.email\n" + "".join(f"{each},Max,{each}@example.com\n" for each in ids)
    )
    (tmp_path / "orders.csv").write_text(
        "source,id,customer,kind,at,amount\n"
        + "".join(f"till,{each}{day},{each},order,2024-05-0{day}T10:00:00Z,9\n" for each in ids for day in (1, 8))
    )
    assert relate("import", "customers", tmp_path / "many.csv").exit_code == 0
    assert relate("import", "interactions", tmp_path / "orders.csv").exit_code == 0
    assert relate("run", *AS_OF).exit_code == 0
    settled(shop, "rejected", "no such mailbox", *ids)
    (told,) = [each for each in document(relate("doctor", "--json", *AS_OF))["checks"] if each["look"]]
    assert told["customers"] == ids[:10]
    assert "of c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 3 more;" in told["found"]


@pytest.mark.parametrize("campaign", ["thank-you", "we-miss-you"])
def test_the_example_campaigns_greet_somebody_without_a_name(
    shop: Path, relate: Relate, tmp_path: Path, campaign: str
) -> None:
    (tmp_path / "nameless.csv").write_text("customer,contact.email\nnil,nil@example.com\n")
    assert relate("import", "customers", tmp_path / "nameless.csv").exit_code == 0
    path = shop / "campaigns" / f"{campaign}.toml"
    path.write_text(re.sub(r"\{\{ facts[^}]*\}\}", "9", path.read_text()))
    assert "Hello there," in lines(relate("preview", campaign, "nil"))


def documented_keys() -> dict[str, list[str]]:
    """The keys of each command's document, as the reference lists them; what they hold stands in parentheses."""
    found = {}
    for section in REFERENCE.read_text(encoding="utf-8").split("\n## relate ")[1:]:
        if "COMMAND [ARGS]" in section:  # a group prints nothing of its own
            continue
        line = next(line for line in section.splitlines() if line.startswith("Keys with `--json`: "))
        found[section.split("\n")[0]] = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line.partition(":")[2]))
    return found


def saved_click(shop: Path, folder: Path) -> Path:
    """The request of a click on a link in a message that nobody has any more."""
    with closing(sqlite3.connect(shop / "relationships.db")) as database:
        ((salt,),) = database.execute("SELECT value FROM facts WHERE name = 'salt'")
    # `relate` reads the real clock, by which the link must not have expired.
    token = sign_token("unsubscribe", "0" * 32, secrets=(salt,), now=datetime.now(UTC))
    (folder / "click.http").write_text(f"POST /u/{token} HTTP/1.1\nHost: shop.example.com\n\n")
    return folder / "click.http"


PROOF = ("--medium", "email", "--method", "form", "--source", "shop", "--wording", "Yes, write to me.")


def given_work(shop: Path) -> list[tuple[str]]:
    """Let each message have been work for somebody; what to show, to say done, and to cancel."""
    with closing(sqlite3.connect(shop / "relationships.db", isolation_level=None)) as database:
        database.execute(
            "INSERT INTO tasks SELECT customer, id, campaign, action, occasion, 'Zoe', 'Call', '', settled_at, "
            "settled_at, 'open', '', '', '', NULL FROM messages"
        )
        first, second, *_ = [str(id) for (id,) in database.execute("SELECT id FROM tasks ORDER BY id")]
    return [(first,), (first,), (second,)]


def test_every_document_has_the_keys_of_the_reference(run: Path, relate: Relate, tmp_path: Path) -> None:
    arguments = {
        "import": ("customers", tmp_path / "customers.csv"),
        "customer": ("ada", *AS_OF),
        "explain": ("ada", *AS_OF),
        "preview": ("thank-you",),
        "run": AS_OF,
        "review": AS_OF,
        "plan": AS_OF,
        "deliver": AS_OF,
        "identity merge": ("ben", "--into", "ada"),
        "identity link": ("ada-in-the-shop", "--to", "ada"),
        "identity unmerge": ("ben",),
        "identity show": ("ada",),
        "account link": ("firm", "ada"),
        "account unlink": ("firm", "ada"),
        "account show": ("firm",),
        "consent show": ("ada",),
        "consent proof": ("ada",),
        "consent grant": ("ada", *PROOF),
        "consent confirm": ("ada", *PROOF),
        "consent withdraw": ("ada",),
        "consent object": ("ada",),
        "consent prefer": ("ada", "close"),
        "consent suppress": ("email", "ada@example.com"),
        "consent import": (tmp_path / "consents.csv",),
        **{f"campaign {act}": ("thank-you",) for act in ("show", "pause", "archive", "draft")},
        **{f"campaign {act}": ("we-miss-you",) for act in ("approve", "activate")},
        "campaign test": ("thank-you", "--customer", "ada"),
        "campaign add": ("presence",),
        "export": ("ada",),
        "forget": ("firm", "--yes"),
        "receive": ("links", saved_click(run, tmp_path)),
        "plugin new": ("pigeon", "--kind", "channel", "--folder", tmp_path / "pigeon"),
        "copy": ("--to", tmp_path / "other"),
        **dict(zip((f"tasks {act}" for act in ("show", "done", "cancel")), given_work(run), strict=True)),
    }
    for act in ("archive", "draft"):
        relate("campaign", act, "we-miss-you")
    seeds = '\n[campaigns.seeds]\nemail = ["me@example.com"]\n'
    (run / "relationship.toml").write_text((run / "relationship.toml").read_text() + seeds)
    (tmp_path / "firm.csv").write_text("customer\nfirm\n")
    relate("import", "customers", tmp_path / "firm.csv")
    (tmp_path / "consents.csv").write_text("customer,act,at\nada,withdraw,2025-01-01T00:00:00Z\n")
    relate("--project", str(tmp_path / "other"), "init", "--name", "Corner Bakery", "--zone", "Europe/Berlin")
    documented = documented_keys()
    del documented["plugins check"]  # takes a plugin with tests: test_cli_plugins.py compares it
    (run / "relationship.toml").rename(run / "kept.toml")
    found = {"init": list(document(relate("init", "--json")))}
    (run / "kept.toml").rename(run / "relationship.toml")
    for command in documented:
        if command != "init":
            found[command] = list(document(relate(*command.split(), "--json", *arguments.get(command, ()))))
    assert found == documented
