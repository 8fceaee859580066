"""Accounts: firms whose history is that of their contacts beside their own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relationship_core import (
    CONTACTS,
    STATES,
    Campaign,
    Choice,
    ConfigurationError,
    Customer,
    Interaction,
    Ladder,
    LadderSettings,
    ProjectSettings,
    RejectedError,
    Relationships,
    Settings,
    Stage,
    hookimpl,
    load_plugins,
)

Make = Callable[..., Interaction]
Open = Callable[..., Relationships]
Know = Callable[..., Customer]
Plan = Callable[..., Campaign]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def firm(make_project: Open, make_interaction: Make) -> Relationships:
    """A project with a firm of one order, and two people of one order each."""
    project = make_project()
    project.record([make_interaction(who, "order", START, minor=100) for who in ("acme", "ann", "bob")])
    return project


def orders(project: Relationships, who: str = "acme") -> object:
    return project.customer(who).measures.get("orders")


# Links


def test_a_contacts_history_counts_for_the_account_beside_its_own(firm: Relationships, make_interaction: Make) -> None:
    firm.accounts.link("acme", "ann", role="buyer")
    assert orders(firm) == 2.0
    firm.record([make_interaction("ann", "order", START + days(1), minor=50)])
    assert (orders(firm), orders(firm, "ann"), orders(firm, "bob")) == (3.0, 2.0, 1.0)
    seen = firm.customer("acme")
    assert (seen.interactions, seen.measures["spent"]) == (3, 250.0)
    assert {entry.at for entry in seen.timeline} == {START, START + days(1)}

    firm.accounts.unlink("acme", "ann", mistaken=True)
    assert orders(firm) == 1.0


def test_history_counts_from_the_day_of_the_link_until_its_end(firm: Relationships, make_interaction: Make) -> None:
    firm.accounts.link("acme", "ann", since=START + days(10))
    assert orders(firm) == 1.0
    firm.record([make_interaction("ann", "order", START + days(day), minor=1) for day in (9, 10, 19, 20)])
    assert orders(firm) == 4.0
    (ended,) = firm.accounts.unlink("acme", "ann", until=START + days(20))
    assert (ended.since, ended.until) == (START + days(10), START + days(20))
    assert orders(firm) == 3.0, "what they did as a contact stays with the account"
    firm.record([make_interaction("ann", "order", START + days(30), minor=1)])
    assert orders(firm) == 3.0
    firm.accounts.link("acme", "ann", role="boss", since=START)
    assert orders(firm) == 7.0, "a link may be told anew"


def test_who_belongs_to_whom_is_shown_from_both_sides(firm: Relationships) -> None:
    firm.accounts.link("acme", "ann", role="buyer", since=START)
    firm.accounts.link("acme", "bob")
    seen = firm.accounts.show("acme")
    assert [(each.customer, each.role, each.since) for each in seen.contacts] == [
        ("ann", "buyer", START),
        ("bob", "", None),
    ]
    assert [each.account for each in firm.accounts.show("bob").accounts] == ["acme"]
    assert firm.accounts.show("bob").contacts == ()


def test_a_link_marks_the_account_for_review_and_rebuild_folds_the_same(firm: Relationships) -> None:
    firm.review(as_of=START)
    firm.accounts.link("acme", "ann")
    assert firm.store.marked("review") == 1
    before = firm.customer("acme").measures
    firm.rebuild()
    assert firm.customer("acme").measures == before


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda all: all.link("nobody", "ann"), "there is no customer 'nobody'"),
        (lambda all: all.link("acme", "nobody"), "there is no customer 'nobody'"),
        (lambda all: all.link("acme", "acme"), "no contact of itself"),
        (lambda all: all.link("bob", "acme"), "the contact is an account itself"),
        (lambda all: all.link("ann", "bob"), "the account is a contact of another account"),
        (lambda all: all.link("acme", "bob", since=NOW + days(2)), "the time is not between"),
        (lambda all: all.unlink("acme", "bob"), "'bob' is no contact of 'acme'"),
        (lambda all: all.unlink("acme", "ann", until=START - days(1)), "cannot have left 'acme'"),
        (lambda all: all.unlink("acme", "ann", until=NOW + days(1)), "cannot have left 'acme'"),
        (lambda all: all.show("nobody"), "there is no customer 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(act: Callable[[Any], object], told: str, firm: Relationships) -> None:
    firm.accounts.link("acme", "ann", since=START)
    before = firm.store.read(CONTACTS).rows()
    with pytest.raises(RejectedError, match=told):
        act(firm.accounts)
    assert firm.store.read(CONTACTS).rows() == before


def test_wrong_arguments_are_told_as_such(firm: Relationships) -> None:
    with pytest.raises(ConfigurationError, match="since must be"):
        firm.accounts.link("acme", "ann", since="2024-01-01")  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(ConfigurationError, match="account must be"):
        firm.accounts.link(None, "ann")  # type: ignore[arg-type]  # that is the mistake


# Merges of contacts and of accounts


def test_merged_ids_are_one_contact_and_one_account(firm: Relationships, make_interaction: Make) -> None:
    firm.record([make_interaction("ace", "order", START, minor=1)])
    firm.accounts.link("acme", "ann")
    firm.identities.merge("bob", into="ann")
    assert orders(firm) == 3.0, "what the merged id did counts as well"
    with pytest.raises(RejectedError, match="an account and"):
        firm.identities.merge("acme", into="ace")
    firm.accounts.link("ace", "bob")
    assert orders(firm, "ace") == 3.0
    firm.identities.merge("ace", into="acme")
    assert orders(firm) == 4.0, "once each, though two links lead there"
    assert firm.customer("acme").measures["contacts_in_touch"] == 0.0
    assert len({each.customer for each in firm.accounts.show("acme").contacts}) == 1
    firm.identities.unmerge("ace")
    firm.identities.unmerge("bob")
    assert [orders(firm, who) for who in ("acme", "ace", "ann", "bob")] == [2.0, 2.0, 1.0, 1.0]


# Buying centre


def test_how_many_contacts_there_are_and_are_in_touch(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    people = ("ann", "bob", "eve")
    project.record([make_interaction(who, "visit", START + days(n * 40)) for n, who in enumerate(people)])
    project.record([make_interaction("acme", "order", START + days(80), minor=1)])
    project.record([make_interaction("ann", "campaign_received", START + days(80))])
    for who in people:
        project.accounts.link("acme", who)

    def coverage(at: float) -> tuple[object, object]:
        seen = project.customer("acme", as_of=START + days(at)).measures
        return seen["contacts"], seen["contacts_in_touch"]

    assert coverage(80) == (3.0, 3.0)
    assert coverage(89.9) == (3.0, 3.0)
    assert coverage(90) == (3.0, 2.0), "what we sent is no touch"
    assert coverage(500) == (3.0, 0.0)
    project.accounts.unlink("acme", "eve", until=START + days(85))
    assert coverage(85) == (2.0, 2.0), "who has left is no contact"
    person = project.customer("ann", as_of=START + days(80)).measures
    assert ("contacts" in person, person["contacts_in_touch"]) == (False, 0.0)


def test_a_campaign_for_accounts_and_one_for_coverage(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project(
        make_campaign("firms", audience="account", when="contacts_in_touch < contacts"),
        make_campaign("people", audience="NOT account AND contacts IS NULL"),
    )
    project.record_customers([make_customer(who) for who in ("acme", "ann", "bob", "solo")])
    project.record([make_interaction("ann", "visit", START)])
    for who in ("ann", "bob"):
        project.accounts.link("acme", who)
    ran = project.run(as_of=START + days(1))
    assert ran.planned is not None
    assert dict(ran.planned.decided) == {("firms", "due"): 1, ("people", "due"): 3}


# Ladders


STAGES = ("prospect", "customer")
PEOPLE = Ladder(name="people", stages=(Stage(name="prospect"), Stage(name="customer", enter="orders >= 1")))
FIRMS = Ladder(
    name="firms",
    stages=(Stage(name="prospect"), Stage(name="customer", enter="orders >= 1 AND contacts_in_touch >= 2")),
)
SHORT = Ladder(name="short", stages=(Stage(name="prospect"), Stage(name="guest", enter="orders >= 1")))


class Ladders:
    @hookimpl
    def relationship_ladders(self) -> tuple[Ladder, ...]:
        return (PEOPLE, FIRMS, SHORT)


def opened(ladder: str, account_ladder: str) -> Relationships:
    settings = Settings(ladder=LadderSettings(use=ladder, accounts=account_ladder), project=ProjectSettings(zone="UTC"))
    return Relationships(settings=settings, clock=lambda: NOW, plugins=load_plugins(extra=[Ladders()]))


def stages(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(STATES, columns=["customer", "stage"]).filter(stage="customer").iter_rows())


def test_accounts_are_judged_by_their_own_ladder(make_interaction: Make) -> None:
    project = opened("people", "firms")
    project.record([make_interaction(who, "order", START, minor=1) for who in ("acme", "ann", "bob")])
    project.accounts.link("acme", "ann")
    moved = project.review(as_of=START + days(1))
    assert (moved.customers, moved.transitions) == (3, 2)
    assert set(stages(project)) == {"ann", "bob"}, "one contact is not enough"
    project.accounts.link("acme", "bob")
    project.review(as_of=START + days(2))
    assert set(stages(project)) == {"acme", "ann", "bob"}
    assert project.customer("acme", as_of=START + days(2)).transitions[0].evidence == {
        "contacts_in_touch": "2.0",
        "orders": "3.0",
    }


def test_a_review_of_the_due_is_one_of_everybody_with_accounts(make_interaction: Make) -> None:
    due, everybody = opened("people", "firms"), opened("people", "firms")
    for project in (due, everybody):
        project.record([make_interaction(who, "visit", START) for who in ("acme", "ann", "bob")])
    for day in range(1, 200):
        now = START + days(day)
        for project in (due, everybody):
            if day == 5:
                project.accounts.link("acme", "ann")
                project.accounts.link("acme", "bob")
            if day in {20, 130}:
                project.record([make_interaction(who, "order", now, minor=1) for who in ("ann", "bob")])
            if day == 150:
                project.accounts.unlink("acme", "bob", until=now)
        due.review(as_of=now)
        everybody.review(as_of=now, everybody=True)
        assert stages(due) == stages(everybody)
    assert "acme" in stages(due)


def test_ladders_of_other_stages_or_of_no_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="has the stages prospect, guest, and 'people' has prospect, customer"):
        opened("people", "short")
    with pytest.raises(ConfigurationError, match="did you mean 'firms'"):
        opened("people", "firm")


# Files


def test_contacts_come_from_a_file_with_reasons_for_what_cannot_be(firm: Relationships, tmp_path: Path) -> None:
    firm.accounts.link("acme", "ann")
    file = tmp_path / "contacts.csv"
    file.write_text(
        "firm,customer,role,since\n"
        "acme,ann,buyer,2024-01-01\n"
        "acme,bob,,\n"
        "acme,nobody,,\n"
        "nothing,ann,,\n"
        "acme,acme,,\n"
        "ann,bob,,\n"
        ",bob,,\n"
        "acme,bob,,yesterday\n"
        "acme,bob,,2040-01-01\n",
        encoding="utf-8",
    )
    done = firm.import_file("contacts", file, columns={"account": "firm"}, zone="UTC")
    assert (done.new, done.repeated, done.rejected) == (1, 1, 7)
    assert done.rejects is not None
    reasons = [line.split(",")[1] for line in done.rejects.read_text().splitlines()[1:]]
    assert len(set(reasons)) == 7, reasons
    assert orders(firm) == 3.0
    assert [(each.customer, each.role) for each in firm.accounts.show("acme").contacts] == [
        ("ann", "buyer"),
        ("bob", ""),
    ]
    assert firm.import_file("contacts", file, columns={"account": "firm"}, zone="UTC").already


def test_a_link_that_is_known_takes_what_the_file_says(firm: Relationships, tmp_path: Path) -> None:
    firm.accounts.link("acme", "ann", role="buyer")
    file = tmp_path / "contacts.csv"
    file.write_text("account,customer,role\nacme,ann,boss\n")
    done = firm.import_file("contacts", file)
    assert (done.new, done.repeated) == (0, 1)
    assert firm.accounts.show("acme").contacts[0].role == "boss"


def test_a_project_of_accounts_lives_in_sqlite(make_project: Open, make_interaction: Make, tmp_path: Path) -> None:
    store = Choice(use="sqlite", settings={"path": str(tmp_path / "r.db")})
    with make_project(store=store, folder=tmp_path) as project:
        project.record([make_interaction(who, "order", START, minor=1) for who in ("acme", "ann")])
        project.accounts.link("acme", "ann", role="buyer", since=START)
    with make_project(store=store, folder=tmp_path) as project:
        project.record([make_interaction("ann", "order", START + days(1), minor=1)])
        assert (orders(project), project.accounts.show("acme").contacts[0].since) == (3.0, START)
