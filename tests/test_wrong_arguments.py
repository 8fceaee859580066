"""Wrong things passed from Python get one sentence: what, where, and what to do; and never a value about a person."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import polars as pl
import pytest

from relationship_core import (
    CUSTOMERS,
    Action,
    Bounded,
    Campaign,
    CaseMeasure,
    Choice,
    ConfigurationError,
    ContactPoint,
    Cost,
    Customer,
    Decision,
    DeliveryEvent,
    Engagement,
    Feature,
    Halving,
    Interaction,
    InteractionKind,
    KeyedMeasure,
    Ladder,
    Limits,
    Linear,
    Measure,
    Message,
    Money,
    Occasion,
    OrderLine,
    Part,
    Policy,
    Preference,
    Provider,
    Receipt,
    RejectedError,
    Relationships,
    Score,
    ScoringRule,
    Secret,
    Settings,
    Stage,
    Steps,
    Transition,
    Variant,
    load_plugins,
    minor_digits,
    parse_instant,
    read_campaigns,
    utc,
)

NOW = datetime(2025, 4, 3, tzinfo=UTC)
PRIVATE = "anna@example.com"
"""Stands where a person's data would, and must never be repeated."""

CONTACT = ContactPoint(medium="email", address=PRIVATE)
LINE = OrderLine(product="tea")
ENGAGEMENT = Engagement(campaign="thanks", action="write", customer="anna", occasion="once")

VALID: dict[type, dict[str, Any]] = {
    Interaction: {"source": "till", "id": "1", "customer": "anna", "kind": "order", "at": NOW},
    OrderLine: {"product": "tea"},
    Money: {"minor": 740, "currency": "EUR"},
    Customer: {"id": "anna"},
    ContactPoint: {"medium": "email", "address": PRIVATE},
    InteractionKind: {"name": "order", "direction": "inbound", "summary": ""},
    Variant: {"channel": "letters", "text": "Hello"},
    Occasion: {"name": "order"},
    Action: {"name": "write", "occasion": Occasion(name="order"), "variants": [Variant(channel="letters")]},
    Limits: {},
    Cost: {},
    Campaign: {
        "name": "thanks",
        "owner": "shop",
        "purpose": "service",
        "nature": "give",
        "actions": [
            Action(name="write", occasion=Occasion(name="order"), variants=[Variant(channel="letters", text="Hello")])
        ],
    },
    Stage: {"name": "client"},
    Ladder: {"name": "b2c", "stages": [Stage(name="prospect")]},
    Score: {"name": "trust", "value": 0.5, "confidence": 0.5},
    Transition: {"customer": "anna", "at": NOW, "origin": "prospect", "target": "client"},
    Engagement: {"campaign": "thanks", "action": "write", "customer": "anna", "occasion": "once"},
    Decision: {"engagement": ENGAGEMENT, "verdict": "planned", "reason": "due", "at": NOW},
    Message: {"id": "m", "engagement": ENGAGEMENT, "channel": "letters", "address": PRIVATE, "at": NOW},
    Receipt: {"message": "m", "state": "accepted"},
    DeliveryEvent: {"message": "m", "type": "opened", "at": NOW},
    Halving: {"days": 30},
    Bounded: {"per_day": 0.1},
    Part: {"name": "made", "kinds": ("promise_made",)},
    CaseMeasure: {
        "name": "promise",
        "parts": [Part(name="made", kinds=["promise_made"])],
        "features": [Feature(name="promises", value=pl.len())],
    },
    Linear: {},
    Steps: {"next_change": pl.lit(NOW)},
    Feature: {"name": "days", "value": pl.len()},
    Measure: {"name": "orders", "combine": "count"},
    KeyedMeasure: {"name": "order_day", "key": "day", "features": [Feature(name="days", value=pl.len())]},
    ScoringRule: {"name": "trust", "value": pl.lit(0.5), "confidence": pl.lit(0)},
    Policy: {"name": "refused", "refuses": pl.lit(value=False)},
    Provider: {"name": "toy", "factory": Settings, "settings": Settings, "summary": ""},
}
RECORDS = {
    Interaction, OrderLine, Money, Customer, ContactPoint, Score, Transition, Engagement, Decision, Message, Receipt,
    DeliveryEvent,
}  # fmt: skip
"""What holds data about people and events: it is rejected, as a row of a file would be."""

TEXT = "text that is not empty and has no white space around it"
AWARE = "a datetime with a zone, such as datetime(2025, 3, 18, 9, tzinfo=UTC)"
SLUG = "lower-case letters, digits, underscores and hyphens, such as we-miss-you"
IDENTIFIER = "lower-case letters, digits and underscores, such as first_order"
KEYS = "day, category, product, reference, cause, topic or contact"
CENTS = "a whole number of minor units, such as 1250 for 12.50 EUR"
TODAY = date(2025, 4, 3)
NAIVE = datetime(2025, 4, 3)  # noqa: DTZ001  what is refused

# The class, its attribute, a wrong value, and how the sentence goes on after "Class.attribute must ".
WRONG: list[tuple[type, str, Any, str]] = [
    (Interaction, "id", 5, f"be {TEXT}, not an int"),
    (Interaction, "id", None, f"be {TEXT}, not None"),
    (Interaction, "id", b"1", f"be {TEXT}, not a bytes"),
    (Interaction, "source", "", f"be {TEXT}"),
    (Interaction, "customer", f" {PRIVATE}", f"be {TEXT}"),
    (Interaction, "kind", ["order"], f"be {TEXT}, not a list"),
    (Interaction, "at", TODAY, f"be {AWARE}, not a date"),
    (Interaction, "at", "2025-04-03", f"be {AWARE}, not text"),
    (Interaction, "at", NAIVE, f"be {AWARE}, not one without a zone"),
    (Interaction, "at", None, f"be {AWARE}, not None"),
    (Interaction, "amount", 7.4, "be a Money or None, not a float"),
    (Interaction, "reference", 5, "be text or None, not an int"),
    (Interaction, "lines", [LINE, 1], "be a list of OrderLine objects; number 2 is an int"),
    (Interaction, "lines", (1,), "be a list of OrderLine objects; number 1 is an int"),
    (Interaction, "lines", LINE, "be a list of OrderLine objects, not an OrderLine"),
    (Interaction, "lines", "tea", "be a list of OrderLine objects, not text"),
    (Interaction, "lines", {"product": "tea"}, "be a list of OrderLine objects, not a dict"),
    (Interaction, "lines", None, "be a list of OrderLine objects, not None"),
    (Interaction, "data", [PRIVATE], "be a dict of texts by name, not a list"),
    (Interaction, "data", None, "be a dict of texts by name, not None"),
    (Interaction, "data", {"till": 1}, "be a dict of texts by name; a value is an int"),
    (Interaction, "data", {1: "till"}, "be a dict of texts by name; a name is an int"),
    (OrderLine, "product", 4711, "be text, not an int"),
    (OrderLine, "category", 5, "be text or None, not an int"),
    (OrderLine, "quantity", "2", "be a number of at least 0, not text"),
    (OrderLine, "quantity", None, "be a number of at least 0, not None"),
    (OrderLine, "quantity", True, "be a number of at least 0, not a bool"),
    (OrderLine, "quantity", -1, "be a number of at least 0"),
    (OrderLine, "quantity", float("nan"), "be a number of at least 0"),
    (OrderLine, "quantity", 10**400, "be a number of at least 0"),
    (OrderLine, "minor", 1.5, f"be {CENTS}, not a float"),
    (OrderLine, "minor", True, f"be {CENTS}, not a bool"),
    (OrderLine, "minor", "499", f"be {CENTS}, not text"),
    (Money, "minor", True, f"be {CENTS}, not a bool"),
    (Money, "minor", 7.4, f"be {CENTS}, not a float"),
    (Money, "currency", "eur", "be a code of three capital letters such as EUR (ISO 4217)"),
    (Money, "currency", 5, "be a code of three capital letters such as EUR (ISO 4217), not an int"),
    (Customer, "id", 5, f"be {TEXT}, not an int"),
    (Customer, "name", None, "be text, not None"),
    (Customer, "locale", 5, "be text or None, not an int"),
    (Customer, "zone", 5, "be text or None, not an int"),
    (Customer, "country", PRIVATE, "be a code of two capital letters such as US (ISO 3166-1)"),
    (Customer, "country", 5, "be a code of two capital letters such as US (ISO 3166-1), not an int"),
    (Customer, "contact_points", [PRIVATE], "be a list of ContactPoint objects; number 1 is text"),
    (Customer, "contact_points", PRIVATE, "be a list of ContactPoint objects, not text"),
    (Customer, "contact_points", CONTACT, "be a list of ContactPoint objects, not a ContactPoint"),
    (Customer, "attributes", [PRIVATE], "be a dict of texts, numbers, True or False by name, not a list"),
    (Customer, "attributes", {"a": [PRIVATE]}, "be a dict of texts, numbers, True or False by name; a value is a list"),
    (
        Customer,
        "attributes",
        {"age": float("nan")},
        "be a dict of texts, numbers, True or False by name; a value is a float that is not finite",
    ),
    (ContactPoint, "address", f" {PRIVATE}", f"be {TEXT}"),
    (ContactPoint, "medium", 5, f"be {TEXT}, not an int"),
    (ContactPoint, "synthetic", "no", "be True or False, not text"),
    (InteractionKind, "name", "Order", f"be {IDENTIFIER}, not 'Order'"),
    (InteractionKind, "direction", "inbuond", "be inbound or outbound, not 'inbuond'; did you mean 'inbound'?"),
    (InteractionKind, "evidence", "trust", "be a list of texts, not text"),
    (InteractionKind, "summary", None, "be text, not None"),
    (Variant, "channel", 5, f"be {TEXT}, not an int"),
    (Variant, "text", None, "be text, not None"),
    (Variant, "locale", 5, "be text or None, not an int"),
    (Occasion, "name", "Big order", f"be {SLUG}, not 'Big order'"),
    (Occasion, "when", None, "be text, not None"),
    (Occasion, "key", 5, "be text, not an int"),
    (Occasion, "since", NOW, "be text, not a datetime"),
    (Action, "occasion", "order", "be an Occasion, not text"),
    (Action, "variants", [], "hold at least one Variant"),
    (Action, "variants", ["Hello"], "be a list of Variant objects; number 1 is text"),
    (Limits, "expires_days", 0, "be a number above 0, not 0.0"),
    (Limits, "expires_days", "7", "be a number above 0, not text"),
    (Limits, "expires_days", True, "be a number above 0, not a bool"),
    (Limits, "expires_days", float("inf"), "be a number above 0, not inf"),
    (Limits, "per_customer", 0, "be a whole number of at least 1, not 0"),
    (Limits, "per_customer", True, "be a whole number of at least 1, not a bool"),
    (Limits, "per_customer", 1.5, "be a whole number of at least 1, not a float"),
    (Campaign, "name", "Thank you!", f"be {SLUG}, not 'Thank you!'"),
    (Campaign, "name", 5, f"be {SLUG}, not an int"),
    (Campaign, "owner", "", f"be {TEXT}, not ''"),
    (Campaign, "purpose", "servic", "be service or marketing, not 'servic'; did you mean 'service'?"),
    (Campaign, "purpose", ["service"], "be service or marketing, not a list"),
    (Campaign, "nature", 5, "be give, ask or neutral, not an int"),
    (Campaign, "audience", None, "be text, not None"),
    (Campaign, "actions", [{"name": "write"}], "be a list of Action objects; number 1 is a dict"),
    (Campaign, "actions", [], "hold at least one Action"),
    (Campaign, "actions", 5, "be a list of Action objects, not an int"),
    (
        Campaign,
        "priority",
        "1",
        "be a whole number from -9,223,372,036,854,775,807 to 9,223,372,036,854,775,807, not text",
    ),
    (
        Campaign,
        "value",
        2**63,
        "be a whole number from -1,000,000,000,000 to 1,000,000,000,000, not 9223372036854775808",
    ),
    (Campaign, "weight", 1e308, "be a number above 0 and at most 1,000,000, not 1e+308"),
    (Cost, "money", 9 * 10**18, "be a whole number from 0 to 1,000,000,000,000, not 9000000000000000000"),
    (Cost, "our_minutes", 1e300, "be a number from 0 to 1,000,000, not 1e+300"),
    (Cost, "their_minutes", 1e300, "be a number from 0 to 1,000,000, not 1e+300"),
    (Campaign, "limits", {"per_customer": 1}, "be a Limits, not a dict"),
    (Stage, "name", "Client", f"be {IDENTIFIER}, not 'Client'"),
    (Stage, "enter", None, "be text, not None"),
    (Stage, "dwell_days", "30", "be a number of at least 0, not text"),
    (Stage, "dwell_days", -1, "be a number of at least 0, not -1.0"),
    (Ladder, "stages", [], "hold at least one Stage"),
    (Ladder, "stages", ["prospect"], "be a list of Stage objects; number 1 is text"),
    (Score, "value", "high", "be a number, not text"),
    (Score, "confidence", 2, "be a number from 0 to 1"),
    (Transition, "at", TODAY, f"be {AWARE}, not a date"),
    (Transition, "evidence", {"orders": 3}, "be a dict of texts by name; a value is an int"),
    (Engagement, "customer", 5, "be text, not an int"),
    (Decision, "engagement", "thanks", "be an Engagement, not text"),
    (Decision, "verdict", "planed", "be planned, held_out or skipped"),
    (Decision, "until", TODAY, f"be {AWARE}, not a date"),
    (Message, "address", None, "be text, not None"),
    (Message, "at", NAIVE, f"be {AWARE}, not one without a zone"),
    (Receipt, "state", "ok", "be accepted, rejected, deferred or unknown"),
    (Receipt, "retry_after", "60", "be a number of at least 0, not text"),
    (Receipt, "retry_after", -1, "be a number of at least 0"),
    (DeliveryEvent, "at", TODAY, f"be {AWARE}, not a date"),
    (Halving, "days", 0, "be a number above 0, not 0"),
    (Halving, "days", "30", "be a number above 0, not text"),
    (Linear, "per_day", "1", "be a number or a polars expression, not text"),
    (Steps, "next_change", NOW, "be a polars expression, not a datetime"),
    (Feature, "name", "Days", f"be {IDENTIFIER}, not 'Days'"),
    (Feature, "value", 5, "be a polars expression or a function, not an int"),
    (Feature, "motion", "still", "be one of Still, Linear, Halving, Steps, Bounded, Daily, not text"),
    (Feature, "type", "numbr", "be number, instant, date or text, not 'numbr'; did you mean 'number'?"),
    (Measure, "combine", "summ", "be sum, count, min or max, not 'summ'; did you mean 'sum'?"),
    (Measure, "kinds", "order", "be a list of texts, not text"),
    (Measure, "value", "amount", "be a polars expression, not text"),
    (Measure, "half_life_days", 1, "be a number of at least 30, not 1"),
    (
        KeyedMeasure,
        "key",
        "dya",
        "be day, category, product, category_day, reference, cause, topic or contact, not 'dya'; did you mean 'day'?",
    ),
    (Halving, "next_change", 5, "be a polars expression, not an int"),
    (Bounded, "next_change", "soon", "be a polars expression, not text"),
    (CaseMeasure, "parts", ["made"], "be a list of Part objects; number 1 is text"),
    (Part, "kinds", "promise_made", "be a list of texts, not text"),
    (ScoringRule, "labels", "low", "be a list of texts, not text"),
    (Ladder, "freezes", 5, "be text, not an int"),
    (KeyedMeasure, "features", ["days"], "be a list of Feature objects; number 1 is text"),
    (KeyedMeasure, "features", [], "hold at least one Feature"),
    (ScoringRule, "value", 0.5, "be a polars expression or a function, not a float"),
    (ScoringRule, "confidence", 1, "be a polars expression, not an int"),
    (ScoringRule, "low", "0", "be a number, not text"),
    (Policy, "refuses", True, "be a polars expression, not a bool"),
    (Policy, "purposes", ("servce",), "be service or marketing, not 'servce'; did you mean 'service'?"),
    (Policy, "natures", "ask", "be a list of texts, not text"),
    (Provider, "name", "Toy shop", f"be {SLUG}, not 'Toy shop'"),
]


@pytest.mark.parametrize("kind", VALID, ids=lambda kind: kind.__name__)
def test_what_is_right_passes(kind: type) -> None:
    made = kind(**VALID[kind])
    assert all(
        getattr(made, name) == value for name, value in VALID[kind].items() if not isinstance(value, list | pl.Expr)
    )


@pytest.mark.parametrize(
    ("kind", "name", "value", "goes_on"),
    WRONG,
    ids=[f"{kind.__name__}.{name}={value!r:.40}" for kind, name, value, _ in WRONG],
)
def test_a_wrong_attribute_gets_a_sentence(kind: type, name: str, value: object, goes_on: str) -> None:
    with pytest.raises(RejectedError if kind in RECORDS else ConfigurationError) as caught:
        kind(**{**VALID[kind], name: value})
    assert str(caught.value) == f"{kind.__name__}.{name} must {goes_on}"
    assert isinstance(caught.value, ValueError)
    assert PRIVATE not in str(caught.value)


def complaint(kind: type, attribute: str) -> str:
    """What is said of an object that is of no use there; empty where it passes."""
    try:
        kind(**{**VALID[kind], attribute: object()})
    except (ConfigurationError, RejectedError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", [kind for kind in VALID if kind is not Provider], ids=lambda kind: kind.__name__)
def test_every_attribute_is_checked(kind: type) -> None:
    for name in (each.name for each in attrs.fields(kind)):
        assert complaint(kind, name).startswith(f"{kind.__name__}.{name} must be ")


def test_what_can_be_iterated_is_a_list_and_numbers_of_any_kind_are_numbers() -> None:
    order = Interaction(**VALID[Interaction] | {"lines": (OrderLine(product=each, quantity=2) for each in ("a", "b"))})
    assert [(line.product, line.quantity) for line in order.lines] == [("a", 2.0), ("b", 2.0)]

    class Text(str):
        __slots__ = ()

    class Instant(datetime):
        pass

    at = Instant(2025, 4, 3, tzinfo=timezone(timedelta(hours=2)))
    assert Interaction(**VALID[Interaction] | {"id": Text("1"), "at": at}).at == at


def test_money_is_added_to_money_of_its_currency() -> None:
    euro = Money(minor=1, currency="EUR")
    with pytest.raises(RejectedError, match="cannot add USD to EUR; convert one of them first"):
        _ = euro + Money(minor=1, currency="USD")
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = euro + 5  # type: ignore[operator]  # what is wrong


def untyped(value: Any) -> Any:
    """The value, of which a type checker knows nothing."""
    return value


FUNCTIONS: list[tuple[str, Callable[[], object], str]] = [
    ("utc of a date", lambda: utc(untyped(TODAY)), f"an instant must be {AWARE}, not a date"),
    ("utc of text", lambda: utc(untyped("2025")), f"an instant must be {AWARE}, not text"),
    ("utc of a naive datetime", lambda: utc(NAIVE), "the instant 2025-04-03T00:00:00 has no zone; say which"),
    (
        "utc before time",
        lambda: utc(datetime.min.replace(tzinfo=timezone(timedelta(hours=3)))),
        "lies outside the years 1 to 9999 of UTC",
    ),
    (
        "parse a number",
        lambda: parse_instant(untyped(5)),
        "read from text such as 2017-03-01T09:00:00Z, not from an int",
    ),
    ("parse other text", lambda: parse_instant("soon"), "'soon' is not an ISO instant such as"),
    ("digits of a small currency", lambda: minor_digits("jpy"), "a currency must be a code of three capital letters"),
    (
        "a secret that is not set",
        lambda: Secret(untyped(None)),
        "a secret must be text, not None; an environment variable",
    ),
    ("one plugin", lambda: load_plugins(extra=untyped(5)), "extra must be a list, not an int"),
    ("one name", lambda: load_plugins(disabled="relationship-demo"), "disabled must be a list, not text"),
]


@pytest.mark.parametrize(("call", "sentence"), [each[1:] for each in FUNCTIONS], ids=[each[0] for each in FUNCTIONS])
def test_a_wrong_argument_of_a_function_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        call()


# The project itself.


def campaign(name: str = "thanks") -> Campaign:
    return Campaign(**VALID[Campaign] | {"name": name})


@pytest.fixture
def shop() -> Iterator[Relationships]:
    with Relationships(clock=lambda: NOW, campaigns=[campaign()], settings=LETTERS) as project:
        project.record_customers([Customer(id="anna")])
        yield project


LETTERS = Settings(channels={"letters": Choice(use="null")})

OPENINGS: list[tuple[dict[str, Any], str]] = [
    ({"settings": {}}, "settings must be a Settings, not a dict; read_settings reads them from a folder"),
    (
        {"settings": Settings(project=untyped({"zone": "UTC"}))},
        "Settings.project must be a ProjectSettings, not a dict",
    ),
    ({"settings": Settings(store=untyped("memory"))}, "Settings.store must be a Choice, not text"),
    ({"settings": Settings(store=Choice(use=untyped(5)))}, "Settings.store.use must be a name, as text, not an int"),
    (
        {"settings": Settings(channels=untyped({"news": {"use": "null"}}))},
        "Settings.channels['news'] must be a Choice, not a dict",
    ),
    ({"settings": Settings(ladder=untyped(5))}, "Settings.ladder must be a name, as text, not an int"),
    ({"campaigns": [{"name": "thanks"}]}, "campaigns must be Campaign objects, and number 1 is a dict"),
    ({"campaigns": [campaign(), "b"]}, "campaigns must be Campaign objects, and number 2 is text"),
    ({"campaigns": campaign()}, "campaigns must be a list of Campaign objects, not a Campaign"),
    ({"campaigns": {"thanks": campaign()}}, "campaigns must be a list of Campaign objects, not a dict"),
    ({"campaigns": None}, "campaigns must be a list of Campaign objects, not None"),
    ({"campaigns": [campaign(), campaign()]}, "two campaigns are named 'thanks'; rename one of them"),
    ({"clock": NOW}, "clock must be a function that tells the time, not a datetime; lambda: instant makes one"),
    (
        {"plugins": []},
        "plugins must be what load_plugins gives, not a list; hand your own to load_plugins(extra=[...])",
    ),
    ({"folder": 5}, "folder must be a path, not an int"),
    ({"page_size": 0}, "page_size must be a whole number of at least 1, not 0"),
    ({"page_size": -1}, "page_size must be a whole number of at least 1, not -1"),
    ({"page_size": True}, "page_size must be a whole number of at least 1, not a bool"),
    ({"page_size": 2.5}, "page_size must be a whole number of at least 1, not a float"),
]


@pytest.mark.parametrize(("wrong", "sentence"), OPENINGS, ids=[sentence[:50] for _, sentence in OPENINGS])
def test_a_project_is_not_opened_with_wrong_arguments(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        Relationships(**wrong)


@pytest.mark.parametrize(("told", "words"), [(NAIVE, "a datetime without a zone"), ("noon", "text"), (None, "None")])
def test_a_clock_that_tells_no_instant_is_named(told: object, words: str) -> None:
    project = Relationships(clock=lambda: untyped(told))
    with pytest.raises(ConfigurationError, match=re.escape(f"the clock must tell {AWARE}, not {words}")):
        project.review()


@pytest.mark.parametrize("folder", [None, 5, ""])
def test_a_project_is_opened_from_a_path(folder: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"folder must be a path, not (None|an int|empty text)"):
        Relationships.open(folder)


def test_paths_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "relationship.toml").write_text("[store]\nuse = 'memory'\n", encoding="utf-8")
    people = tmp_path / "people.csv"
    people.write_text("customer,country\nanna,US\nbea,usa\n", encoding="utf-8")
    with Relationships.open(str(tmp_path)) as project:
        recorded = project.import_file("customers", str(people), rejects=str(tmp_path / "refused.csv"))
    assert (recorded.new, recorded.rejected, recorded.rejects) == (1, 1, tmp_path / "refused.csv")
    assert read_campaigns(str(tmp_path)) == ()


INSTANTS: list[tuple[Any, str]] = [
    (TODAY, f"as_of must be {AWARE}, not a date"),
    (NAIVE, f"as_of must be {AWARE}; 2025-04-03T00:00:00 has no zone"),
    ("2025-04-03T00:00:00Z", f"as_of must be {AWARE}, not text; parse_instant reads text"),
    (0, f"as_of must be {AWARE}, not an int"),
    (False, f"as_of must be {AWARE}, not a bool"),
    (datetime.max.replace(tzinfo=UTC), "as_of must lie in the years 1970 to 2099, not in 9999"),
    (datetime.min.replace(tzinfo=timezone(timedelta(hours=3))), "lies outside the years 1 to 9999"),
]
STEPS: dict[str, Callable[[Relationships, Any], object]] = {
    "review": lambda project, as_of: project.review(as_of=as_of),
    "plan": lambda project, as_of: project.plan(as_of=as_of),
    "deliver": lambda project, as_of: project.deliver(as_of=as_of),
    "run": lambda project, as_of: project.run(as_of=as_of),
    "customer": lambda project, as_of: project.customer("anna", as_of=as_of),
    "explain": lambda project, as_of: project.explain("anna", as_of=as_of),
    "preview": lambda project, as_of: project.preview("thanks", as_of=as_of),
    "ladder": lambda project, as_of: project.ladder(as_of=as_of),
    "report": lambda project, as_of: project.report(as_of=as_of),
}


@pytest.mark.parametrize(("as_of", "sentence"), INSTANTS, ids=[repr(as_of)[:30] for as_of, _ in INSTANTS])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_takes_an_instant(shop: Relationships, step: str, as_of: object, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        STEPS[step](shop, as_of)


CALLS: list[tuple[Callable[[Any], object], str]] = [
    (lambda shop: shop.review(everybody="no"), "everybody must be True or False, not text"),
    (lambda shop: shop.review(progress=5), "progress must be a function that takes a Progress, not an int"),
    (lambda shop: shop.plan(dry_run="no"), "dry_run must be True or False, not text"),
    (lambda shop: shop.plan(progress="x"), "progress must be a function that takes a Progress, not text"),
    (lambda shop: shop.deliver(progress=5), "progress must be a function that takes a Progress, not an int"),
    (lambda shop: shop.run(progress=5), "progress must be a function that takes a Progress, not an int"),
    (lambda shop: shop.rebuild(progress=5), "progress must be a function that takes a Progress, not an int"),
    (lambda shop: shop.customer(5), "customer must be a customer's id, as text, not an int"),
    (lambda shop: shop.customer(None), "customer must be a customer's id, as text, not None"),
    (lambda shop: shop.customer(Customer(id=PRIVATE)), "customer must be a customer's id, as text, not a Customer"),
    (lambda shop: shop.customer("anna", entries=-1), "entries must be a whole number of at least 0, not -1"),
    (lambda shop: shop.customer("anna", entries="x"), "entries must be a whole number of at least 0, not text"),
    (lambda shop: shop.explain(5), "customer must be a customer's id, as text, not an int"),
    (lambda shop: shop.explain("anna", campaign()), "campaign must be a campaign's name, as text, not a Campaign"),
    (lambda shop: shop.preview(campaign()), "campaign must be a campaign's name, as text, not a Campaign"),
    (lambda shop: shop.preview("thanks", 5), "customer must be a customer's id, as text, not an int"),
    (lambda shop: shop.preview("thank"), "campaign: there is no 'thank'; did you mean 'thanks'?"),
    (
        lambda shop: shop.import_file("orders", "x.csv"),
        "a file is imported as customers, interactions or contacts, not as 'orders'",
    ),
    (lambda shop: shop.import_file("customer", "x.csv"), "not as 'customer'; did you mean 'customers'?"),
    (lambda shop: shop.import_file(["customers"], "x.csv"), "as customers, interactions or contacts, not as a list"),
    (lambda shop: shop.import_file("customers", None), "path must be a path, not None"),
    (lambda shop: shop.import_file("customers", ""), "path must be a path, not empty text"),
    (lambda shop: shop.import_file("customers", "x.csv", columns=["id"]), "columns must be a dict such as"),
    (lambda shop: shop.import_file("customers", "x.csv", columns={"name": 5}), "those of the file; it holds an int"),
    (lambda shop: shop.import_file("interactions", "x.csv", source=5), "source must be text, not an int"),
    (lambda shop: shop.import_file("interactions", "x.csv", kind=["order"]), "kind must be the name of an interaction"),
    (lambda shop: shop.import_file("interactions", "x.csv", zone=5), "zone must be the name of a time zone, as text"),
    (lambda shop: shop.import_file("customers", "x.csv", rejects=5), "rejects must be a path, not an int"),
    (lambda shop: shop.import_file("customers", "x.csv", progress=5), "progress must be a function that takes"),
    (lambda shop: shop.record(5), "interactions must be an iterable of Interaction objects, or a polars data frame"),
    (lambda shop: shop.record(None), "or a polars data frame, not None"),
    (lambda shop: shop.record("text"), "or a polars data frame, not text"),
    (lambda shop: shop.record({"id": "1"}), "or a polars data frame, not a dict"),
    (lambda shop: shop.record(interaction(1)), "data frame, not an Interaction; put it in a list"),
    (lambda shop: shop.record(pl.LazyFrame()), "data frame, not a LazyFrame; call its collect() first"),
    (lambda shop: shop.record(ForeignFrame()), "of another library; polars.from_pandas converts it"),
    (lambda shop: shop.record_customers(Customer(id="b")), "not a Customer; put it in a list"),
    (lambda shop: shop.record_customers(5), "customers must be an iterable of Customer objects"),
]


class ForeignFrame:
    """A data frame of another library, as far as one sees."""

    columns = ("customer",)

    def to_dict(self) -> dict[str, Any]:
        return {}


def interaction(number: int) -> Interaction:
    return Interaction(**VALID[Interaction] | {"id": f"{number}"})


@pytest.mark.parametrize(("call", "sentence"), CALLS, ids=[f"{n} {each[1][:40]}" for n, each in enumerate(CALLS)])
def test_a_wrong_argument_of_a_step_gets_a_sentence(
    shop: Relationships, call: Callable[[Relationships], object], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)) as caught:
        call(shop)
    assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize("given", [list, iter])
def test_what_cannot_be_recorded_is_named_by_its_position(shop: Relationships, given: Callable[[Any], Any]) -> None:
    sentence = "interaction number 3 is a dict, not an Interaction; correct it and record all of it again"
    with pytest.raises(RejectedError, match=sentence):
        shop.record(given([interaction(1), interaction(2), {"id": PRIVATE}]))
    with pytest.raises(RejectedError, match="customer number 2 is an Interaction, not a Customer"):
        shop.record_customers(given([Customer(id="bea"), interaction(1)]))
    assert shop.record([interaction(1), interaction(2)]).new == 2
    assert shop.record_customers([Customer(id="bea")]).new == 1


def test_what_an_iterable_raises_comes_out_and_nothing_of_its_batch_is_kept(shop: Relationships) -> None:
    def broken() -> Iterator[Interaction]:
        yield interaction(1)
        message = "the line went dead"
        raise ConnectionError(message)

    with pytest.raises(ConnectionError, match="the line went dead"):
        shop.record(broken())
    assert shop.customer("anna").interactions == 0
    assert shop.record([interaction(1)]).new == 1


@pytest.mark.parametrize("step", ["customer", "explain", "export", "forget"])
def test_half_a_surrogate_pair_is_in_no_id(shop: Relationships, step: str) -> None:
    with pytest.raises(RejectedError, match="half a surrogate pair"):
        getattr(shop, step)("anna\ud83d")


def test_a_customer_with_half_a_surrogate_pair_cannot_be_recorded(shop: Relationships) -> None:
    with pytest.raises(RejectedError, match="half a surrogate pair"):
        shop.record_customers([Customer(id="b", name="B\ud83d")])
    with pytest.raises(RejectedError, match="half a surrogate pair"):
        shop.permissions.record_preferences([Preference(customer="b\ud83d", wish="close", at=NOW)])


def test_a_frame_without_rows_records_nothing(shop: Relationships) -> None:
    rows: list[dict[str, Any]] = []
    for frame in (pl.DataFrame(rows), pl.DataFrame(schema=["source", "id", "customer", "kind", "at"])):
        assert (shop.record(frame).new, shop.record(frame).repeated) == (0, 0)
    for frame in (pl.DataFrame(rows), pl.DataFrame(schema=["customer"])):
        assert shop.record_customers(frame).new == 0


def test_a_campaign_on_a_channel_that_is_not_there_says_so() -> None:
    elsewhere = Settings(channels={"letter": Choice(use="null")})
    with (
        Relationships(campaigns=[campaign()], settings=elsewhere, clock=lambda: NOW) as project,
        pytest.raises(ConfigurationError, match=r"there is no 'letters'; did you mean 'letter'\?"),
    ):
        project.plan()


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@pytest.mark.parametrize(
    "use",
    [
        *STEPS.values(),
        lambda project, _: project.record([interaction(1)]),
        lambda project, _: project.record_customers([Customer(id="bea")]),
        lambda project, _: project.rebuild(),
        lambda project, _: project.store.read(CUSTOMERS),
    ],
    ids=[*STEPS, "record", "record_customers", "rebuild", "store"],
)
def test_a_closed_project_says_that_it_is_closed(
    tmp_path: Path, store: str, use: Callable[[Relationships, Any], object]
) -> None:
    settings = {"path": str(tmp_path / "shop.db")} if store == "sqlite" else {}
    chosen = Settings(store=Choice(use=store, settings=settings), channels=LETTERS.channels)
    project = Relationships(settings=chosen, campaigns=[campaign()], clock=lambda: NOW)
    project.record_customers([Customer(id="anna")])
    project.close()
    project.close()
    with pytest.raises(ConfigurationError, match="the project is closed, and nothing can be done with it; open it"):
        use(project, None)


def test_a_closed_store_in_memory_says_that_it_is_closed() -> None:
    project = Relationships(clock=lambda: NOW)
    kept = project.store
    project.close()
    with pytest.raises(ConfigurationError, match="the store is closed, so its table 'customers' cannot be used"):
        kept.read(CUSTOMERS)
