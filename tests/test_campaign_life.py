"""The life of campaigns: who may do what, what is planned and what goes, and that every act is kept."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from attrs import evolve
from click.testing import Result

from relationship_core import (
    CAMPAIGN_ACTS,
    DECISIONS,
    MESSAGES,
    Campaign,
    CampaignSettings,
    CampaignState,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    Message,
    Progress,
    Provider,
    Receipt,
    RejectedError,
    Relationships,
    Store,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.flow.campaigns.life import Life

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PRESENT = START + 500 * DAY
AN = {"approved": "an approved", "active": "an active", "paused": "a paused"}
ACTS = ("draft", "approve", "activate", "pause", "archive")
ASKED = CampaignSettings(approval=True)


class Told:
    """A plugin with the channel ``told``, which remembers what it was given; ``before`` is called with each message."""

    medium = "email"

    def __init__(self) -> None:
        self.given: list[Message] = []
        self.before: Callable[[Message], object] = lambda _: None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        for message in messages:
            self.before(message)
        self.given += messages
        return [Receipt(message=message.id, state="accepted") for message in messages]

    def close(self) -> None:
        pass

    @property
    def customers(self) -> list[str]:
        return [message.engagement.customer for message in self.given]

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (Provider(name="told", factory=lambda _: self, settings=NullSettings, summary="Told."),)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def shop(make_project: Open, make_customer: Know, told: Told, tmp_path: Path) -> Callable[..., Relationships]:
    """Opens a project with three customers, which lives in a file: opened again, it is the same one."""

    def make(*campaigns: Campaign, **more: Any) -> Relationships:
        chosen = {
            "store": Choice(use="sqlite", settings={"path": "shop.db"}),
            "channels": {"letters": Choice(use="told")},
            "clock": lambda: PRESENT,
            **more,
        }
        project = make_project(*campaigns, plugins=[told], folder=tmp_path, **chosen)
        project.record_customers(make_customer(id) for id in ("ada", "bob", "cyd"))
        return project

    return make


def planned(project: Relationships, as_of: datetime = START) -> dict[str, int]:
    """How many messages a review and a plan queue, by campaign."""
    project.review(as_of=as_of)
    project.plan(as_of=as_of)
    counts = project.store.count(MESSAGES, ["campaign"], where={"state": "queued"})
    return dict(counts.iter_rows())


def states(project: Relationships, campaign: str) -> list[str]:
    return sorted(project.store.read(MESSAGES, where={"campaign": campaign})["state"])


def state(project: Relationships, campaign: str) -> str:
    return project.campaign_life.show(campaign).state


def do(project: Relationships, act: str, campaign: str, **more: Any) -> Any:
    return getattr(project.campaign_life, act)(campaign, actor="eve", **more)


def acts(project: Relationships, campaign: str | None = None) -> pl.DataFrame:
    return project.store.read(CAMPAIGN_ACTS, where={"campaign": campaign} if campaign else None)


# Which act leads where, if it may be done, written out: without approvals, and with them.
WITHOUT: Mapping[str, Mapping[str, str]] = {
    "draft": {"approve": "approved", "activate": "active", "archive": "archived"},
    "approved": {"activate": "active", "archive": "archived"},
    "active": {"pause": "paused", "archive": "archived"},
    "paused": {"activate": "active", "archive": "archived"},
    "archived": {"draft": "draft"},
}
WITH: Mapping[str, Mapping[str, str]] = {
    "draft": {"approve": "approved", "archive": "archived"},
    "approved": {"activate": "active", "archive": "archived"},
    "active": {"pause": "paused", "archive": "archived"},
    "paused": {"activate": "active", "archive": "archived"},
    "archived": {"draft": "draft"},
}
WAYS: Mapping[bool, Mapping[str, Sequence[str]]] = {
    False: {
        "draft": ("archive", "draft"),
        "approved": ("archive", "draft", "approve"),
        "active": (),
        "paused": ("pause",),
        "archived": ("archive",),
    },
    True: {
        "draft": (),
        "approved": ("approve",),
        "active": ("approve", "activate"),
        "paused": ("approve", "activate", "pause"),
        "archived": ("archive",),
    },
}


@pytest.mark.parametrize("approval", [False, True])
@pytest.mark.parametrize("begins", ["draft", "approved", "active", "paused", "archived"])
def test_every_move_is_made_or_refused_with_what_may_be_done(
    shop: Callable[..., Relationships], make_campaign: Plan, begins: str, *, approval: bool
) -> None:
    table, campaigns = WITH if approval else WITHOUT, [make_campaign(f"for-{act}") for act in ACTS]
    project = shop(*campaigns, campaigns=CampaignSettings(approval=approval))
    for act in ACTS:
        name = f"for-{act}"
        for way in WAYS[approval][begins]:
            do(project, way, name)
        assert state(project, name) == begins
        assert set(project.campaign_life.show(name).may) == table[begins].keys()
        before, others = acts(project, name), acts(project).filter(pl.col("campaign") != name)
        if act in table[begins]:
            done = do(project, act, name, reason="because")
            assert (state(project, name), done.act.state) == (table[begins][act], table[begins][act])
            row = acts(project, name).row(-1, named=True)
            assert (row["act"], row["actor"], row["reason"], row["at"]) == (act, "eve", "because", PRESENT)
            assert acts(project, name)[:-1].equals(before)
        else:
            with pytest.raises(RejectedError, match=rf"campaign '{name}' is .*it may be ") as refused:
                do(project, act, name)
            for way in table[begins]:
                assert {"draft": "made a draft", "activate": "activated"}.get(way, way) in str(refused.value)
            assert acts(project, name).equals(before)
        assert acts(project).filter(pl.col("campaign") != name).equals(others)


def test_nothing_is_done_by_nobody_or_with_what_there_is_not(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"))
    for act in ACTS:
        with pytest.raises(RejectedError, match="name whoever decides it"):
            getattr(project.campaign_life, act)("spring", actor=" ")
        with pytest.raises(ConfigurationError, match="no campaign 'sprang'; did you mean 'spring'"):
            do(project, act, "sprang")
    assert acts(project).is_empty()
    with pytest.raises(ConfigurationError, match="no campaign 'x'; there are spring"):
        project.campaign_life.show("x")


def test_without_approvals_a_campaign_is_active_from_the_beginning(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"))
    (view,) = project.campaign_life.list()
    assert (view.state, view.since, view.actor, view.approved) == ("active", None, "", "")
    assert planned(project) == {"spring": 3}
    (view,) = project.campaign_life.list()
    assert (view.waiting, view.accepted) == (3, 0)
    project.deliver(as_of=START)
    (view,) = project.campaign_life.list()
    assert (view.waiting, view.accepted) == (0, 3)


def test_with_approvals_nothing_is_planned_before_somebody_approved_and_activated(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"), campaigns=ASKED)
    assert planned(project) == {}
    assert project.plan(as_of=START).inactive == {"spring": "draft"}
    do(project, "approve", "spring")
    assert planned(project) == {}
    do(project, "activate", "spring")
    assert project.plan(as_of=START).planned == 3, "no review is needed for it"
    assert project.plan(as_of=START).inactive == {}


def test_approvals_that_are_asked_for_later_hold_what_nobody_approved(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    spring, summer = make_campaign("spring"), make_campaign("summer", audience="customer = 'nobody'")
    project = shop(spring, summer)
    assert planned(project) == {"spring": 3}
    for act in ("archive", "draft", "approve", "activate"):
        do(project, act, "summer")
    project.close()
    project = shop(spring, summer, campaigns=ASKED)
    assert {each.campaign: each.state for each in project.campaign_life.list()} == {
        "spring": "draft",
        "summer": "active",
    }
    assert project.deliver(as_of=START).inactive == {"spring": 3}
    assert told.given == []
    do(project, "approve", "spring")
    do(project, "activate", "spring")
    assert project.deliver(as_of=START).accepted == 3


def test_what_was_planned_with_content_that_nobody_approved_waits_while_other_content_goes(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project = shop(make_campaign("spring", audience="customer <> 'cyd'"))
    assert planned(project) == {"spring": 2}
    project.close()
    edited = make_campaign("spring", variants=[Variant(channel="letters", subject="New", text="New")])
    project = shop(edited, campaigns=ASKED)
    assert dict(project.deliver(as_of=START).inactive) == {"spring": 2}
    do(project, "approve", "spring")
    do(project, "activate", "spring")
    assert planned(project) == {"spring": 3}
    delivered = project.deliver(as_of=START)
    assert [each.subject for each in told.given] == ["New"]
    assert (dict(delivered.inactive), dict(delivered.unapproved)) == ({}, {"spring": 2})
    versions = project.campaign_life.show("spring").versions
    assert {(each.approved, each.waiting) for each in versions} == {(False, 2), (True, 0)}
    project.close()
    project = shop(make_campaign("spring", audience="customer <> 'cyd'"), campaigns=ASKED)
    do(project, "approve", "spring")
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, dict(delivered.unapproved)) == (2, {}), "both contents are approved"


def test_a_paused_campaign_waits_and_goes_on_after_activation(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    yearly = make_campaign("spring", key="year", limits={"per_customer": 9})
    other = make_campaign("other", audience="customer = 'bob'", priority=1)
    project = shop(yearly, other)
    assert planned(project) == {"spring": 2, "other": 1}
    assert do(project, "pause", "spring").waiting == 2
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, dict(delivered.inactive), told.customers) == (1, {"spring": 2}, ["bob"])
    assert states(project, "spring") == ["queued", "queued"]
    again = planned(project, START + 400 * DAY)
    assert again == {"spring": 2}, "nothing new of a paused campaign"
    do(project, "activate", "spring")
    assert project.deliver(as_of=START + 400 * DAY).accepted == 2
    assert project.plan(as_of=START + 400 * DAY).planned == 1, "bob is looked at again, whom the plan left out"
    assert planned(project, START + 430 * DAY) == {"spring": 3}


def test_what_a_campaign_held_back_is_looked_at_when_it_is_paused(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("dear", priority=1), make_campaign("poor"), minimum_interval_days={"default": 0})
    assert planned(project) == {"dear": 3}
    do(project, "archive", "dear")
    assert states(project, "dear") == ["stopped"] * 3
    details = set(project.store.read(MESSAGES, where={"campaign": "dear"})["detail"])
    assert details == {"campaign_archived"}
    assert project.store.marked("plan") == 3
    assert project.plan(as_of=START + timedelta(seconds=1)).planned == 3
    assert states(project, "poor") == ["queued"] * 3


def test_archiving_stops_what_waits_and_nothing_else(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    other = make_campaign("other", audience="customer = 'cyd'")
    project = shop(make_campaign("spring", audience="customer <> 'cyd'"), other)
    assert planned(project) == {"spring": 2, "other": 1}
    stranger = project.store.read(MESSAGES, where={"campaign": "other"})
    row = project.store.read(MESSAGES, where={"campaign": "spring"}).head(1)
    with project.store.transaction():
        project.store.update(MESSAGES, row.select("id", pl.lit("accepted").alias("state")))
    done = do(project, "archive", "spring")
    assert (done.stopped, done.waiting) == (1, 0)
    assert states(project, "spring") == ["accepted", "stopped"]
    assert project.store.read(MESSAGES, where={"campaign": "other"}).equals(stranger)
    project.deliver(as_of=START)
    assert [each.engagement.campaign for each in told.given] == ["other"]


def test_what_archiving_stopped_is_not_planned_again_for_its_occasion(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"))
    assert planned(project) == {"spring": 3}
    for act in ("archive", "draft", "activate"):
        do(project, act, "spring")
    assert planned(project, START + DAY) == {}


def test_messages_that_were_claimed_when_their_campaign_was_archived_are_stopped(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project = shop(make_campaign("spring"))
    planned(project)
    with project.store.transaction():
        project.store.claim(worker="gone", channel="letters", as_of=START, until=START, limit=2)
    done = do(project, "archive", "spring")
    assert (done.stopped, done.waiting) == (1, 2)
    assert project.campaign_life.show("spring").waiting == 2
    assert project.deliver(as_of=START + DAY).stopped == 2
    assert states(project, "spring") == ["stopped"] * 3
    assert told.given == []
    assert project.store.marked("plan") == 3


def test_content_that_is_edited_after_its_approval_is_a_draft_again_and_what_waits_goes_on(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    first = make_campaign("spring", audience="customer <> 'cyd'")
    project = shop(first, campaigns=ASKED)
    do(project, "approve", "spring")
    do(project, "activate", "spring")
    assert planned(project) == {"spring": 2}
    project.close()
    variants = [Variant(channel="letters", subject="New", text="New")]
    project = shop(make_campaign("spring", variants=variants), campaigns=ASKED)
    view = project.campaign_life.show("spring")
    assert (view.state, view.may) == ("draft", ("approve", "pause", "archive"))
    assert [(each.approved, each.waiting) for each in view.versions] == [(True, 2)]
    assert planned(project, START + DAY) == {"spring": 2}, "nothing of the new content"
    delivered = project.deliver(as_of=START + DAY)
    assert (delivered.accepted, {each.subject for each in told.given}) == (2, {"Hello"})
    with pytest.raises(RejectedError, match="is a draft and cannot be activated: its content has changed since"):
        do(project, "activate", "spring")
    done = do(project, "approve", "spring")
    assert (done.act.state, state(project, "spring")) == ("active", "active"), "its content alone was in question"
    assert planned(project, START + 2 * DAY) == {"spring": 1}
    project.deliver(as_of=START + 2 * DAY)
    assert [(each.engagement.customer, each.subject) for each in told.given[2:]] == [("cyd", "New")]
    assert [(each.approved, each.waiting) for each in project.campaign_life.show("spring").versions] == [
        (True, 0),
        (True, 0),
    ]


def test_a_paused_campaign_with_other_content_is_approved_before_it_is_activated(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"), campaigns=ASKED)
    for act in ("approve", "activate", "pause"):
        do(project, act, "spring")
    project.close()
    project = shop(make_campaign("spring", priority=9), campaigns=ASKED)
    assert state(project, "spring") == "paused"
    with pytest.raises(RejectedError, match="has changed since it was approved; it may be approved or archived"):
        do(project, "activate", "spring")
    assert do(project, "approve", "spring").act.state == "paused"
    assert do(project, "activate", "spring").act.state == "active"


def test_an_approval_is_of_the_content_that_was_looked_at(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"), campaigns=ASKED)
    seen = project.campaign_life.show("spring").version
    project.close()
    project = shop(make_campaign("spring", priority=9), campaigns=ASKED)
    with pytest.raises(RejectedError, match=f"has the version [0-9a-f]+ by now, not {seen}"):
        do(project, "approve", "spring", version=seen)
    assert acts(project).is_empty()
    do(project, "approve", "spring", version=project.campaign_life.show("spring").version)
    assert state(project, "spring") == "approved"


def test_a_draft_from_the_archive_has_lost_its_approval(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project = shop(make_campaign("spring"), campaigns=ASKED)
    for act in ("approve", "archive", "draft"):
        do(project, act, "spring")
    assert project.campaign_life.show("spring").approved == ""
    with pytest.raises(RejectedError, match="approval asks for an approval first"):
        do(project, "activate", "spring")


def test_a_campaign_whose_file_is_gone_goes_on_and_may_be_paused_and_archived(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project = shop(make_campaign("spring"))
    planned(project)
    version = project.campaign_life.show("spring").version
    project.close()
    project = shop(make_campaign("other", audience="customer = 'nobody'"))
    gone = next(each for each in project.campaign_life.list() if each.campaign == "spring")
    assert (gone.is_gone, gone.state, gone.waiting, gone.version, gone.owner) == (True, "active", 3, version, "")
    for act in ("approve", "activate", "draft"):
        with pytest.raises(ConfigurationError, match="no campaign 'spring'"):
            do(project, act, "spring")
    with project.store.transaction():
        ids = project.store.read(MESSAGES, columns=["id"]).sort("id")
        later = pl.lit(START + 2 * DAY, MESSAGES.schema["not_before"]).alias("not_before")
        project.store.update(MESSAGES, ids.tail(2).select("id", later))
    assert project.deliver(as_of=START).accepted == 1, "what waits goes on as it was planned"
    assert do(project, "pause", "spring").waiting == 2
    assert project.deliver(as_of=START + 3 * DAY).accepted == 0
    done = do(project, "archive", "spring")
    assert (done.stopped, done.act.version) == (2, version)
    with pytest.raises(RejectedError, match="is archived and cannot be archived, and its file is gone or wrong"):
        do(project, "archive", "spring")
    assert project.deliver(as_of=START + 3 * DAY).accepted == 0
    assert [each.campaign for each in project.campaign_life.list()] == ["other", "spring"]
    assert len(told.given) == 1


def test_a_campaign_that_is_not_active_hinders_nobody(shop: Callable[..., Relationships], make_campaign: Plan) -> None:
    project = shop(make_campaign("strong", priority=9), make_campaign("weak"), campaigns=ASKED)
    for act in ("approve", "activate"):
        do(project, act, "weak")
    assert planned(project) == {"weak": 3}
    assert set(project.store.read(DECISIONS)["campaign"]) == {"weak"}


def test_explain_says_that_a_campaign_is_not_active(shop: Callable[..., Relationships], make_campaign: Plan) -> None:
    project = shop(make_campaign("spring", priority=9), make_campaign("other"))
    do(project, "pause", "spring")
    project.review(as_of=START)
    outlooks = {each.campaign: each.outlook for each in project.explain("ada", as_of=START).actions}
    assert outlooks["spring"] is not None
    assert (outlooks["spring"].reason, outlooks["spring"].detail) == ("not_active", "paused")
    assert outlooks["other"] is not None
    assert outlooks["other"].reason == "due"


def row_of(state: CampaignState, content: str) -> str:
    """What the page tells of a campaign whose approved content is ``old``, and whose file may have another."""
    approved = frozenset() if state == "draft" else frozenset({"old"})
    asked, not_asked = (
        Life(state=state, approved="old" if approved else "", ever_approved=approved, approval=approval)
        for approval in (True, False)
    )
    version = content or "old"
    shown = asked.state_with(version)
    joint = "and" if shown == state else "because"
    changed = f", {joint} the content of {AN[state]} campaign has changed" if content else ""
    waits = "was stopped" if state == "archived" else "goes, as it was planned" if content else "goes"
    cells = (
        f"`{shown}`{changed}",
        "yes" if shown == "active" else "no",
        waits if state == "archived" or asked.sends("old") else "waits",
        ", ".join(asked.moves(version)),
        "as " + f"`{state}`" if content else ", ".join(not_asked.moves(version)),
    )
    assert not content or not_asked.moves(version) == not_asked.moves("old")
    return f"| {' | '.join(cells)} |"


def test_the_guide_tells_of_every_state_what_holds_and_what_may_be_done() -> None:
    page = (Path(__file__).parents[1] / "docs/how-to/bring-a-campaign-to-life.md").read_text(encoding="utf-8")
    rows = [row_of(each, "") for each in get_args(CampaignState)]
    rows += [row_of(each, "new") for each in ("approved", "active", "paused")]
    head, rule, *body = [line for line in page.splitlines() if line.startswith("|")]
    assert head.count("|") == rule.count("|") == 6
    assert body == rows


# Two at once


def test_a_pause_acts_on_a_delivery_that_is_under_way(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project, second = shop(make_campaign("spring")), shop(make_campaign("spring"))
    planned(project)
    told.before = lambda _: do(second, "pause", "spring")
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, dict(delivered.inactive)) == (1, {"spring": 2}), (
        "the one that was being sent is the last"
    )
    assert states(project, "spring") == ["accepted", "queued", "queued"]
    told.before = lambda _: None
    do(second, "activate", "spring")
    assert project.deliver(as_of=START).accepted == 2
    assert sorted(told.customers) == ["ada", "bob", "cyd"]


def test_an_archive_acts_on_a_delivery_that_is_under_way(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project, second = shop(make_campaign("spring")), shop(make_campaign("spring"))
    planned(project)
    told.before = lambda _: do(second, "archive", "spring")
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.stopped) == (1, 2)
    assert states(project, "spring") == ["accepted", "stopped", "stopped"]


def test_a_delivery_goes_on_with_other_campaigns_when_one_is_paused(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    campaigns = [
        make_campaign("spring", audience="customer <> 'bob'"),
        make_campaign("other", audience="customer = 'bob'"),
    ]
    project, second = shop(*campaigns), shop(*campaigns)
    planned(project)
    first: list[Message] = []

    def pause(message: Message) -> None:
        if not first:
            first.append(message)
            do(second, "pause", "spring")

    told.before = pause
    project.deliver(as_of=START)
    assert "bob" in told.customers
    assert first[0].engagement.customer in told.customers
    assert len(told.given) == (1 if first[0].engagement.customer == "bob" else 2)


def test_a_campaign_that_is_planned_anew_while_messages_go_is_delivered_with_them(
    shop: Callable[..., Relationships], make_campaign: Plan, told: Told
) -> None:
    project, second = shop(make_campaign("spring", audience="customer = 'ada'")), shop(make_campaign("summer"))
    planned(project)
    told.before = lambda _: planned(second, START) if not told.given else None
    assert project.deliver(as_of=START).accepted == 3
    assert sorted(told.customers) == ["ada", "bob", "cyd"]


@pytest.mark.parametrize("act", ["pause", "archive"])
@pytest.mark.parametrize("budget", [None, 100])
def test_an_act_while_a_plan_is_under_way_holds_from_then_on(
    shop: Callable[..., Relationships], make_campaign: Plan, act: str, budget: int | None
) -> None:
    spring = make_campaign("spring", limits={"budget": budget})
    if budget is not None:
        spring = evolve(spring, cost=evolve(spring.cost, money=10))
    campaigns = [spring, make_campaign("weak")]
    project, second = shop(*campaigns, page_size=1), shop(*campaigns)
    project.review(as_of=START)
    pages = []

    def after_the_first(progress: Progress) -> None:
        pages.append(progress.done)
        if len(pages) == 1:
            do(second, act, "spring")

    result = project.plan(as_of=START, progress=after_the_first)
    assert dict(result.inactive) == {"spring": {"pause": "paused", "archive": "archived"}[act]}
    waiting = project.store.read(MESSAGES, where={"campaign": "spring", "state": "queued"}).height
    written = project.store.read(MESSAGES, where={"campaign": "spring"}).height
    assert written == (0 if budget else 1), "with a budget nothing is written before the last page"
    assert waiting == (written if act == "pause" else 0)
    # Whoever was decided about by other campaigns than there are now is looked at again.
    project.plan(as_of=START + timedelta(seconds=1))
    left = 3 - waiting
    assert states(project, "weak") == ["queued"] * left


def test_a_campaign_paused_and_activated_while_a_plan_is_under_way_has_its_turn_with_the_next(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    project, second = shop(make_campaign("spring"), page_size=1), shop(make_campaign("spring"))
    project.review(as_of=START)
    moves = iter(["pause", "activate", None])

    def move(_: Progress) -> None:
        act = next(moves)
        if act:
            do(second, act, "spring")

    project.plan(as_of=START, progress=move)
    assert states(project, "spring") == ["queued"]
    assert project.plan(as_of=START + timedelta(seconds=1)).planned == 2


def test_an_act_that_makes_no_campaign_active_or_inactive_marks_nobody_for_the_next_plan(
    shop: Callable[..., Relationships], make_campaign: Plan
) -> None:
    campaigns = [make_campaign("spring"), make_campaign("weak")]
    project, second = (shop(*campaigns, page_size=1, campaigns=ASKED) for _ in range(2))
    for act in ("approve", "activate"):
        do(project, act, "weak")
    project.review(as_of=START)
    moves = iter(["approve", None, None])

    def move(_: Progress) -> None:
        act = next(moves)
        if act:
            do(second, act, "spring")

    assert project.plan(as_of=START, progress=move).customers == 3
    assert project.plan(as_of=START + timedelta(seconds=1)).customers == 0


def test_two_processes_that_do_the_same_at_once_do_it_once(relate: Relate, tmp_path: Path) -> None:
    assert relate("init", "--name", "Shop").exit_code == 0
    command = [sys.executable, "-m", "relationship_core", "--project", str(tmp_path / "shop"), "campaign", "pause"]
    running = [
        subprocess.Popen([*command, "thank-you", "--actor", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("eve", "sue", "tom")
    ]
    told = [process.communicate()[1].decode() for process in running]
    assert sorted(process.returncode for process in running) == [0, 1, 1]
    assert sum("is paused and cannot be paused" in each for each in told) == 2
    with Relationships.open(tmp_path / "shop") as project:
        (act,) = project.campaign_life.show("thank-you").acts
        assert act.actor in {"eve", "sue", "tom"}


# Killed


@contextmanager
def in_place_of(project: Relationships, store: Store) -> Iterator[None]:
    before = project.store
    project.store = store
    try:
        yield
    finally:
        project.store = before


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("act", ["approve", "pause", "archive"])
def test_an_act_that_dies_is_done_or_is_not(
    make_project: Open,
    make_campaign: Plan,
    make_customer: Know,
    make_mortal: Callable[..., Store],
    act: str,
    *,
    committed: bool,
) -> None:
    project = make_project(make_campaign("spring"), clock=lambda: START)
    project.record_customers(make_customer(id) for id in ("ada", "bob"))
    planned(project)
    for way in ("archive", "draft") if act == "approve" else ():
        do(project, way, "spring")
    before, waited = acts(project), states(project, "spring")
    with in_place_of(project, make_mortal(project.store, 1, committed=committed)), pytest.raises(KeyboardInterrupt):
        do(project, act, "spring")
    done = acts(project).height == before.height + 1
    assert done is committed
    assert states(project, "spring") == (["stopped"] * 2 if committed and act == "archive" else waited)
    if not committed:
        do(project, act, "spring")
    else:
        with pytest.raises(RejectedError):
            do(project, act, "spring")
    assert acts(project)["entry"].to_list() == list(range(1, before.height + 2))


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_delivery_that_dies_after_a_pause_sends_nothing_twice_and_nothing_paused(
    shop: Callable[..., Relationships],
    make_campaign: Plan,
    make_mortal: Callable[..., Store],
    told: Told,
    at: int,
    *,
    committed: bool,
) -> None:
    project = shop(make_campaign("spring"))
    planned(project)
    plain = project.store

    def pause(_: Message) -> None:
        if len(told.given) == 0:
            mortal, project.store = project.store, plain
            do(project, "pause", "spring")
            project.store = mortal

    told.before = pause
    with in_place_of(project, make_mortal(plain, at, committed=committed)):
        try:
            project.deliver(as_of=START)
        except KeyboardInterrupt:
            assert at <= 6
    told.before = lambda _: None
    if acts(project).is_empty():
        do(project, "pause", "spring")
    sent = len(told.given)
    project.deliver(as_of=START + DAY)
    assert len(told.given) == sent <= 1
    do(project, "activate", "spring")
    project.deliver(as_of=START + DAY)
    assert len(set(told.customers)) == len(told.given)
    assert set(states(project, "spring")) <= {"accepted", "unknown"}
