"""The project of sixteen campaigns: every policy has something to say, and everybody has said what they permit."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
from attrs import evolve

from data import NOW, numbered
from projects import CAMPAIGNS, DATABASE, Prepared, open_project
from relationship_core import (
    Action,
    After,
    Campaign,
    Cap,
    ConsentSettings,
    Cost,
    HoldoutSettings,
    LedgerSettings,
    Limits,
    Offer,
    PreferenceSettings,
    Relationships,
)
from relationship_core.campaign_files import campaign_content

_TIMES = 3
"""Each of the five campaigns comes in so many versions, and the last version of the first once more."""


def _versions(campaign: Campaign) -> list[Campaign]:
    """The same audience and occasion by three departments, each with other terms."""
    marketing = campaign.purpose == "marketing"
    plain = evolve(campaign, priority=1, topic="news", value=300, cost=Cost(money=20, their_minutes=1))
    offers = marketing and campaign.nature == "ask"
    held = evolve(
        plain,
        name=f"{campaign.name}-sales",
        owner="Sales",
        priority=2,
        topic="offers",
        holdout=0.1 if marketing else 0.0,
        offer=Offer(summary="10 % off", percent=10, days=30) if offers else None,
        actions=tuple(map(_offering, campaign.actions)) if offers else campaign.actions,
        limits=Limits(expires_days=30, per_customer=5, budget=200_000 if marketing else None),
    )
    followed = evolve(
        plain,
        name=f"{campaign.name}-service",
        owner="Service",
        goal="last_order_at > entered_at",
        actions=(*campaign.actions, _follow_up(campaign.actions[0])),
    )
    return [plain, held, followed]


def _offering(action: Action) -> Action:
    words = "{{ offer.summary }} until {{ offer.until }} with {{ offer.code }}\n"
    return evolve(action, variants=[evolve(each, text=each.text + words) for each in action.variants])


def _follow_up(first: Action) -> Action:
    after = After(action=first.name, days=14, when="last_order_at IS NULL OR last_order_at < step_at")
    return Action(name="again", after=after, variants=first.variants)


_FIFTEEN = tuple(version for campaign in CAMPAIGNS for version in _versions(campaign))
SIXTEEN: tuple[Campaign, ...] = (*_FIFTEEN, evolve(_FIFTEEN[_TIMES - 1], name="once-more", owner="Board"))


def open_contact(folder: Path) -> Relationships:
    """Open the project with its sixteen campaigns, making it if there is none."""
    return open_project(
        folder,
        campaigns=SIXTEEN,
        consent=ConsentSettings(),
        preference=PreferenceSettings(),
        caps={"weekly": Cap(count=2, days=7), "monthly": Cap(count=4, days=30)},
        ledger=LedgerSettings(minute=50),
        holdout=HoldoutSettings(share=0.02),
    )


def permitted(prepared: Prepared) -> Path:
    """Everybody reviewed by the rules of sixteen campaigns, with what they permit and want; nothing planned."""
    return prepared.after("permitted", prepared.reviewed(), lambda folder: _permit(folder, prepared.size.customers))


def contacted(prepared: Prepared) -> Path:
    """The same, planned for."""
    return prepared.after("contacted", permitted(prepared), _plan)


def _plan(folder: Path) -> None:
    with open_contact(folder) as project:
        project.plan(as_of=NOW)


def _permit(folder: Path, customers: int) -> None:
    """One in ten never said yes, one in twenty took it back, a sixth wants nothing, one address in 100 is held back."""
    ids = pl.DataFrame({"number": pl.int_range(customers, eager=True)}).with_columns(
        numbered("c", "number").alias("customer"),
        # Of every life, since those come in turns of fifty.
        (pl.col("number") // 50).alias("turn"),
    )
    said = pl.lit(NOW - timedelta(days=200))
    acts = ids.filter(pl.col("turn") % 10 != 0).select(
        "customer",
        ("consent-" + pl.col("customer")).alias("id"),
        pl.when(pl.col("turn") % 20 == 1).then(pl.lit("withdraw")).otherwise(pl.lit("grant")).alias("act"),
        said.alias("at"),
        pl.lit("email").alias("medium"),
        pl.lit("form").alias("source"),
        pl.lit("form").alias("method"),
        pl.lit("Yes, write to me.").alias("wording"),
    )
    wishes = ids.filter(pl.col("turn") % 3 == 0).select(
        "customer",
        said.alias("at"),
        pl.when(pl.col("turn") % 2 == 0).then(pl.lit("close")).otherwise(pl.lit("none")).alias("wish"),
        pl.lit("form").alias("source"),
    )
    bounced = ids.filter(pl.col("turn") % 100 == 7).select(
        pl.lit("email").alias("medium"),
        (pl.col("customer") + "@example.com").alias("address"),
        pl.lit("hard_bounce").alias("reason"),
        said.alias("at"),
    )
    with open_contact(folder) as project:
        for slice_ in acts.iter_slices(50_000):
            project.permissions.record_consents(slice_)
        for slice_ in wishes.iter_slices(50_000):
            project.permissions.record_preferences(slice_)
        project.permissions.suppress(bounced)
        project.review(as_of=NOW, everybody=True)


def write_contact(folder: Path, database: Path | None) -> None:
    """Write the same project as files, for the command line; without a database, on the one in the folder."""
    path = json.dumps(str((database or folder / DATABASE).absolute()))
    lines = (
        *("[project]", 'name = "Benchmark"', 'currency = "EUR"', 'zone = "Europe/Berlin"'),
        *('sender = "Benchmark <hello@example.com>"', 'postal_address = "Sample Street 1, 10000 Anytown"'),
        *("[store]", 'use = "sqlite"', f"path = {path}"),
        *("[channels.mail]", 'use = "null"', 'medium = "email"'),
        *("[caps.weekly]", "count = 2", "days = 7", "[caps.monthly]", "count = 4", "days = 30"),
        *("[ledger]", "minute = 50", "[holdout]", "share = 0.02"),
    )
    (folder / "relationship.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "campaigns").mkdir(exist_ok=True)
    for campaign in SIXTEEN:
        (folder / "campaigns" / f"{campaign.name}.toml").write_text(_as_toml(campaign), encoding="utf-8")


def _as_toml(campaign: Campaign) -> str:
    tables = json.loads(campaign_content(campaign))
    return "\n".join(f"{key} = {_value(value)}" for key, value in tables.items()) + "\n"


def _value(value: object) -> str:
    """A value as TOML has it, tables in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
