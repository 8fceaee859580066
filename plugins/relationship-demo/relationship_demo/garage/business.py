"""The business of the demo of which the truth is known: a synthetic garage."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from relationship_core import Relationships, Report
from relationship_demo.business import Business, Wording
from relationship_demo.garage import world
from relationship_demo.garage.finding import truth_against_finding
from relationship_demo.garage.people import ZONE
from relationship_demo.months import Month

TRUTH_FOLDER = "truth"
"""The folder of the project with what was planted; nothing reads it but people."""

PLURALS = {
    "order": ("order", "orders"),
    "visit": ("visit", "visits"),
    "service": ("service", "services"),
    "delivery": ("delivery", "deliveries"),
    "return": ("return", "returns"),
    "praise": ("word of praise", "words of praise"),
    "promise_made": ("promise made", "promises made"),
    "promise_kept": ("promise kept", "promises kept"),
    "promise_broken": ("promise broken", "promises broken"),
    "complaint_opened": ("complaint", "complaints"),
    "complaint_answered": ("complaint answered", "complaints answered"),
    "complaint_resolved": ("complaint put right", "complaints put right"),
    "inquiry": ("question", "questions"),
    "inquiry_answered": ("answer", "answers"),
    "favour_asked": ("favour asked", "favours asked"),
    "favour_declined": ("favour declined", "favours declined"),
    "survey_answer": ("survey answered", "surveys answered"),
    "feedback_given": ("hint for us", "hints for us"),
    "review": ("public review", "public reviews"),
    "referral_made": ("recommendation", "recommendations"),
    "referral_converted": ("friend who came", "friends who came"),
    "gift_given": ("gift", "gifts"),
    "help_given": ("help beyond what is owed", "helps beyond what is owed"),
    "item_acquired": ("car registered", "cars registered"),
    "item_retired": ("car gone", "cars gone"),
    "billing_error": ("wrong bill", "wrong bills"),
    "campaign_received": ("circular", "circulars"),
    "preference_declared": ("preference told", "preferences told"),
    "goal_declared": ("goal told", "goals told"),
    "goal_reached": ("goal reached", "goals reached"),
    "sensitive_noted": ("sad event", "sad events"),
    "sensitive_over": ("sad event that is over", "sad events that are over"),
}


def _opening(report: Report) -> str:
    kinds = report.interactions
    orders, promises, complaints = (f"{kinds.get(kind, 0):,}" for kind in ("order", "promise_made", "complaint_opened"))
    return (
        f"All of it is synthetic: {report.customers:,} customers, firms and contacts, {orders} orders, "
        f"{promises} promises and {complaints} complaints. Nobody in it exists, and the truth about them is known."
    )


def _put_aside(folder: Path) -> None:
    """Write the truth down, so that it can be looked up; what is recorded holds nothing of it."""
    aside, planted = folder / TRUTH_FOLDER, world.world()
    aside.mkdir(exist_ok=True)
    frames = {
        "customers": planted.truth,
        "duplicates": planted.duplicates,
        "contacts": planted.contacts,
        "oddities": planted.oddities,
    }
    for name, frame in frames.items():
        frame.write_csv(aside / f"{name}.csv")


def _tie_contacts(relationships: Relationships, month: Month) -> None:
    """Contacts are tied to their firms in the month in which they become known."""
    known = pl.col("since").is_between(pl.lit(month.since), pl.lit(month.until), closed="left")
    for row in world.world().contacts.filter(known).iter_rows(named=True):
        relationships.accounts.link(row["account"], row["customer"], role=row["role"], since=row["since"])


GARAGE = Business(
    name="garage",
    folder=Path("relate-demo-garage"),
    template="garage/project",
    mark="`relate demo --business garage` made this folder of synthetic customers, and goes on here.\n",
    zone=ZONE,
    currency="EUR",
    months=world.months,
    newcomers=world.customers,
    interactions=world.interactions,
    said=world.said,
    joined=_tie_contacts,
    put_aside=_put_aside,
    story="customer-437",
    counts={
        "orders": "order",
        "promises": "promise_made",
        "complaints": "complaint_opened",
        "referrals_converted": "referral_converted",
    },
    truth=truth_against_finding,
    wording=Wording(
        people="customers",
        person="customer",
        opening=_opening,
        buying="nothing that has happened so far leads there",
        lacking="of which nothing has happened",
        later="when everybody has been silent for years",
        plurals=PLURALS,
    ),
)
