"""Permission and messages: what is planned, by which variant, and what is stopped when it is claimed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from relationship_core import (
    DECISIONS,
    MESSAGES,
    Campaign,
    Choice,
    Consent,
    ConsentSettings,
    ContactPoint,
    Customer,
    Interaction,
    Message,
    Money,
    Plugins,
    Policy,
    Preference,
    Progress,
    Provider,
    Receipt,
    Relationships,
    Suppression,
    Variant,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.channels import NullSettings

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Open = Callable[..., Relationships]
Run = Callable[..., Campaign]


class Media:
    """A plugin with a channel for each medium, which remembers to whom it sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Any], ...]:
        def channel(medium: str) -> Callable[[object], Any]:
            return lambda _: Told(medium, self.sent)

        return tuple(
            Provider(name=f"told-{medium}", factory=channel(medium), settings=NullSettings, summary="Told.")
            for medium in ("email", "sms", "post")
        )


class Told:
    def __init__(self, medium: str, sent: list[tuple[str, str]]) -> None:
        self.medium, self.sent = medium, sent

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.sent += [(self.medium, each.address) for each in messages]
        return [Receipt(message=each.id, state="accepted") for each in messages]

    def close(self) -> None:
        pass


@pytest.fixture
def media() -> Media:
    return Media()


@pytest.fixture
def shop(make_project: Open, media: Media) -> Open:
    """A project with customers ``ada`` and ``bob``, in which marketing needs consent but by post."""

    def open_it(*campaigns: Campaign, **more: Any) -> Relationships:
        channels = {medium: Choice(use=f"told-{medium}") for medium in ("email", "sms", "post")}
        chosen = {"channels": channels, "consent": ConsentSettings(), "quiet_hours": {}, **more}
        project = make_project(*campaigns, **{**chosen, "plugins": [media, *more.get("plugins", [])]})
        points = [
            ("email", "@example.com"),
            ("email", "@work.example.com"),
            ("sms", "+4930123456"),
            ("post", " High St"),
        ]
        project.record_customers(
            Customer(
                id=who,
                contact_points=[
                    ContactPoint(medium=medium, address=written if medium == "sms" else f"{who}{written}")
                    for medium, written in points
                ],
            )
            for who in ("ada", "bob")
        )
        return project

    return open_it


@pytest.fixture
def letter(make_campaign: Run) -> Run:
    """A campaign with a variant for each medium that is named, in that order."""

    def make(*channels: str, **more: Any) -> Campaign:
        return make_campaign("letter", variants=[Variant(channel=each, text="Hello") for each in channels], **more)

    return make


def grant(who: str, medium: str = "email", **more: Any) -> Consent:
    return Consent(
        customer=who, act="grant", at=START, medium=medium, method="form", source="web", wording="v1", **more
    )


def plan(project: Relationships, at: datetime = START) -> dict[str, str]:
    """The reasons after a review and a plan, by customer."""
    project.review(as_of=at)
    project.plan(as_of=at)
    return dict(project.store.read(DECISIONS).select("customer", "reason").iter_rows())


def queued(project: Relationships) -> dict[str, tuple[str, str]]:
    rows = project.store.read(MESSAGES).select("customer", "medium", "address").iter_rows()
    return {customer: (medium, address) for customer, medium, address in rows}


def states(project: Relationships) -> dict[str, tuple[str, str]]:
    rows = project.store.read(MESSAGES).select("customer", "state", "detail").iter_rows()
    return {customer: (state, detail) for customer, state, detail in rows}


# Planning


def test_marketing_needs_consent_and_service_does_not(shop: Open, letter: Run) -> None:
    project = shop(letter("email"))
    project.permissions.record_consents([grant("ada")])
    assert plan(project) == {"ada": "due", "bob": "no_consent"}
    (detail,) = project.store.read(DECISIONS, where={"customer": "bob"})["detail"]
    assert detail == "none"
    service = shop(letter("email", purpose="service"))
    assert plan(service) == {"ada": "due", "bob": "due"}


def test_marketing_by_post_needs_none_but_obeys_an_objection(shop: Open, letter: Run) -> None:
    project = shop(letter("post"))
    project.permissions.record_consents([Consent(customer="bob", act="object", at=START)])
    assert plan(project) == {"ada": "due", "bob": "no_consent"}


def test_consent_for_one_topic_is_for_no_other(shop: Open, letter: Run) -> None:
    project = shop(letter("email", topic="news"))
    project.permissions.record_consents([grant("ada", topic="news"), grant("bob", topic="offers")])
    assert plan(project) == {"ada": "due", "bob": "no_consent"}


def test_the_first_permitted_variant_is_chosen(shop: Open, letter: Run) -> None:
    project = shop(letter("email", "sms", "post"))
    project.permissions.record_consents([grant("ada", "sms")])
    plan(project)
    assert queued(project) == {"ada": ("sms", "+4930123456"), "bob": ("post", "bob High St")}


def test_a_grant_for_one_address_is_for_no_other(shop: Open, letter: Run) -> None:
    project = shop(letter("email"))
    theirs = grant("ada", address="ada@work.example.com")
    project.permissions.record_consents([theirs, grant("bob", address="bob@elsewhere.example.com")])
    assert plan(project) == {"ada": "due", "bob": "no_consent"}
    assert queued(project) == {"ada": ("email", "ada@work.example.com")}


@pytest.mark.parametrize(
    ("scope", "purpose", "topic", "reason"),
    [
        ("all", "service", "", "suppressed"),
        ("all", "marketing", "", "suppressed"),
        ("marketing", "service", "", "due"),
        ("marketing", "marketing", "news", "suppressed"),
        ("topic:news", "marketing", "news", "suppressed"),
        ("topic:news", "marketing", "offers", "due"),
        ("topic:news", "service", "news", "due"),
    ],
)
def test_how_far_a_suppression_goes(
    shop: Open, letter: Run, *, scope: str, purpose: str, topic: str, reason: str
) -> None:  # fmt: skip
    project = shop(letter("sms", purpose=purpose, topic=topic))
    project.permissions.record_consents([grant("ada", "sms"), grant("bob", "sms")])
    told = Suppression(medium="sms", address="+49 30 123456", scope=scope, reason="stop", at=START)
    project.permissions.suppress([told])
    assert plan(project) == {"ada": reason, "bob": reason}


def test_a_suppressed_address_gives_way_to_another_one(shop: Open, letter: Run) -> None:
    project = shop(letter("email"), consent=ConsentSettings(without=("email",)))
    project.permissions.suppress(
        [Suppression(medium="email", address="ada@example.com", reason="hard_bounce", at=START)]
    )
    plan(project)
    assert queued(project) == {"ada": ("email", "ada@work.example.com"), "bob": ("email", "bob@example.com")}


def test_what_was_lacking_and_is_given_is_planned_next(shop: Open, letter: Run) -> None:
    project = shop(letter("email"))
    assert plan(project) == {"ada": "no_consent", "bob": "no_consent"}
    project.permissions.record_consents([grant("bob")])
    assert plan(project, START + DAY) == {"ada": "no_consent", "bob": "due"}


@pytest.mark.parametrize(
    ("wish", "marketing", "thanks"),
    [("close", "due", "due"), ("occasional", "due", "due"), ("transactional", "preference", "due"),
     ("none", "preference", "preference")],
)  # fmt: skip
def test_a_wish_is_obeyed(shop: Open, letter: Run, wish: Any, marketing: str, thanks: str) -> None:
    for purpose, expected in (("marketing", marketing), ("service", thanks)):
        project = shop(letter("email", purpose=purpose))
        project.permissions.record_consents([grant("ada")])
        project.permissions.record_preferences([Preference(customer="ada", wish=wish, at=START)])
        assert plan(project)["ada"] == expected


def test_conditions_read_the_wish_and_when_they_may_be_asked(shop: Open, letter: Run) -> None:
    asks = "preference <> 'none' AND (preference_ask_at IS NULL OR preference_ask_at <= now)"
    project = shop(letter("email", purpose="service", audience=asks))
    again = Preference(customer="ada", wish="close", at=START, ask_again_at=START + 3 * DAY)
    project.permissions.record_preferences([again])
    assert plan(project) == {"bob": "due"}
    assert plan(project, START + 3 * DAY - timedelta(microseconds=1)) == {"bob": "due"}
    assert plan(project, START + 3 * DAY) == {"ada": "due", "bob": "due"}


# Delivering


def refuse(project: Relationships, how: str) -> None:
    """Take permission back in one of the ways there are."""
    later = START + timedelta(hours=1)
    if how == "withdraw":
        project.permissions.record_consents([Consent(customer="ada", act="withdraw", at=later)])
    elif how == "unsubscribe":
        project.record([Interaction(source="web", id="1", customer="ada", kind="unsubscribe", at=later)])
    elif how == "suppress":
        told = Suppression(medium="email", address="ada@example.com", scope="marketing", reason="complaint", at=later)
        project.permissions.suppress([told])
    else:
        project.permissions.record_preferences([Preference(customer="ada", wish="transactional", at=later)])


STOPPED = {
    "withdraw": "no_consent: withdrawn",
    "unsubscribe": "no_consent: withdrawn",
    "suppress": "suppressed",
    "wish": "preference: transactional",
}


@pytest.mark.parametrize("how", STOPPED)
def test_permission_taken_back_stops_that_message_alone(shop: Open, letter: Run, media: Media, how: str) -> None:
    project = shop(letter("email"))
    project.permissions.record_consents([grant("ada"), grant("bob")])
    plan(project)
    refuse(project, how)
    delivered = project.deliver(as_of=START + DAY)
    assert (delivered.accepted, delivered.stopped) == (1, 1)
    assert media.sent == [("email", "bob@example.com")]
    state, detail = states(project)["ada"]
    assert state == "stopped"
    assert detail.startswith(STOPPED[how].split(":")[0])
    assert detail == STOPPED[how] or how == "wish"


def test_service_goes_although_marketing_may_not(shop: Open, letter: Run, media: Media) -> None:
    project = shop(letter("email", purpose="service"))
    plan(project)
    for how in STOPPED:
        refuse(project, how)
    assert project.deliver(as_of=START + DAY).accepted == 2
    assert ("email", "ada@example.com") in media.sent


def test_a_refusal_of_either_id_stops_what_waits_for_the_other(shop: Open, letter: Run, media: Media) -> None:
    project = shop(letter("email"))
    project.permissions.record_consents([grant("ada"), grant("bob")])
    plan(project)
    project.permissions.record_consents([Consent(customer="bob", act="object", at=START)])
    project.identities.merge("bob", into="ada")
    assert project.deliver(as_of=START + DAY).accepted == 0
    assert media.sent == []


def test_a_stopped_message_was_no_contact(shop: Open, letter: Run, make_campaign: Run) -> None:
    """What waited for the slot that it had is planned by the next plan."""
    service = make_campaign(
        "slow", purpose="marketing", priority=-1, variants=[Variant(channel="post", text="Hello")], nature="give"
    )
    project = shop(letter("email"), service, minimum_interval_days={"default": 30})
    project.permissions.record_consents([grant("ada")])
    plan(project)
    assert queued(project)["ada"] == ("email", "ada@example.com")
    project.permissions.record_consents([Consent(customer="ada", act="withdraw", medium="email", at=START)])
    assert project.deliver(as_of=START + timedelta(hours=1)).stopped == 1
    plan(project, START + DAY)
    ours = project.store.read(MESSAGES, where={"customer": "ada"}).select("campaign", "state").rows()
    assert sorted(ours) == [("letter", "stopped"), ("slow", "queued")]


@pytest.mark.parametrize("how", STOPPED)
def test_what_is_permitted_again_is_planned_again(shop: Open, make_campaign: Run, media: Media, how: str) -> None:
    """A stopped message uses up neither the occasion nor the limit of engagements, as long as the occasion lasts."""
    letter = make_campaign(
        "letter", variants=[Variant(channel="email", text="Hello")], limits={"per_customer": 1, "expires_days": 30}
    )
    project = shop(letter)
    project.permissions.record_consents([grant("ada", address="ada@example.com")])
    plan(project)
    refuse(project, how)
    assert project.deliver(as_of=START + DAY).stopped == 1
    assert plan(project, START + DAY)["ada"] == STOPPED[how].split(":")[0]
    plan(project, START + DAY)
    assert states(project)["ada"][0] == "stopped"
    if how == "suppress":
        project.permissions.unsuppress("email", "ada@example.com", actor="bob")
    elif how == "wish":
        project.permissions.record_preferences([Preference(customer="ada", wish="close", at=START + 2 * DAY)])
    else:
        project.permissions.record_consents([evolve(grant("ada"), at=START + 2 * DAY)])
    assert plan(project, START + 3 * DAY)["ada"] == "due"
    assert states(project)["ada"][0] == "queued"
    assert project.deliver(as_of=START + 3 * DAY).accepted == 1
    assert media.sent == [("email", "ada@example.com")]
    assert plan(project, START + 4 * DAY)["ada"] == "due", "it is not planned once more"
    assert project.deliver(as_of=START + 4 * DAY).accepted == 0


def test_what_is_permitted_again_too_late_is_expired(shop: Open, make_campaign: Run, media: Media) -> None:
    letter = make_campaign(
        "letter",
        audience="orders > 0",
        key="last_order_at",
        since="last_order_at",
        variants=[Variant(channel="email", text="Hello")],
        limits={"expires_days": 5},
    )
    project = shop(letter)
    project.record(
        [
            Interaction(
                source="shop", id="1", customer="ada", kind="order", at=START, amount=Money(minor=500, currency="EUR")
            )
        ]
    )
    project.permissions.record_consents([grant("ada")])
    plan(project)
    refuse(project, "withdraw")
    assert project.deliver(as_of=START + DAY).stopped == 1
    project.permissions.record_consents([evolve(grant("ada"), at=START + 6 * DAY)])
    assert plan(project, START + 6 * DAY)["ada"] == "expired"
    assert project.deliver(as_of=START + 6 * DAY).accepted == 0
    assert media.sent == []


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def objects(*who: str, at: datetime) -> list[Consent]:
    return [Consent(customer=each, act="object", at=at) for each in who]


@pytest.mark.parametrize("how", STOPPED)
def test_what_was_taken_back_counts_whenever_that_was(shop: Open, letter: Run, media: Media, how: str) -> None:
    """A delivery as of an earlier instant sends nothing that is refused by now."""
    project = shop(letter("email"))
    project.permissions.record_consents([grant("ada"), grant("bob")])
    plan(project)
    refuse(project, how)
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.stopped) == (1, 1)
    assert media.sent == [("email", "bob@example.com")]


def test_an_objection_while_a_run_plans_is_obeyed(shop: Open, letter: Run, media: Media) -> None:
    clock = Clock()
    project = shop(letter("email"), clock=clock)
    project.permissions.record_consents([grant("ada"), grant("bob")])
    told: list[str] = []

    def listen(progress: Progress) -> None:
        if progress.step == "plan" and not told:
            told.append("ada")
            clock.now += timedelta(minutes=5)
            project.permissions.record_consents(objects("ada", at=clock.now))

    ran = project.run(progress=listen)
    assert ran.planned is not None
    assert (told, ran.planned.planned, ran.delivered.stopped) == (["ada"], 2, 1)
    assert media.sent == [("email", "bob@example.com")]


def test_an_objection_while_others_get_their_messages_is_obeyed(
    shop: Open, letter: Run, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 1)
    clock = Clock()
    project = shop(letter("email"), clock=clock)
    project.permissions.record_consents([grant("ada"), grant("bob")])
    plan(project)

    def listen(_: Progress) -> None:
        if len(states(project)) == 2 and len(media.sent) == 1:
            clock.now += timedelta(seconds=10)
            project.permissions.record_consents(objects("ada", "bob", at=clock.now))

    delivered = project.deliver(progress=listen)
    assert (delivered.accepted, delivered.stopped, len(media.sent)) == (1, 1, 1)


class Moody:
    """A plugin with a policy on permission that fails on the campaign ``letter`` while it is ``broken``."""

    def __init__(self) -> None:
        self.broken = False

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        def asked(campaigns: pl.Series) -> pl.Series:
            if self.broken and (campaigns == "letter").any():
                message = "out of order"
                raise ValueError(message)
            return pl.Series([False] * len(campaigns))

        moody = pl.col("campaign").map_batches(asked, return_dtype=pl.Boolean)
        return (Policy(name="moody", refuses=moody | (pl.col("wish") == "none"), summary=""),)


@pytest.mark.parametrize("size", [1, 500])
def test_a_policy_that_fails_when_it_is_asked_again_leaves_the_messages_in_the_outbox(
    shop: Open, letter: Run, make_campaign: Run, media: Media, *, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", size)
    service = make_campaign("slip", purpose="service", variants=[Variant(channel="email", text="Hello")])
    moody = Moody()
    project = shop(letter("email"), service, plugins=[moody], minimum_interval_days={"default": 0})
    project.permissions.record_consents([grant("ada"), grant("bob")])
    plan(project)
    plan(project, START + DAY)
    waiting = project.store.read(MESSAGES).select("campaign", "customer").sort("campaign", "customer").rows()
    letters = [who for campaign, who in waiting if campaign == "letter"]
    slips = [who for campaign, who in waiting if campaign == "slip"]
    assert (letters, slips) == (["ada", "bob"], ["ada", "bob"])

    moody.broken = True
    delivered = project.deliver(as_of=START + DAY)
    assert (delivered.accepted, delivered.stopped, delivered.unjudged) == (2, 0, 2)
    assert delivered.policy_failed == {"letter": "the policy 'moody' failed with ValueError"}
    rows = project.store.read(MESSAGES, where={"campaign": "letter"})
    assert set(rows.select("state", "worker", "settled_at").rows()) == {("queued", None, None)}
    assert set(rows["detail"]) == {"the policy 'moody' failed with ValueError"}

    moody.broken = False
    again = project.deliver(as_of=START + DAY)
    assert (again.accepted, again.unjudged, again.policy_failed) == (2, 0, {})
    assert sorted(media.sent) == sorted([("email", f"{who}@example.com") for who in ("ada", "bob")] * 2)


LETTER = """
name = "letter"
owner = "tests"
purpose = "service"
nature = "neutral"

[[actions]]
name = "write"

[actions.occasion]
name = "now"
key = "once"

[[actions.variants]]
channel = "mail"
subject = "Hello"
text = "Hello"
"""


def test_the_command_line_names_the_policy_that_failed_and_ends_with_status_1(
    relate: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moody = Moody()

    def installed(**known: Any) -> Plugins:
        return load_plugins(extra=[moody], **known)

    monkeypatch.setattr("relationship_core.relationships.load_plugins", installed)
    assert relate("init").exit_code == 0
    campaigns = tmp_path / "shop" / "campaigns"
    for path in campaigns.glob("*"):
        path.unlink()
    (campaigns / "letter.toml").write_text(LETTER)
    (tmp_path / "people.csv").write_text("customer,name,contact.email\nada,Ada,ada@example.com\n")
    assert relate("import", "customers", tmp_path / "people.csv").exit_code == 0
    assert relate("review").exit_code == 0
    assert relate("plan").exit_code == 0

    moody.broken = True
    told = relate("deliver")
    assert told.exit_code == 1
    assert "1 unjudged" in told.stdout
    assert "The messages of the campaign letter wait: the policy 'moody' failed with ValueError;" in told.stdout
    document = relate("deliver", "--json")
    assert document.exit_code == 1
    assert json.loads(document.stdout)["policy_failed"] == {"letter": "the policy 'moody' failed with ValueError"}
    moody.broken = False
    assert relate("deliver").exit_code == 0
    assert len([*(tmp_path / "shop" / "outbox" / "mail").iterdir()]) == 1


class Strict:
    """A plugin with a policy that rests on permission alone."""

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        return (
            Policy(name="only_granted", refuses=pl.col("consent") != "granted", purposes=("marketing",), summary=""),
        )


def test_a_plugins_policy_on_permission_is_asked_again(shop: Open, letter: Run, media: Media) -> None:
    double = ConsentSettings(without=("post",))
    project = shop(letter("email"), plugins=[Strict()], consent=double)
    soon = grant("ada", expires_at=START + timedelta(hours=2))
    project.permissions.record_consents([soon, grant("bob")])
    assert plan(project) == {"ada": "due", "bob": "due"}
    assert project.deliver(as_of=START + timedelta(hours=2)).stopped == 1
    assert media.sent == [("email", "bob@example.com")]


# The choice of a variant, against the rule in plain Python


@settings(max_examples=25)
@given(
    order=st.permutations(["email", "sms", "post"]).flatmap(lambda all_: st.integers(1, 3).map(lambda n: all_[:n])),
    granted=st.sets(st.sampled_from(["email", "sms"])),
    suppressed=st.sets(st.sampled_from(["ada@example.com", "ada@work.example.com", "+4930123456", "ada High St"])),
    purpose=st.sampled_from(["service", "marketing"]),
)
def test_the_variant_is_the_first_that_is_permitted(
    make_project: Open,
    make_campaign: Run,
    *,
    order: list[str],
    granted: set[str],
    suppressed: set[str],
    purpose: str,
) -> None:
    points = {
        "email": ["ada@example.com", "ada@work.example.com"],
        "sms": ["+4930123456"],
        "post": ["ada High St"],
    }
    campaign = make_campaign("letter", purpose=purpose, variants=[Variant(channel=each, text="x") for each in order])
    project = make_project(
        campaign,
        plugins=[Media()],
        channels={each: Choice(use=f"told-{each}") for each in points},
        consent=ConsentSettings(),
        quiet_hours={},
    )
    with project:
        everything = [ContactPoint(medium=medium, address=each) for medium in points for each in points[medium]]
        project.record_customers([Customer(id="ada", contact_points=everything)])
        project.permissions.record_consents([grant("ada", medium) for medium in granted])
        media = {address: medium for medium, addresses in points.items() for address in addresses}
        project.permissions.suppress(
            Suppression(medium=media[each], address=each, reason="manual", at=START) for each in suppressed
        )

        def permitted(medium: str, address: str) -> bool:
            allowed = purpose == "service" or medium == "post" or medium in granted
            return allowed and address not in suppressed

        ways = [(medium, address) for medium in order for address in sorted(points[medium])]
        good = [way for way in ways if permitted(*way)]
        reason = plan(project)["ada"]
        if good:
            assert (reason, queued(project)["ada"]) == ("due", good[0])
        else:
            _, address = ways[0]
            assert reason == ("suppressed" if address in suppressed else "no_consent")
