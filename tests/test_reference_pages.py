"""The pages of reference say what the code says: configuration and interaction kinds."""

import inspect
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import pytest
from attrs import field, frozen

from relationship_core import (
    Action,
    After,
    Assignment,
    Campaign,
    CampaignSettings,
    Cap,
    Choice,
    ConsentSettings,
    Cost,
    DeliverySettings,
    HoldoutSettings,
    LadderSettings,
    LedgerSettings,
    Limits,
    Occasion,
    Offer,
    PluginSettings,
    PreferenceSettings,
    ProjectSettings,
    QuietHours,
    ReadyCampaign,
    Settings,
    Variant,
    load_plugins,
    read_campaigns,
    read_settings,
    ready_campaigns,
)
from relationship_core.builtin.kinds import relationship_interaction_kinds

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

WORDS: Mapping[object, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def table(cls: type) -> str:
    """The table of a class's keys: name, type, default, and what its docstring says."""
    hints, meanings = get_type_hints(cls), meanings_of(cls)
    rows = [
        f"| `{each.name}` | {words_for(hints[each.name])} | {default_of(each)} | {meanings[each.name]} |"
        for each in attrs.fields(cls)
    ]
    return "\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows])


def meanings_of(cls: type) -> dict[str, str]:
    """What the Attributes section of a docstring says about each of them."""
    section = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in entries}


def words_for(kind: Any) -> str:
    inner = [each for each in get_args(kind) if each not in {type(None), Ellipsis}]
    if get_origin(kind) in {Union, types.UnionType}:
        return words_for(inner[0])
    if get_origin(kind) is Literal:
        return ", ".join(f"`{each}`" for each in inner)
    if get_origin(kind) is tuple:
        word = "tables" if attrs.has(inner[0]) else words_for(inner[0])
        return f"list of {word}"
    return WORDS.get(kind, "table")


def default_of(attribute: "attrs.Attribute[Any]") -> str:
    default = attribute.default
    if default is attrs.NOTHING:
        return ""
    if not isinstance(default, (str, int, float, Path, tuple, type(None))):  # a factory
        return "all defaults"
    if default in ((), "", None):
        return "none"
    if isinstance(default, tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_the_table_of_a_class_tells_everything() -> None:
    @frozen(kw_only=True)
    class Toy:
        """A toy.

        Attributes:
            url: where
                it is, ``here``.
            size: how large.
            level: how high.
        """

        url: str
        size: float | None = None
        level: Literal["low", "high"] = field(default="low")

    assert table(Toy).splitlines()[2:] == [
        "| `url` | text |  | where it is, `here`. |",
        "| `size` | number | none | how large. |",
        "| `level` | `low`, `high` | `low` | how high. |",
    ]


def configured() -> dict[str, type]:
    """Every class whose keys an operator writes."""
    plugins = load_plugins()
    providers = {**plugins.stores, **plugins.channels, **plugins.receivers, **plugins.renderers, **plugins.executors}
    contact = (ConsentSettings, PreferenceSettings, Cap, QuietHours, LedgerSettings, HoldoutSettings, CampaignSettings)
    of_campaigns = (Campaign, Cost, Offer, Limits, Action, Assignment, Occasion, After, Variant)
    own = (ProjectSettings, DeliverySettings, LadderSettings, *contact, PluginSettings, *of_campaigns)
    built_in = {
        name
        for plugin in plugins.installed
        if plugin.name.startswith("builtin.")
        for word in ("store", "channel", "receiver", "renderer", "executor")
        for name in plugin.provides.get(word, ())
    }
    classes = [*own, *(providers[name].settings for name in sorted(built_in))]
    return {each.__name__: each for each in classes if attrs.fields(each)}


@pytest.mark.parametrize("name", sorted(configured()))
def test_every_key_is_documented_as_it_is(name: str) -> None:
    assert table(configured()[name]) in page("configuration.md")


def test_every_table_of_relationship_toml_has_its_heading() -> None:
    headings = re.findall(r"^## `\[(\w+)", page("configuration.md"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(each.name for each in attrs.fields(Settings))


def test_the_examples_on_the_page_are_read(tmp_path: Path) -> None:
    first, campaign = (
        example
        for example in re.findall(r"```toml\n(.*?)```", page("configuration.md"), flags=re.DOTALL)
        if example.count("\n") > 1
    )
    (tmp_path / "relationship.toml").write_text(first, encoding="utf-8")
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "thanks.toml").write_text(campaign, encoding="utf-8")
    (tmp_path / "campaigns" / "thank-you.txt").write_text("Thank you.", encoding="utf-8")
    settings = read_settings(tmp_path)
    assert settings.parameters.values == {"trust_half_life_days": 500.0}
    assert settings.channels["news"] == Choice(use="folder", settings={"path": "outbox/news"})
    assert [each.actions[0].variants[0].text for each in read_campaigns(tmp_path)] == ["Thank you."]


def test_the_table_of_interaction_kinds_is_the_registry() -> None:
    rows = [line for line in page("interaction-kinds.md").splitlines() if line.startswith("| `")]
    cells = [
        (f"`{kind.name}`", kind.direction, kind.nature, ", ".join(kind.evidence) or "nothing", kind.summary)
        for kind in relationship_interaction_kinds()
    ]
    assert rows == [f"| {' | '.join(each)} |" for each in cells]


ELEMENTS = {"benefit", "trust", "commitment", "reciprocity", "shared_values", "advocacy"}


def test_kinds_are_evidence_of_elements_of_a_relationship() -> None:
    kinds = relationship_interaction_kinds()
    assert {element for kind in kinds for element in kind.evidence} == ELEMENTS
    assert "benefit" not in next(kind for kind in kinds if kind.name == "order").evidence


def test_every_kind_that_a_built_in_measure_counts_is_declared() -> None:
    plugins = load_plugins()
    assert {kind for measure in plugins.measures for kind in measure.kinds} <= set(plugins.kinds)


LEADS = ("What it is for.", "What ends it.", "Why so.", "What to change.")
"""What is told of each ready action, beside what its file says."""


def table_of(ready: ReadyCampaign) -> str:
    """What the file of a ready action says, as the page tells it."""
    campaign, cost = ready.campaign, ready.campaign.cost
    worth = f"worth {campaign.value}; " if campaign.value else ""
    rows = [
        ("purpose, nature, weight", f"{campaign.purpose}, {campaign.nature}, {campaign.weight:g}"),
        ("topic", campaign.topic),
        ("needs", f"{', '.join(ready.kinds) or 'no kind in particular'}; channels {', '.join(ready.channels)}"),
        ("audience", f"`{' '.join(campaign.audience.split())}`"),
        *((f"step `{action.name}`", step_of(action)) for action in campaign.actions),
        ("goal", f"`{campaign.goal}`" if campaign.goal else ""),
        ("limits", limits_of(campaign.limits)),
        ("offer", offer_of(campaign.offer) if campaign.offer else ""),
        (
            "cost",
            f"{worth}costs {cost.money}, {cost.our_minutes:g} minutes of ours and {cost.their_minutes:g} of theirs",
        ),
    ]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows if text)])


def step_of(action: Action) -> str:
    if action.after is not None:
        parts = [f"{action.after.days:g} days after `{action.after.action}`"]
        when = action.after.when
    else:
        occasion = action.occasion
        assert occasion is not None
        key = occasion.key if occasion.key in {"once", "day", "month", "year"} else f"`{occasion.key}`"
        parts = [f"one for each {key}" if key != "once" else "once"]
        when = occasion.when
        if occasion.since:
            parts.append(f"since `{occasion.since}`")
        if occasion.cleared_by:
            days = f" for {occasion.cleared_days:g} days" if occasion.cleared_days else ""
            parts.append(f"cleared by a {occasion.cleared_by}{days}")
    if when:
        parts.append(f"when `{' '.join(when.split())}`")
    if action.task is not None:
        outcomes = ", ".join(f"{name} ({kind or 'nothing'})" for name, kind in action.task.outcomes.items())
        parts.append(f"a task for {action.task.due_days:g} days: {outcomes}")
    return "; ".join(parts)


def limits_of(limits: Limits) -> str:
    parts = []
    if limits.expires_days is not None:
        parts.append(f"over after {limits.expires_days:g} days")
    if limits.per_customer is not None:
        parts.append(f"at most {limits.per_customer} for each customer")
    return "; ".join(parts)


def offer_of(offer: Offer) -> str:
    return f"{offer.summary}; {offer.days:g} days; a redemption costs {offer.cost}"


@pytest.mark.parametrize("ready", ready_campaigns(), ids=lambda ready: ready.name)
def test_every_ready_action_is_documented_as_its_file_is(ready: ReadyCampaign) -> None:
    section = page("ready-actions.md").partition(f"\n## {ready.name}\n")[2].partition("\n## ")[0]
    assert ready.campaign.summary in section
    assert table_of(ready) in section
    assert [lead for lead in LEADS if f"**{lead}**" not in section] == []


def test_the_page_of_ready_actions_has_them_in_their_order() -> None:
    headings = re.findall(r"^## ([a-z-]+)$", page("ready-actions.md"), flags=re.MULTILINE)
    assert headings == [ready.name for ready in ready_campaigns()]
