"""Test messages of campaigns: they go to addresses of our own, and are no contact with any customer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from relationship_core import (
    ALIASES,
    CAMPAIGN_ACTS,
    CAMPAIGNS,
    FACTS,
    TABLES,
    Action,
    Campaign,
    CampaignSettings,
    Cap,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    Message,
    Occasion,
    Provider,
    Receipt,
    RejectedError,
    Relationships,
    Suppression,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
SEEDS = {"email": ["first@example.com", "second@example.com"], "sms": ["+1 202 555 0100"]}
EMAIL = Variant(channel="email", subject="Hello {{ customer.name }}", text="Dear {{ customer.name }}", html="<p>x</p>")
SMS = Variant(channel="sms", text="Hi {{ customer.name }}")
POST = Variant(channel="post", text="Dear {{ customer.name }}")


class Media:
    """A plugin with a channel for each medium, which remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Message]] = []
        self.answer: Callable[[Message], Receipt] = lambda each: Receipt(message=each.id, state="accepted")

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Any], ...]:
        def made(medium: str) -> Callable[[object], Channel]:
            return lambda _: Told(medium, self)

        return tuple(
            Provider(
                name=f"told-{medium}",
                factory=made(medium),
                settings=NullSettings,
                summary="Told.",
                capabilities={"html"},
            )
            for medium in ("email", "sms", "post")
        )


class Told:
    def __init__(self, medium: str, media: Media) -> None:
        self.medium, self._media = medium, media

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self._media.given += [(self.medium, each) for each in messages]
        return [self._media.answer(each) for each in messages]

    def close(self) -> None:
        pass


@pytest.fixture
def media() -> Media:
    return Media()


@pytest.fixture
def shop(make_project: Open, make_customer: Know, media: Media) -> Callable[..., Relationships]:
    """A project with the campaigns, five customers, and channels for e-mail, SMS and post."""

    def make(*campaigns: Campaign, seeds: Any = None, approval: bool = False, **more: Any) -> Relationships:
        given = SEEDS if seeds is None else seeds
        project = make_project(
            *campaigns,
            plugins=[media],
            channels={medium: Choice(use=f"told-{medium}") for medium in ("email", "sms", "post")},
            campaigns=CampaignSettings(approval=approval, seeds=given),
            clock=lambda: START,
            **more,
        )
        project.record_customers(make_customer(id) for id in ("ada", "bob", "cyd", "dan", "eve"))
        return project

    return make


def test_each_variant_goes_to_each_seed_of_its_medium_and_to_no_customer(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=(EMAIL, SMS, POST)))
    done = project.campaign_life.test("spring", customers=["bob"], actor="sue", reason="look at it")
    assert (done.customers, dict(done.messages), done.without_seeds) == (("bob",), {"accepted": 3}, ("post",))
    assert [(medium, each.address) for medium, each in media.given] == [
        ("email", "first@example.com"),
        ("email", "second@example.com"),
        ("sms", "+1 202 555 0100"),
    ]
    first, second, third = (each for _, each in media.given)
    assert (first.subject, first.text, first.html) == ("[Test] Hello Bob", "Dear Bob", "<p>x</p>")
    assert (third.subject, third.text) == ("", "[Test] Hi Bob"), "where there is no subject, the text says it"
    assert {each.recipient for each in (first, second, third)} == {""}, "nobody is addressed by name"
    assert len({each.id for each in (first, second, third)}) == 3


def test_without_names_it_is_filled_in_for_the_first_three_of_the_audience(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", audience="customer <> 'ada'", variants=[SMS]), page_size=2)
    done = project.campaign_life.test("spring", actor="sue")
    assert done.customers == ("bob", "cyd", "dan")
    assert [each.text for _, each in media.given] == ["[Test] Hi Bob", "[Test] Hi Cyd", "[Test] Hi Dan"]
    nobody = shop(make_campaign("spring", audience="orders > 5", variants=[SMS]))
    with pytest.raises(RejectedError, match="nobody is in the audience of the campaign 'spring'"):
        nobody.campaign_life.test("spring", actor="sue")
    assert nobody.campaign_life.test("spring", customers=["eve", "eve"], actor="sue").customers == ("eve",)


def test_one_action_alone(shop: Callable[..., Relationships], make_campaign: Plan, media: Media) -> None:
    occasion = Occasion(name="any")
    actions = [
        Action(name="first", occasion=occasion, variants=[EMAIL]),
        Action(name="second", occasion=occasion, variants=[SMS]),
    ]
    project = shop(make_campaign("spring", actions=actions))
    done = project.campaign_life.test("spring", customers=["ada"], action="second", actor="sue")
    assert (dict(done.messages), done.without_seeds) == ({"accepted": 1}, ())
    assert [medium for medium, _ in media.given] == ["sms"]
    with pytest.raises(ConfigurationError, match="'spring' has no action 'secnd'; did you mean 'second'"):
        project.campaign_life.test("spring", action="secnd", actor="sue")
    with pytest.raises(ConfigurationError, match="has no action 'x'; there are first, second"):
        project.campaign_life.test("spring", action="x", actor="sue")


@pytest.mark.parametrize("state", ["draft", "approved", "active", "paused", "archived"])
def test_a_test_is_sent_in_every_state_and_changes_none(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media, state: str
) -> None:
    project = shop(make_campaign("spring", variants=[SMS]), approval=True)
    life = project.campaign_life
    ways: dict[str, list[Callable[..., object]]] = {
        "draft": [],
        "approved": [life.approve],
        "active": [life.approve, life.activate],
        "paused": [life.approve, life.activate, life.pause],
        "archived": [life.archive],
    }
    for move in ways[state]:
        move("spring", actor="sue")
    may = life.show("spring").may
    done = life.test("spring", customers=["ada"], actor="tom")
    assert (done.act.state, life.show("spring").state, life.show("spring").may) == (state, state, may)
    assert len(media.given) == 1


def test_nothing_of_a_test_is_in_outbox_ledger_or_caps(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    ask = make_campaign("ask", nature="ask", variants=[EMAIL], holdout=0.0)
    caps = {"one": Cap(count=1, days=30)}
    project = shop(ask, caps=caps)
    project.review(as_of=START)
    before = {table.name: project.store.read(table) for table in TABLES}
    project.campaign_life.test("ask", customers=["ada", "bob"], actor="sue")
    changed = {table.name for table in TABLES if not project.store.read(table).equals(before[table.name])}
    assert changed - {FACTS.name} == {CAMPAIGN_ACTS.name, CAMPAIGNS.name}
    explained = project.explain("ada", as_of=START)
    assert explained.ledger is not None
    assert (explained.ledger.asks, explained.ledger.balance) == (0, 1.0)
    assert project.plan(as_of=START).planned == 5
    ids = {each.id for _, each in media.given}
    project.deliver(as_of=START)
    assert not ids & {each.id for _, each in media.given[len(ids) :]}
    assert {each.address for _, each in media.given[len(ids) :]} == {
        f"{id}@example.com" for id in ("ada", "bob", "cyd", "dan", "eve")
    }


def test_the_act_is_kept_with_version_and_numbers_and_no_address(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=(EMAIL, SMS)))
    media.answer = lambda each: Receipt(
        message=each.id, state="rejected" if each.address.startswith("second") else "accepted", detail="no such box"
    )
    done = project.campaign_life.test("spring", customers=["ada", "bob"], actor="sue", reason="look")
    assert (dict(done.messages), done.details) == ({"accepted": 4, "rejected": 2}, ("no such box",))
    (act,) = project.campaign_life.show("spring").acts
    assert act == done.act
    assert (act.act, act.state, act.version, act.actor) == ("test", "active", done.version, "sue")
    assert act.reason == "look"
    assert act.detail == "2 by email accepted, 2 by email rejected, 2 by sms accepted"
    assert "example.com" not in repr(project.store.read(CAMPAIGN_ACTS).rows())
    view = project.campaign_life.show("spring")
    assert (view.since, view.actor) == (None, ""), "a test is no move"


def test_a_channel_that_fails_is_told_and_one_that_is_broken_off_is_kept(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=[EMAIL]))

    def fail(_: Message) -> Receipt:
        error = "the line went dead"
        raise OSError(error)

    media.answer = fail
    done = project.campaign_life.test("spring", customers=["ada"], actor="sue")
    assert (dict(done.messages), done.details) == ({"unknown": 2}, ("the channel failed with OSError",))

    def interrupt(each: Message) -> Receipt:
        if each.address.startswith("second"):
            raise KeyboardInterrupt
        return Receipt(message=each.id, state="accepted")

    media.answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        project.campaign_life.test("spring", customers=["ada"], actor="sue")
    assert project.campaign_life.show("spring").acts[-1].detail == "1 by email accepted, 1 not sent"


def test_a_template_that_names_what_nobody_knows_stops_it_before_anything_goes(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    bad = Variant(channel="email", subject="x", text="{{ facts.last_order_on }}")
    project = shop(make_campaign("spring", variants=[SMS, bad]))
    with pytest.raises(ConfigurationError, match=r"campaign 'spring', action 'write', channel 'email'"):
        project.campaign_life.test("spring", customers=["ada"], actor="sue")
    assert media.given == []
    assert project.store.read(CAMPAIGN_ACTS).is_empty()


@pytest.mark.parametrize("scope", ["all", "marketing", "topic:news", "topic:other"])
@pytest.mark.parametrize("purpose", ["service", "marketing"])
def test_a_suppressed_seed_is_refused_before_anything_goes(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media, scope: str, purpose: str
) -> None:
    project = shop(make_campaign("spring", variants=(SMS, EMAIL), purpose=purpose, topic="news"))
    held = Suppression(medium="email", address="Second@EXAMPLE.com", scope=scope, reason="complaint", at=START)
    project.permissions.suppress([held])
    if scope == "all" or (purpose == "marketing" and scope != "topic:other"):
        with pytest.raises(RejectedError, match=r"seeds email\[2\] is a suppressed address") as refused:
            project.campaign_life.test("spring", customers=["ada"], actor="sue")
        assert "example" not in str(refused.value).lower()
        assert media.given == []
        assert project.store.read(CAMPAIGN_ACTS).is_empty()
        project.permissions.unsuppress("email", "second@example.com", actor="sue")
    assert dict(project.campaign_life.test("spring", customers=["ada"], actor="sue").messages) == {"accepted": 3}


def test_a_telephone_number_is_suppressed_however_it_is_written(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=[SMS]))
    held = Suppression(medium="sms", address="+1 (202) 555-0100", scope="all", reason="stop", at=START)
    project.permissions.suppress([held])
    with pytest.raises(RejectedError, match=r"seeds sms\[1\]"):
        project.campaign_life.test("spring", customers=["ada"], actor="sue")
    assert media.given == []


def test_a_campaign_without_seeds_is_told_where_to_put_them(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=(POST, SMS)), seeds={"email": ["first@example.com"], "sms": []})
    with pytest.raises(ConfigurationError, match=r"\[campaigns\] seeds, under post or sms"):
        project.campaign_life.test("spring", customers=["ada"], actor="sue")
    wrong = shop(make_campaign("spring", variants=[EMAIL]), seeds={"email": ["first@example.com", "no address"]})
    with pytest.raises(ConfigurationError, match=r"seeds email\[2\]: the email address is not one address"):
        wrong.campaign_life.test("spring", customers=["ada"], actor="sue")
    assert media.given == []


def test_a_campaign_of_tasks_alone_is_told_of_the_preview(make_project: Open, make_campaign: Plan) -> None:
    work = {"work": Choice(use="task")}
    campaign = make_campaign("care", variants=[Variant(channel="work", subject="Call", text="Call.")])
    with (
        make_project(campaign, channels=work) as project,
        pytest.raises(ConfigurationError, match=r"gives tasks alone: .* `relate preview care` shows it"),
    ):
        project.campaign_life.test("care", actor="sue")


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        ({"email": "first@example.com"}, "seeds must be a list of texts"),
        ({"email": [1]}, "number 1 is an int"),
        ({"email": ["a@example.com", " b@example.com"]}, r"seeds email\[2\] must be an address without white space"),
        ({"email": [""]}, r"seeds email\[1\] must be an address"),
        ({"email": ["a@example.com", "a@example.com"]}, r"seeds email\[2\] is there twice"),
        (["a@example.com"], "seeds must be a table of lists"),
    ],
)
def test_seeds_that_are_no_addresses_are_refused(seeds: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        CampaignSettings(seeds=seeds)


def test_seeds_of_a_medium_that_nobody_knows_are_refused_when_the_project_opens(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    with pytest.raises(ConfigurationError, match=r"\[campaigns\] seeds: the medium 'emial' is unknown; did you mean"):
        shop(make_campaign("spring", variants=[EMAIL]), seeds={"emial": ["first@example.com"]})


def test_seeds_are_in_no_repr(shop: Callable[..., Relationships], make_campaign: Plan) -> None:
    project = shop(make_campaign("spring", variants=[EMAIL]))
    assert "first@example.com" not in repr(project.settings)


def test_nobody_or_somebody_unknown(shop: Callable[..., Relationships], make_campaign: Plan, media: Media) -> None:
    project = shop(make_campaign("spring", variants=[EMAIL]))
    with pytest.raises(RejectedError, match="name whoever decides it"):
        project.campaign_life.test("spring", actor="")
    with pytest.raises(RejectedError, match="there is no customer 'zoe'"):
        project.campaign_life.test("spring", customers=["ada", "zoe"], actor="sue")
    with pytest.raises(ConfigurationError, match="customers must be a list"):
        project.campaign_life.test("spring", customers="ada", actor="sue")
    with pytest.raises(ConfigurationError, match="no campaign 'sprang'; did you mean 'spring'"):
        project.campaign_life.test("sprang", actor="sue")
    assert media.given == []


def test_a_merged_customer_is_filled_in_as_the_survivor(
    shop: Callable[..., Relationships], make_campaign: Plan, media: Media
) -> None:
    project = shop(make_campaign("spring", variants=[SMS]))
    project.identities.merge("bob", into="ada")
    assert project.store.read(ALIASES).height == 1
    done = project.campaign_life.test("spring", customers=["bob", "ada"], actor="sue")
    assert done.customers == ("ada",)
    assert [each.text for _, each in media.given] == ["[Test] Hi Ada"]


# The command line


@pytest.fixture
def bakery(relate: Relate, tmp_path: Path) -> Relate:
    """A project of `relate init` with two customers, seeds, and commands that must succeed."""

    def run(*arguments: object, status: int = 0) -> Result:
        done = relate(*arguments)
        assert done.exit_code == status, done.output
        return done

    run("init", "--name", "Shop")
    settings = tmp_path / "shop" / "relationship.toml"
    more = '\n[campaigns]\napproval = true\nseeds = { email = ["me@example.com"] }\n'
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
    people = tmp_path / "people.csv"
    people.write_text("customer,name,contact.email\nada,Ada,ada@example.com\nbob,Bob,bob@example.com\n")
    run("import", "customers", people)
    return run


def document(done: Result) -> Any:
    return json.loads(done.stdout)


def test_a_life_on_the_command_line(bakery: Relate) -> None:
    listed = document(bakery("campaign", "list", "--json"))["campaigns"]
    assert {each["state"] for each in listed} == {"draft"}
    assert set(listed[0]) == {
        *("campaign", "owner", "state", "version", "approved", "since", "actor", "reason", "waiting", "accepted"),
        *("may", "is_gone"),
    }
    refused = bakery("campaign", "activate", "thank-you", "--actor", "sue", status=1)
    assert "approval asks for an approval first; it may be approved or archived" in refused.stderr
    version = listed[0]["version"]
    assert "abc" in bakery("campaign", "approve", "thank-you", "--version", "abc", status=1).stderr
    told = bakery("campaign", "approve", "thank-you", "--actor", "sue", "--reason", "read it", "--version", version)
    assert told.stdout == f"thank-you is approved (version {version}).\n"
    act = document(bakery("campaign", "activate", "thank-you", "--actor", "tom", "--json"))["act"]
    assert (act["act"], act["state"], act["actor"]) == ("activate", "active", "tom")
    shown = bakery("campaign", "show", "thank-you").stdout
    for words in ("active", "sue", "read it", "tom", version, "relate campaign pause thank-you"):
        assert words in shown
    assert "thank-you   active" in bakery("campaign", "list").stdout
    whole = document(bakery("campaign", "show", "thank-you", "--json"))
    assert [each["act"] for each in whole["acts"]] == ["approve", "activate"]
    assert [each["approved"] for each in whole["versions"]] == [True]
    for act, state in (("pause", "paused"), ("archive", "archived"), ("draft", "draft")):
        assert document(bakery("campaign", act, "thank-you", "--actor", "sue", "--json"))["act"]["state"] == state


def test_plan_and_deliver_tell_what_they_leave_out(bakery: Relate) -> None:
    bakery("review")
    assert "The campaign thank-you was left out: it is a draft" in bakery("plan").stdout
    assert document(bakery("plan", "--json"))["inactive"] == {"thank-you": "draft", "we-miss-you": "draft"}
    delivered = document(bakery("deliver", "--json"))
    assert (delivered["inactive"], delivered["unapproved"]) == ({}, {})


def test_a_test_on_the_command_line(bakery: Relate, tmp_path: Path) -> None:
    arguments = ("campaign", "test", "thank-you", "--actor", "sue", "--customer", "ada")
    told = bakery(*arguments).stdout
    assert "filled in for 1 customer: 1 accepted." in told
    assert "None by sms: [campaigns] seeds has no address for it." in told
    done = document(bakery(*arguments, "--customer", "bob", "--json"))
    assert (done["customers"], done["messages"], done["without_seeds"]) == (["ada", "bob"], {"accepted": 2}, ["sms"])
    files = list((tmp_path / "shop" / "outbox").rglob("test-*.eml"))
    assert len(files) == 3
    assert all(b"To: me@example.com" in path.read_bytes() for path in files)
    assert all(b"Subject: [Test] " in path.read_bytes() for path in files)
    outbox = tmp_path / "shop" / "outbox"
    for path in sorted(outbox.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    outbox.rmdir()
    outbox.write_text("no folder")
    failed = bakery(*arguments, status=1)
    assert "deferred" in failed.stdout
