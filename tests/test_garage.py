"""The synthetic garage: what its generator makes is the same every time, and agrees with the truth it tells."""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from relationship_core import (
    INTERACTIONS,
    Campaign,
    Choice,
    ContactPoint,
    Customer,
    Plugins,
    Relationships,
)
from relationship_demo.garage import lives, permission
from relationship_demo.garage.world import SEED, World, customers, interactions, months, said, world

BERLIN = ZoneInfo("Europe/Berlin")
LIVES = {life.name for life in (*lives.PRIVATE, *lives.FIRMS)}

FOLLOWS = {
    "promise_kept": {"promise_made"},
    "promise_broken": {"promise_made"},
    "inquiry_answered": {"inquiry"},
    "complaint_answered": {"complaint_opened"},
    "complaint_resolved": {"complaint_opened"},
    "favour_declined": {"favour_asked"},
    "referral_converted": {"referral_made"},
    "goal_reached": {"goal_declared"},
    "item_retired": {"item_acquired"},
    "service": {"item_acquired"},
}
"""What needs something before it, with the same reference and of the same customer."""


def rows(kind: str) -> list[dict[str, Any]]:
    found = world().interactions.filter(pl.col("kind") == kind).to_dicts()
    return [{**row, "data": json.loads(row["data"])} for row in found]


def odd(what: str) -> set[tuple[str, str]]:
    return set(world().oddities.filter(pl.col("what") == what).select("source", "id").iter_rows())


def people() -> dict[str, Customer]:
    return {customer.id: customer for _, customer in world().customers}


def digest(planted: World) -> str:
    texts = [planted.interactions.write_json(), planted.truth.write_csv(), repr(planted.customers)]
    texts += [frame.write_csv() for frame in (planted.duplicates, planted.contacts, planted.oddities)]
    return sha256("".join(texts).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_makes_the_same_garage_in_any_process(hash_seed: str) -> None:
    program = (
        "from hashlib import sha256; from relationship_demo.garage.world import world; w = world();"
        "t = [w.interactions.write_json(), w.truth.write_csv(), repr(w.customers)];"
        "t += [f.write_csv() for f in (w.duplicates, w.contacts, w.oddities)];"
        "print(sha256(''.join(t).encode()).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == digest(world())


def test_another_seed_makes_another_garage_of_the_same_make() -> None:
    other = world(SEED + 1)
    assert digest(other) != digest(world())
    counted = [
        each.truth.filter(pl.col("form") == "private")["life"].value_counts(sort=True) for each in (other, world())
    ]
    assert counted[0].sort("life").equals(counted[1].sort("life"))


def test_there_are_600_private_customers_and_40_firms_with_two_to_five_contacts() -> None:
    forms = Counter(world().truth["form"])
    assert (forms["private"], forms["firm"], forms["twin"]) == (600, 40, 30)
    contacts = Counter(world().contacts["account"])
    assert len(contacts) == 40
    assert set(contacts.values()) <= {2, 3, 4, 5}
    assert forms["contact"] == contacts.total()


def test_the_truth_knows_everybody_once() -> None:
    truth = world().truth
    assert sorted(truth["customer"]) == sorted(people())
    assert truth["customer"].is_unique().all()
    assert set(truth["life"]) == LIVES == set(lives.MEANINGS)
    known = set(truth["customer"])
    assert set(truth["same_as"].drop_nulls()) <= known
    assert set(truth["account"].drop_nulls()) <= known
    assert set(truth.filter(pl.col("broken_at").is_not_null())["life"]) == {"broken"}
    assert truth.filter(pl.col("life") == "broken")["broken_at"].null_count() == 0
    assert truth.filter(pl.col("life") == "lapsed")["left_at"].null_count() == 0


def test_months_share_out_all_that_happens() -> None:
    frames = [interactions(month) for month in months()]
    assert len(frames) == 24
    assert all(frame.schema == dict(INTERACTIONS.schema) for frame in frames)
    shared = pl.concat(frames)
    assert shared.height == world().interactions.height
    assert not shared.select("source", "id").is_duplicated().any()
    assert shared.select("source", "id", "customer", "kind", "at", "data").null_count().sum_horizontal().item() == 0


def test_customers_are_known_before_anything_happens_with_them() -> None:
    met: set[str] = set()
    for month in months():
        met |= {customer.id for customer in customers(month)}
        assert set(interactions(month)["customer"]) <= met
        assert (interactions(month)["at"] < month.until).all()
    assert met == set(people())
    since = dict(world().truth.select("customer", "since").iter_rows())
    assert all(row["at"] >= since[row["customer"]] for row in world().interactions.to_dicts())


def test_every_declared_kind_occurs_and_no_other(standard_plugins: Plugins) -> None:
    assert set(world().interactions["kind"]) == set(standard_plugins.kinds)


def instants() -> dict[tuple[str, str, str], datetime]:
    """The first instant of each kind with a reference, by kind, customer and reference."""
    found: dict[tuple[str, str, str], datetime] = {}
    for row in world().interactions.drop_nulls("reference").sort("at", descending=True).to_dicts():
        found[row["kind"], row["customer"], row["reference"]] = row["at"]
    return found


def test_nothing_comes_before_what_it_answers() -> None:
    first, lost = instants(), odd("never made")
    for kind, before in FOLLOWS.items():
        for row in rows(kind):
            begun = [first.get((each, row["customer"], row["reference"])) for each in before]
            if (row["source"], row["id"]) in lost:
                assert begun == [None]
            else:
                assert begun[0] is not None, row
                assert begun[0] <= row["at"], row


def test_a_promise_is_kept_or_broken_once_and_by_its_due_time() -> None:
    made = {(row["customer"], row["reference"]): row for row in rows("promise_made")}
    assert len(made) == len(rows("promise_made"))
    ends = Counter(
        (row["customer"], row["reference"]) for kind in ("promise_kept", "promise_broken") for row in rows(kind)
    )
    assert max(ends.values()) == 1
    for kind, keeps in (("promise_kept", True), ("promise_broken", False)):
        for row in rows(kind):
            promise = made.get((row["customer"], row["reference"]))
            if promise is not None:
                assert (row["at"] <= due(promise["data"]["due"])) is keeps, row


def due(told: str) -> datetime:
    """An instant, or the end of a day."""
    if len(told) > len("2023-01-01"):
        return datetime.fromisoformat(told)
    return datetime.combine(date.fromisoformat(told) + timedelta(days=1), time(), tzinfo=BERLIN).astimezone(UTC)


def test_services_are_of_cars_that_they_have() -> None:
    gone = {(row["customer"], row["reference"]): row["at"] for row in rows("item_retired")}
    assert gone
    for row in rows("service"):
        assert row["at"] < gone.get((row["customer"], row["reference"]), months()[-1].until)


def test_the_data_are_of_the_kinds_that_they_must_be() -> None:
    assert {int(row["data"]["nps"]) for row in rows("survey_answer")} == set(range(1, 11))
    assert {row["data"]["severity"] for row in rows("complaint_opened")} == {"minor", "normal", "severe"}
    assert all(int(row["data"]["service_interval_days"]) > 0 for row in rows("item_acquired"))
    assert {bool(row["data"].get("cause")) for row in rows("preference_declared")} == {True, False}
    assert all(date.fromisoformat(row["data"]["by"]) > row["at"].date() for row in rows("goal_declared"))
    costs = {key for row in world().interactions.to_dicts() for key in json.loads(row["data"])}
    assert {"our_minutes", "their_minutes", "cost_minor"} <= costs


def test_orders_have_lines_that_add_up() -> None:
    orders = rows("order")
    assert all(order["amount"] == sum(line["minor"] for line in order["lines"]) > 0 for order in orders)
    assert len({line["category"] for order in orders for line in order["lines"]}) > 5


def test_nothing_that_is_recorded_tells_a_life() -> None:
    words = {*LIVES, "planted"} - {"regular"}
    recorded = world().interactions.select("source", "id", "customer", "reference", "data").write_csv()
    assert not [word for word in words if word in recorded]
    assert not [word for word in words if word in repr([dict(each.attributes) for each in people().values()])]


def test_only_the_planted_oddities_come_late_and_only_in_regular_lives() -> None:
    late = world().interactions.filter(pl.col("reported") != pl.col("at"))
    assert set(late.select("source", "id").iter_rows()) == odd("late")
    assert len(odd("late")) > 20
    assert late.filter(pl.col("reported") - pl.col("at") < timedelta(days=20)).is_empty()
    assert len(odd("never made")) == 3
    life = dict(world().truth.select("customer", "life").iter_rows())
    strange = odd("late") | odd("never made")
    concerned = [row for row in world().interactions.to_dicts() if (row["source"], row["id"]) in strange]
    assert {life[row["customer"]] for row in concerned} == {"regular"}


def test_people_keep_human_hours() -> None:
    local = world().interactions.with_columns(local=pl.col("at").dt.convert_time_zone("Europe/Berlin"))
    assert local["local"].dt.hour().is_between(7, 22).all()
    shop = local.filter(pl.col("kind").is_in(["order", "visit", "service", "promise_made"]))
    assert shop["local"].dt.hour().is_between(7, 19).all()
    assert (shop["local"].dt.weekday() != 7).all()


def test_trust_is_broken_at_the_instant_that_the_truth_tells() -> None:
    for row in world().truth.filter(pl.col("form") == "private", pl.col("life") == "broken").to_dicts():
        own = world().interactions.filter(pl.col("customer") == row["customer"])
        broken = own.filter(pl.col("kind") == "promise_broken")
        around = pl.col("at").is_between(row["broken_at"], row["broken_at"] + timedelta(days=10))
        assert row["broken_at"] in set(broken["at"])
        assert broken.filter(around).height >= 3
        assert "promise_kept" not in set(own.filter(around)["kind"])
        month = next(month for month in months() if month.since <= row["broken_at"] < month.until)
        assert row["broken_at"] + timedelta(days=10) < month.until


def test_who_left_orders_no_more() -> None:
    left = dict(world().truth.filter(pl.col("left_at").is_not_null()).select("customer", "left_at").iter_rows())
    assert len(left) >= 80
    orders = [row for row in rows("order") if row["customer"] in left]
    assert all(row["at"] < left[row["customer"]] + timedelta(days=3) for row in orders)


def test_every_advocate_has_recommended_us() -> None:
    private = world().truth.filter(pl.col("form") == "private", pl.col("life").is_in(["advocate", "partner"]))
    recommended = {row["customer"] for kind in ("review", "referral_converted") for row in rows(kind)}
    twins = dict(world().duplicates.select("same_as", "customer").iter_rows())
    assert all({customer, twins.get(customer)} & recommended for customer in private["customer"])


def squeezed(text: str) -> str:
    return "".join(text.casefold().split())


def test_duplicates_agree_in_what_the_truth_tells() -> None:
    known = people()
    assert Counter(world().duplicates["by"]) == {"email": 10, "telephone": 10, "name and address": 10}
    for row in world().duplicates.to_dicts():
        pair = [known[row["customer"]], known[row["same_as"]]]
        medium = {"email": "email", "telephone": "sms", "name and address": "post"}[row["by"]]
        addresses = [point.address for each in pair for point in each.contact_points if point.medium == medium]
        assert len(addresses) == 2
        assert addresses[0] != addresses[1]
        if row["by"] == "telephone":
            assert f"+49{squeezed(addresses[0]).removeprefix('0')}" == addresses[1]
        else:
            assert squeezed(addresses[0]) == squeezed(addresses[1])
        if row["by"] == "name and address":
            assert squeezed(pair[0].name) == squeezed(pair[1].name)


def test_different_people_share_no_address() -> None:
    twins = set(world().duplicates["customer"])
    points = [
        (point.medium, squeezed(point.address))
        for each in people().values()
        if each.id not in twins
        for point in each.contact_points
    ]
    assert max(Counter(points).values()) == 1


def test_nobody_real_can_be_reached() -> None:
    points = [point for customer in people().values() for point in customer.contact_points]
    fiction = r"(\+49|0)(30 ?23125|69 ?90009|40 ?66969|221 ?4710|89 ?99998) ?\d{3}"
    pattern = {"email": r"[A-Za-z0-9.]+@[Ee]xample\.com", "sms": fiction, "post": r"(?s).*\n00000 M.*"}
    assert all(point.synthetic for point in points)
    assert all(re.fullmatch(pattern[point.medium], point.address) for point in points)
    assert all(customer.attributes["synthetic"] is True for customer in people().values())


def test_birthdays_are_attributes_of_people() -> None:
    forms: dict[str, list[Customer]] = defaultdict(list)
    for customer in people().values():
        forms[str(customer.attributes["form"])].append(customer)
    assert set(forms) == {"private", "contact", "firm"}
    born = [date.fromisoformat(str(each.attributes["birthday"])) for each in forms["contact"]]
    assert min(born).year >= 1940
    assert sum("birthday" in each.attributes for each in forms["private"]) == 600


def test_permission_is_planted_for_everybody_who_is_known_by_one_id() -> None:
    truth, said = world().truth, world().said
    assert {act.source for act in said.consents} == {"demo"}
    assert all("made up" in act.evidence and act.method == "made up" for act in said.consents)
    assert all("made-up" in each.source for each in said.preferences)
    since = dict(truth.select("customer", "since").iter_rows())
    when = [
        *((act.customer, act.at) for act in said.consents),
        *((each.customer, each.at) for each in said.preferences),
    ]
    assert all(since[customer] <= at < months()[-1].until for customer, at in when)
    twins = set(truth.filter(pl.col("form") == "twin")["customer"])
    assert twins.isdisjoint(customer for customer, _ in when)
    media = {id_: {point.medium for point in customer.contact_points} for id_, customer in people().items()}
    granted = [act for act in said.consents if act.act == "grant"]
    assert all(act.medium in media[act.customer] for act in granted)
    in_truth = {row["customer"]: set((row["allows"] or "").split()) for row in truth.to_dicts()}
    assert all(in_truth[who] == {act.medium for act in granted if act.customer == who} for who in in_truth)


def test_those_whom_we_let_down_object_more_often() -> None:
    truth = world().truth.filter(pl.col("form") != "twin")
    objecting = pl.col("objected_at").is_not_null().mean().alias("share")
    share = dict(truth.group_by(pl.col("life") == "broken").agg(objecting).iter_rows())
    assert share[True] > 0.25
    assert share[False] < 0.05


def test_a_month_tells_what_was_said_in_it_and_nothing_else() -> None:
    told = [said(month) for month in months()]
    assert sum(len(each.consents) for each in told) == len(world().said.consents)
    assert sum(len(each.preferences) for each in told) == len(world().said.preferences)


def test_marketing_against_an_objection_or_a_wish_is_found(
    make_project: Callable[..., Relationships], make_campaign: Callable[..., Campaign]
) -> None:
    def at(day: int) -> datetime:
        return datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)

    asked = {"ann": "none", "bob": "close", "cyd": "transactional"}
    truth = pl.DataFrame(
        [
            {"customer": who, "objected_at": at(100), "wish": wish, "wished_at": at(10)}
            | {"hurts_from": at(0), "hurts_until": at(20 if who == "ann" else 4)}
            for who, wish in asked.items()
        ],
        schema={**permission.TRUTH, **permission.HURTS},
    )
    channels = {"letters": Choice(use="null", settings={"medium": "post"})}
    with make_project(make_campaign("news", key="day"), channels=channels) as project:
        project.record_customers(
            Customer(id=who, contact_points=[ContactPoint(medium="post", address=who)]) for who in asked
        )
        assert [claim[1:3] for claim in permission.kept_to(project, truth)] == [(3, 3), (2, 2), (3, 3)]
        for day, wrong in ((5, [3, 2, 2]), (80, [3, 0, 2]), (160, [0, 0, 2])):
            project.review(as_of=at(day), everybody=True)
            project.run(as_of=at(day))
            assert [claim[2] for claim in permission.kept_to(project, truth)] == wrong
