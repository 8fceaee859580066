"""The planted truth of the garage is found, in a replay that is told nothing of it; with other evidence it is not."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import polars as pl
import pytest
from attrs import evolve

from relationship_core import TRANSITIONS, Choice, Plugins, Relationships, read_settings
from relationship_demo.garage.business import GARAGE
from relationship_demo.garage.finding import PROBE, _duplicates
from relationship_demo.garage.world import customers, interactions, months, world
from relationship_demo.months import Month
from relationship_demo.project import prepare

BUYING = ("order", "visit")
PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "garage.md"
LADDER = ("prospect", "customer", "client", "supporter", "advocate", "partner")


class Found(NamedTuple):
    """What a replay found: everybody's highest stage, and trust before and after the break of those who had one."""

    highest: dict[str, int]
    trust: dict[str, dict[str, float]]

    def reached(self, stage: str) -> set[str]:
        return {customer for customer, highest in self.highest.items() if highest >= LADDER.index(stage)}


@pytest.fixture
def replayed(tmp_path: Path, standard_plugins: Plugins) -> Callable[..., Found]:
    """Lives through the two years in memory, with the settings of the demo's project: record a month, review."""

    def live(history: Callable[[Month], pl.DataFrame]) -> Found:
        prepare(tmp_path / "garage", GARAGE)
        nowhere = {"nowhere": Choice(use="null")}
        settings = evolve(read_settings(tmp_path / "garage"), store=Choice(use="memory"), channels=nowhere)
        now = [months()[0].since]
        trust: dict[str, dict[str, float]] = {}
        with Relationships(
            settings=settings, campaigns=[PROBE], plugins=standard_plugins, clock=lambda: now[0]
        ) as garage:
            for month in months():
                now[0] = month.end
                newcomers = customers(month)
                if newcomers:
                    garage.record_customers(newcomers)
                    GARAGE.joined(garage, month)
                garage.record(history(month))
                garage.review()
                for customer, when in readings(month):
                    (action,) = garage.explain(customer, PROBE.name).actions
                    trust.setdefault(customer, {})[when] = float(str(action.audience[0].values["trust"]))
            highest = dict.fromkeys(world().truth["customer"], 0)
            for customer, target in garage.store.read(TRANSITIONS, columns=["customer", "target"]).iter_rows():
                highest[customer] = max(highest[customer], LADDER.index(target))
        return Found(highest, trust)

    return live


def planted(*names: str, forms: tuple[str, ...] = ("private",)) -> set[str]:
    truth = world().truth.filter(pl.col("life").is_in(names), pl.col("form").is_in(forms))
    return set(truth["customer"])


def breaks() -> dict[str, datetime]:
    private = world().truth.filter(pl.col("form") == "private", pl.col("broken_at").is_not_null())
    return dict(private.select("customer", "broken_at").iter_rows())


def readings(month: Month) -> list[tuple[str, str]]:
    """Whose trust is to be looked at in the review at the end of a month: the one before the break, or after it."""
    year = months()
    after = year[year.index(month) + 1] if month != year[-1] else None
    found = [(customer, "after") for customer, at in breaks().items() if month.since <= at < month.until]
    if after is not None:
        found += [(customer, "before") for customer, at in breaks().items() if after.since <= at < after.until]
    return found


def advocates_are_found(found: Found) -> None:
    true = planted("advocate", "partner")
    assert len(true) == 75
    assert len(true & found.reached("advocate")) >= 0.9 * len(true)


def spurious_customers_never_pass_client(found: Found) -> None:
    everybody = planted("spurious", forms=("private", "twin", "firm"))
    assert len(everybody) > 100
    assert not everybody & found.reached("supporter")


def trust_drops_within_a_review_of_the_break(found: Found) -> None:
    assert found.trust.keys() == breaks().keys()
    assert len(found.trust) == 50
    assert [customer for customer, trust in found.trust.items() if trust["before"] - trust["after"] < 0.05] == []


CLAIMS = (advocates_are_found, spurious_customers_never_pass_client, trust_drops_within_a_review_of_the_break)


def test_the_planted_truth_is_found(replayed: Callable[..., Found]) -> None:
    found = replayed(interactions)
    for claim in CLAIMS:
        claim(found)
    assert planted("partner") & found.reached("partner")
    assert not planted("latent", "newcomer") & found.reached("supporter")


def test_no_claim_holds_when_the_evidence_is_shuffled_between_customers(replayed: Callable[..., Found]) -> None:
    forms = world().truth.select("customer", "form", "since").sort("customer")
    owner: dict[str, str] = {}
    for form in ("private", "contact", "firm", "twin"):
        own = list(forms.filter(pl.col("form") == form)["customer"])
        others = own.copy()
        Random(3).shuffle(others)
        owner |= dict(zip(own, others, strict=True))
    since = dict(forms.select("customer", "since").iter_rows())

    def shuffled(month: Month) -> pl.DataFrame:
        """What they bought stays theirs; all else is told of somebody else, once we know them."""
        frame = interactions(month)
        other = pl.col("customer").replace_strict(owner)
        frame = frame.with_columns(customer=pl.when(pl.col("kind").is_in(BUYING)).then("customer").otherwise(other))
        return frame.filter(pl.col("customer").replace_strict(since) < month.until)

    found = replayed(shuffled)
    for claim in CLAIMS:
        with pytest.raises(AssertionError):
            claim(found)


def test_with_orders_and_visits_alone_nobody_passes_client(replayed: Callable[..., Found]) -> None:
    found = replayed(lambda month: interactions(month).filter(pl.col("kind").is_in(BUYING)))
    assert not found.reached("supporter")
    assert len(found.reached("client")) > 300


def test_the_candidates_for_merging_are_the_planted_duplicates(make_project: Callable[..., Relationships]) -> None:
    with make_project(attributes={"form": "text", "birthday": "text", "synthetic": "boolean"}) as garage:
        garage.record_customers([customer for _, customer in world().customers])
        listed = garage.identities.candidates()
        one, other = world().duplicates.select("customer", "same_as").row(0)
        garage.identities.merge(one, into=other, actor="test", reason="the same person")
        assert _duplicates(garage, world().truth)[1:3] == (30, 30)
        assert len(garage.identities.candidates().found) == 29
    pairs = world().duplicates.select("customer", "same_as").rows()
    assert {candidate.customers for candidate in listed.found} == {tuple(sorted(pair)) for pair in pairs}
    assert not listed.uncompared


def printed(*arguments: str) -> str:
    command = [sys.executable, "-m", "relationship_core", "demo", "--business", "garage", *arguments]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def test_the_command_shows_truth_against_finding_and_repeats_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "garage"
    document: dict[str, Any] = json.loads(printed("--json", "--project", str(folder)))
    claims = {claim["claim"]: claim for claim in document["truth"]["claims"]}
    assert len(claims) == 4
    assert all(claim["found"] >= claim["needed"] * claim["planted"] > 0 for claim in claims.values())
    lives = {row["life"]: row for row in document["truth"]["lives"]}
    assert sum(row["planted"] for row in lives.values()) == document["customers"] - world().duplicates.height
    assert all(sum(row[stage] for stage in LADDER) == row["planted"] for row in lives.values())
    assert lives["spurious"]["supporter"] == lives["spurious"]["advocate"] == lives["spurious"]["partner"] == 0
    assert lives["lapsed"]["lapsed"] > 70
    assert document["interactions"] == world().interactions.height
    assert len(document["stages"]) == 24
    kept = pl.read_csv(folder / "truth" / "customers.csv")
    assert list(kept["customer"]) == list(world().truth["customer"])

    shown = printed("--project", str(folder))
    for words in (
        "All of it is synthetic",
        "Truth against finding",
        "true advocates reach advocate",
        "What to look at",
    ):
        assert words in shown
    page = PAGE.read_text(encoding="utf-8")
    block = re.search(r"```console\n\$ relate demo --business garage\n(.*?)```", page, re.DOTALL)
    assert block is not None
    parts = [part.strip("\n") for part in block[1].split("...\n") if part.strip()]
    assert parts
    assert [part for part in parts if part not in shown] == []
    assert json.loads(printed("--json", "--project", str(folder))) == document


def test_the_demo_of_another_business_is_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "garage", GARAGE)
    command = [sys.executable, "-m", "relationship_core", "demo", "--project", str(tmp_path / "garage")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "another business" in done.stderr


def test_the_story_is_of_somebody_who_is_known_from_the_first_month() -> None:
    assert GARAGE.story in {customer.id for customer in customers(months()[0])}
    assert GARAGE.story in breaks()
