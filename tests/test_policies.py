"""Policies: when each of them holds, for whom, until when, and what people are told."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from relationship_core import (
    DECISIONS,
    Campaign,
    Cap,
    ConfigurationError,
    ConsentSettings,
    Cost,
    Customer,
    Interaction,
    LedgerSettings,
    Nature,
    Policy,
    Purpose,
    Relationships,
    Settings,
    read_settings,
)
from relationship_core.builtin.policies import relationship_policies
from relationship_core.flow.contact.verdicts import with_reasons
from relationship_core.flow.plan import candidates

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "policies.md"
POLICIES = {policy.name: policy for policy in relationship_policies()}

INSTANT = pl.Datetime("us", "UTC")
TYPES: Mapping[str, Any] = {
    "held": pl.Boolean,
    "expires_at": INSTANT,
    "engagements": pl.Int64,
    "per_customer": pl.Int64,
    "goal_reached": pl.Boolean,
    "cleared_at": INSTANT,
    "cleared_until": INSTANT,
    "cleared_by": pl.String,
    "wish": pl.String,
    "reachable": pl.Boolean,
    "suppressed": pl.Boolean,
    "consent": pl.String,
    "sensitive_until": INSTANT,
    "sensitive_open": pl.Float64,
    "complaints_open": pl.Float64,
    "last_return_at": INSTANT,
    "open_ask_at": INSTANT,
    "open_ask_until": INSTANT,
    "contact_balance": pl.Float64,
    "contact_balance_until": INSTANT,
    "weight": pl.Float64,
    "last_contact_at": INSTANT,
    "minimum_interval_days": pl.Float64,
    "cap": pl.String,
    "cap_until": INSTANT,
    "value": pl.Int64,
    "cost_minor": pl.Float64,
    "quiet_until": INSTANT,
    "quiet_unknown": pl.Boolean,
    "now": INSTANT,
}
NOTHING_AGAINST: Mapping[str, Any] = {
    **dict.fromkeys(TYPES),
    "held": False,
    "engagements": 0,
    "goal_reached": False,
    "wish": "close",
    "reachable": True,
    "suppressed": False,
    "consent": "granted",
    "sensitive_open": 0.0,
    "complaints_open": 0.0,
    "contact_balance": 1.0,
    "weight": 1.0,
    "minimum_interval_days": 14.0,
    "value": 0,
    "cost_minor": 0.0,
    "quiet_unknown": False,
    "now": NOW,
}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def judged(
    policies: tuple[Policy, ...] = relationship_policies(), **circumstances: Any
) -> dict[tuple[str, str], tuple[str | None, str, datetime | None, datetime, datetime, str]]:
    """For each purpose and nature the reason, its detail, until when; and until when a message waits, and why."""
    rows = [
        {**NOTHING_AGAINST, **circumstances, "campaign": "one", "purpose": purpose, "nature": nature}
        for purpose in get_args(Purpose)
        for nature in get_args(Nature)
    ]
    schema = {"campaign": pl.String, "purpose": pl.String, "nature": pl.String, **TYPES}
    found = with_reasons(pl.DataFrame(rows, schema=schema), policies, {})
    columns = ("purpose", "nature", "reason", "detail", "until", "now", "not_before", "waits")
    return {(row[0], row[1]): row[2:] for row in found.select(columns).iter_rows()}


def refused(reason: str, **circumstances: Any) -> set[str]:
    """For whom a reason is given, as ``purpose nature``."""
    return {f"{purpose} {nature}" for (purpose, nature), row in judged(**circumstances).items() if row[0] == reason}


MARKETING = {f"marketing {nature}" for nature in get_args(Nature)}
EVERYBODY = MARKETING | {f"service {nature}" for nature in get_args(Nature)}
NO_GIVE = {"marketing ask", "marketing neutral"}
ASKS = {"marketing ask"}

WHEN: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
    ("expired", {"expires_at": NOW}, EVERYBODY),
    ("expired", {"expires_at": NOW + days(1)}, set()),
    ("already_done", {"engagements": 2, "per_customer": 2}, EVERYBODY),
    ("already_done", {"engagements": 1, "per_customer": 2}, set()),
    ("goal_reached", {"goal_reached": True}, EVERYBODY),
    ("cleared", {"cleared_at": NOW, "cleared_by": "campaign news"}, EVERYBODY),
    ("preference", {"wish": "none"}, MARKETING | {"service give", "service ask"}),
    ("preference", {"wish": "transactional"}, MARKETING),
    ("preference", {"wish": "occasional"}, set()),
    ("no_contact_point", {"reachable": False}, EVERYBODY),
    ("suppressed", {"suppressed": True}, EVERYBODY),
    *(
        ("no_consent", {"consent": state}, MARKETING)
        for state in ("pending", "expired", "none", "withdrawn", "objected")
    ),
    ("no_consent", {"consent": "not_needed"}, set()),
    ("sensitive", {"sensitive_until": NOW + days(1)}, MARKETING),
    ("sensitive", {"sensitive_until": NOW}, set()),
    ("sensitive", {"sensitive_open": 1.0}, MARKETING),
    ("open_complaint", {"complaints_open": 1.0}, NO_GIVE),
    ("recent_refund", {"last_return_at": NOW - days(13.9)}, NO_GIVE),
    ("recent_refund", {"last_return_at": NOW - days(14)}, set()),
    ("open_ask", {"open_ask_at": NOW - days(3), "open_ask_until": NOW + days(27)}, ASKS),
    ("contact_balance", {"contact_balance": 0.99}, ASKS),
    ("contact_balance", {"contact_balance": 0.5, "weight": 0.5}, set()),
    ("minimum_interval", {"last_contact_at": NOW - days(13)}, MARKETING),
    ("minimum_interval", {"last_contact_at": NOW - days(14)}, set()),
    ("frequency_cap", {"cap": "weekly", "cap_until": NOW + days(2)}, EVERYBODY),
    ("uneconomic", {"value": 10, "cost_minor": 10.5}, MARKETING),
    ("uneconomic", {"value": 10, "cost_minor": 10.0}, set()),
)


@pytest.mark.parametrize(("reason", "circumstances", "whom"), WHEN)
def test_when_each_reason_is_given_and_for_whom(reason: str, circumstances: dict[str, Any], whom: set[str]) -> None:
    assert refused(reason, **circumstances) == whom
    others = {row[0] for row in judged(**circumstances).values()} - {reason, None}
    assert others == set()


def test_every_reason_is_tried() -> None:
    assert {reason for reason, _circumstances, _whom in WHEN} | {"quiet_hours"} == set(POLICIES)


def test_nothing_is_refused_where_nothing_is_against_it() -> None:
    assert {row[0] for row in judged().values()} == {None}


def test_what_this_plan_has_queued_stays() -> None:
    assert {row[0] for row in judged(held=True, reachable=False, suppressed=True).values()} == {None}


UNTIL: tuple[tuple[str, dict[str, Any], str, datetime | None], ...] = (
    ("sensitive", {"sensitive_until": NOW + days(3)}, "", NOW + days(3)),
    ("sensitive", {"sensitive_until": NOW + days(3), "sensitive_open": 1.0}, "", None),
    ("open_complaint", {"complaints_open": 2.0}, "", None),
    ("recent_refund", {"last_return_at": NOW - days(4)}, "", NOW + days(10)),
    (
        "open_ask",
        {"open_ask_at": NOW - days(3), "open_ask_until": NOW + days(27)},
        "asked on 2026-05-01",
        NOW + days(27),
    ),
    (
        "contact_balance",
        {"contact_balance": -0.456, "contact_balance_until": NOW + days(9)},
        "has -0.46, needs 1.0",
        NOW + days(9),
    ),
    ("minimum_interval", {"last_contact_at": NOW - days(1)}, "", NOW + days(13)),
    ("frequency_cap", {"cap": "weekly", "cap_until": NOW + days(2)}, "weekly", NOW + days(2)),
    ("uneconomic", {"value": 100, "cost_minor": 250.5}, "worth 100 and costs 251 minor units", None),
    ("preference", {"wish": "transactional"}, "transactional", None),
    ("no_consent", {"consent": "withdrawn"}, "withdrawn", None),
)


@pytest.mark.parametrize(("reason", "circumstances", "detail", "until"), UNTIL)
def test_what_people_are_told_and_when_it_may_lift(
    reason: str, circumstances: dict[str, Any], detail: str, until: datetime | None
) -> None:
    assert judged(**circumstances)["marketing", "ask"][:3] == (reason, detail, until)


def test_quiet_hours_refuse_nobody_and_make_everybody_wait() -> None:
    found = judged(quiet_until=NOW + timedelta(hours=3))
    assert {row[0] for row in found.values()} == {None}
    assert {row[4] for row in found.values()} == {NOW + timedelta(hours=3)}
    assert {row[4] for row in judged().values()} == {NOW}


def test_the_latest_of_those_that_make_a_message_wait_counts_and_tells_why() -> None:
    later = pl.col("now") + pl.duration(hours=5)
    policies = (
        Policy(name="lunch", defers=pl.col("now") + pl.duration(hours=1), detail=pl.lit("at lunch")),
        Policy(name="market", defers=later, detail=pl.lit("at the market"), purposes=["marketing"]),
        Policy(name="never", defers=pl.lit(None, INSTANT), detail=pl.lit("nothing")),
        Policy(name="unasked", defers=later + pl.duration(hours=1), natures=["ask"]),
    )
    found = {key: (row[4], row[5]) for key, row in judged(policies=policies).items()}
    for (purpose, nature), (until, told) in found.items():
        hours = 6 if nature == "ask" else 5 if purpose == "marketing" else 1
        assert until == NOW + timedelta(hours=hours)
        assert told == {6: "", 5: "at the market", 1: "at lunch"}[hours], (purpose, nature)


def test_service_passes_whatever_is_only_about_marketing() -> None:
    """The apology, the answer, the safety notice: what is owed goes out."""
    against: dict[str, Any] = {
        "wish": "transactional",
        "consent": "objected",
        "sensitive_until": NOW + days(9),
        "sensitive_open": 1.0,
        "complaints_open": 3.0,
        "last_return_at": NOW,
        "open_ask_at": NOW - days(1),
        "open_ask_until": NOW + days(29),
        "contact_balance": -9.0,
        "last_contact_at": NOW,
        "cost_minor": 1e6,
    }
    found = judged(**against)
    assert {reason for (purpose, _), (reason, *_more) in found.items() if purpose == "service"} == {None}
    assert {reason for (purpose, _), (reason, *_more) in found.items() if purpose == "marketing"} == {"preference"}


def test_the_first_in_order_gives_the_reason() -> None:
    first, *rest = (
        "expired",
        "already_done",
        "goal_reached",
        "cleared",
        "preference",
        "no_contact_point",
        "suppressed",
        "no_consent",
        "sensitive",
    )
    then = ("open_complaint", "recent_refund", "open_ask", "contact_balance", "minimum_interval", "frequency_cap")
    assert list(POLICIES) == [first, *rest, *then, "uneconomic", "quiet_hours"]
    everything: dict[str, Any] = {}
    for reason, circumstances, whom in reversed(WHEN):
        if "marketing ask" in whom:
            everything |= circumstances
            assert judged(**everything)["marketing", "ask"][0] == reason


# From what is recorded

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]


def reasons(project: Relationships, at: datetime) -> dict[str, str]:
    """The reason for each campaign, planned anew; nothing is kept."""
    project.review(as_of=at)
    project.plan(as_of=at)
    return dict(project.store.read(DECISIONS).select("campaign", "reason").iter_rows())


@pytest.fixture
def asking(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project whose offer (a marketing ask) and apology (a service give) are due for ada all the time."""

    def make(**more: Any) -> Relationships:
        project = make_project(
            make_campaign("offer", nature="ask", key="day"),
            make_campaign("apology", nature="give", purpose="service", when="complaints_open > 0", key="day"),
            **{"minimum_interval_days": {"default": 0.0}, **more},
        )
        project.record_customers([make_customer("ada")])
        return project

    return make


def test_an_open_complaint_holds_the_offer_back_and_not_the_apology(
    asking: Callable[..., Relationships], make_interaction: Make
) -> None:
    project = asking()
    project.record([make_interaction("ada", "complaint_opened", NOW, reference="cold-soup")])
    assert reasons(project, NOW) == {"offer": "open_complaint", "apology": "due"}
    project.record([make_interaction("ada", "complaint_resolved", NOW + days(1), reference="cold-soup")])
    assert reasons(project, NOW + days(1))["offer"] == "due"


def test_a_return_holds_offers_back_for_two_weeks(asking: Callable[..., Relationships], make_interaction: Make) -> None:
    project = asking()
    project.record([make_interaction("ada", "return", NOW)])
    assert reasons(project, NOW)["offer"] == "recent_refund"
    assert reasons(project, NOW + days(13))["offer"] == "recent_refund"
    assert reasons(project, NOW + days(14))["offer"] == "due"


@pytest.mark.parametrize(
    ("data", "over", "free_from"),
    [
        ({"until": "2026-05-20T12:00:00+00:00"}, None, datetime(2026, 5, 20, 12, tzinfo=UTC)),
        ({"until": "2026-05-20"}, None, datetime(2026, 5, 21, tzinfo=UTC)),
        ({"until": "2026-05-20"}, NOW + days(3), NOW + days(3)),
        ({}, NOW + days(200), NOW + days(200)),
    ],
)
def test_a_sensitive_situation_lasts_until_its_end(
    asking: Callable[..., Relationships],
    make_interaction: Make,
    data: dict[str, str],
    over: datetime | None,
    free_from: datetime,
) -> None:
    project = asking()
    project.record([make_interaction("ada", "sensitive_noted", NOW, data=data)])
    assert reasons(project, NOW)["offer"] == "sensitive"
    assert reasons(project, free_from - timedelta(minutes=1))["offer"] == "sensitive"
    if over is not None:
        project.record([make_interaction("ada", "sensitive_over", over)])
    assert reasons(project, free_from)["offer"] == "due"
    later = free_from + timedelta(minutes=1)
    project.record([make_interaction("ada", "sensitive_noted", later)])
    assert reasons(project, later + days(1))["offer"] == "sensitive"


def test_an_engagement_that_costs_more_than_it_brings(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    cost = Cost(money=80, our_minutes=2)
    for minute, expected in ((10, "due"), (11, "uneconomic")):
        campaign = make_campaign("card", value=100, cost=cost)
        project = make_project(campaign, ledger=LedgerSettings(minute=minute))
        project.record_customers([make_customer("ada")])
        assert reasons(project, NOW) == {"card": expected}


# Declaring them


def test_a_policy_refuses_or_defers() -> None:
    with pytest.raises(ConfigurationError, match="'idle' neither refuses nor defers; give it one of both"):
        Policy(name="idle")
    with pytest.raises(ConfigurationError, match="until when it refuses, and never refuses"):
        Policy(name="idle", defers=pl.col("now"), until=pl.col("now"))
    assert Policy(name="night", defers=pl.col("now")).refuses is None
    assert len(Policy(name="night", refuses=pl.lit(value=True), detail=pl.lit("")).expressions) == 2


# The page


def table(policies: Mapping[str, Policy]) -> str:
    """What the page must hold: every policy, for whom it holds, and when it lifts."""
    rows = [
        f"| `{policy.name}` | {_listed(policy.purposes, Purpose)} | {_listed(policy.natures, Nature)} "
        f"| {_effect(policy)} | {policy.summary} |"
        for policy in policies.values()
    ]
    return "\n".join(["| reason | purpose | nature | effect | why |", "| --- | --- | --- | --- | --- |", *rows])


def _listed(values: tuple[str, ...], every: Any) -> str:
    return "every" if set(values) == set(get_args(every)) else ", ".join(values)


def _effect(policy: Policy) -> str:
    if policy.refuses is None:
        return "waits"
    return "refuses, until news" if policy.until is None else "refuses, until a time"


def test_the_page_tells_of_every_policy_as_it_is() -> None:
    assert table(POLICIES) in PAGE.read_text(encoding="utf-8")


def test_the_page_lists_what_policies_see() -> None:
    bullets = (candidates.__doc__ or "").partition("standing:\n\n")[2].strip().replace("``", "`")
    assert bullets.startswith("- `campaign`")
    assert bullets in PAGE.read_text(encoding="utf-8")


def test_the_guide_to_campaigns_knows_every_reason() -> None:
    guide = PAGE.parent.parent / "how-to" / "write-a-campaign.md"
    told = re.findall(r"^\| `(\w+)` \|", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(POLICIES) <= set(told)


# What cannot be configured


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_a_cap_of_nothing(count: Any) -> None:
    with pytest.raises(ConfigurationError, match="count must be"):
        Cap(count=count, days=7)


def test_a_cap_in_a_file(tmp_path: Path) -> None:
    text = "[caps.weekly]\ncount = 0\ndays = 7\n[caps.daily]\ncount = 1\ndays = 0\n[caps.odd]\ncount = 1\nday = 1\n"
    (tmp_path / "relationship.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(tmp_path)
    complaints = str(caught.value)
    for complaint in ("[caps] weekly", "[caps] daily", "[caps] odd", "did you mean 'days'"):
        assert complaint in complaints


@pytest.mark.parametrize(
    "text",
    [
        '[consent]\nwithout = ["sms"]\ndouble_opt_in = ["sms"]\n',
        '[caps.one]\ncount = 1\ndays = 7\npurposes = ["sale"]\n',
    ],
)
def test_contradictory_and_unknown_limits(tmp_path: Path, text: str) -> None:
    (tmp_path / "relationship.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"contradict each other|service, marketing"):
        read_settings(tmp_path)
    with pytest.raises(ConfigurationError):
        Settings(consent=ConsentSettings(without=("sms",), double_opt_in=("sms",)))
