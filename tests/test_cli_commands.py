"""``relate`` on a small project, from `init` to `report`: what it says, and its documents."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

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
    assert "trust no evidence 0.00 promises_kept, promises_broken" in card
    assert "spent 39.75 EUR" in card
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
    assert "(thank-you)" in told
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
    (problem,) = [each for each in document(relate("doctor", "--json"), 1)["checks"] if not each["ok"]]
    assert problem["check"] == "messages"
    assert "nickname" in problem["found"]
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


def test_the_doctor_lists_messages_that_were_rejected(run: Path, relate: Relate) -> None:
    with closing(sqlite3.connect(run / "relationships.db", isolation_level=None)) as database:
        database.execute("UPDATE messages SET state = 'rejected', detail = 'no such mailbox' WHERE customer = 'ada'")
    (problem,) = [each for each in document(relate("doctor", "--json"), 1)["checks"] if not each["ok"]]
    assert problem["check"] == "messages"
    assert problem["found"].startswith("1 rejected: ")
    assert "no such mailbox" in problem["found"]


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
    """The keys of each command's document, as the reference lists them."""
    found = {}
    for section in REFERENCE.read_text(encoding="utf-8").split("\n## relate ")[1:]:
        line = next(line for line in section.splitlines() if line.startswith("Keys with `--json`: "))
        found[section.split("\n")[0]] = re.findall(r"`(\w+)`", line.partition(":")[2])
    return found


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
    }
    documented = documented_keys()
    (run / "relationship.toml").rename(run / "kept.toml")
    found = {"init": list(document(relate("init", "--json")))}
    (run / "kept.toml").rename(run / "relationship.toml")
    for command in documented.keys() - {"init"}:
        found[command] = list(document(relate(command, "--json", *arguments.get(command, ()))))
    assert found == documented
