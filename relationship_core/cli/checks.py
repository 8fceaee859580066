"""The checks of ``relate doctor``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
from attrs import frozen

from relationship_core import (
    MESSAGES,
    RUNS,
    BrokenPlugin,
    Campaign,
    Choice,
    Plugins,
    RelationshipError,
    Relationships,
    Settings,
    check_measures,
    check_zone,
    load_plugins,
    provider_settings,
    read_campaigns,
    read_settings,
    utc,
)

SHOWN = 5
"""So many causes of messages that failed are told."""
NAMED = 10
"""So many customers are named whose messages came to nothing."""
PLACEHOLDER = "Write your postal address here"
"""With this begins the postal address that ``relate init`` writes."""
LATELY = timedelta(days=30)
"""What came to nothing so long ago is only counted."""

_GOING = ("claimed", "attempting")
"""The states of a message that is being sent, or was when its delivery died."""
_CAME_TO_NOTHING = {
    "failed": "they are not tried again; correct the cause before the next campaign",
    "rejected": "the channel will never take them; look at their addresses",
    "unknown": "the channel may have sent them, and they are not sent again by themselves; look there",
}
"""Of each state that a person wants to know about: what it means, and what to do."""


@frozen(kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at.
        ok: whether nothing has to be done about it now.
        found: one sentence; where it is not in order, with what to do.
        look: whether somebody should look at it all the same.
        customers: the ids of customers whom it is about, ten at most.
    """

    check: str
    ok: bool
    found: str
    look: bool = False
    customers: tuple[str, ...] = ()


def examine(folder: Path, as_of: datetime | None = None) -> Iterator[Finding]:
    """Check after check; what needs something that is broken is left out.

    Args:
        folder: the project folder.
        as_of: the instant that what came to nothing is lately or long ago from; the project's clock when None.
    """
    try:
        settings = read_settings(folder)
    except RelationshipError as error:
        yield _problem("configuration", str(error))
        return
    yield _good("configuration", "relationship.toml is right")
    if settings.project.postal_address.startswith(PLACEHOLDER):
        told = "[project] postal_address is still the one of `relate init`, and goes out with marketing; write your own"
        yield Finding(check="configuration", ok=True, found=told, look=True)
    yield _folder(folder)
    try:
        plugins = load_plugins(disabled=settings.plugins.disabled, required=settings.plugins.required)
        broken = plugins.broken
    except RelationshipError as error:
        yield _problem("plugins", str(error))
        return
    yield _good("plugins", f"{len(plugins.installed)} work")
    for plugin in broken:
        yield _broken(plugin)
    for name, choice in settings.channels.items():
        yield _tried("channels", partial(_channel, name, choice, settings, plugins, folder))
    for name, choice in settings.receivers.items():
        yield _tried("receivers", partial(_receiver, name, choice, settings, plugins, folder))
    if settings.executor != Choice(use="in_process"):
        yield _tried("executor", partial(_executor, settings, plugins, folder))
    yield from _project(folder, settings, plugins, as_of)


def _good(check: str, found: str) -> Finding:
    return Finding(check=check, ok=True, found=found)


def _problem(check: str, found: str) -> Finding:
    return Finding(check=check, ok=False, found=found)


def _tried(check: str, look: Callable[[], str]) -> Finding:
    try:
        return _good(check, look())
    except RelationshipError as error:
        return _problem(check, str(error))


def _folder(folder: Path) -> Finding:
    if os.access(folder, os.W_OK):
        return _good("folder", "it may be written to")
    return _problem("folder", f"{folder.resolve()} may not be written to; give this user the right")


def _channel(name: str, choice: Choice, settings: Settings, plugins: Plugins, folder: Path) -> str:
    where = f"[channels.{name}]"
    provider = plugins.find(plugins.channels, choice.use, f"{where} use")
    own = provider_settings(provider, choice, folder.absolute(), where, project=settings.project)
    channel = plugins.make(provider, own, where)
    try:
        return f"{name} is ready: {choice.use}, for {channel.medium}"
    finally:
        channel.close()


def _executor(settings: Settings, plugins: Plugins, folder: Path) -> str:
    choice = settings.executor
    provider = plugins.find(plugins.executors, choice.use, "[executor] use")
    own = provider_settings(provider, choice, folder.absolute(), "[executor]", project=settings.project)
    executor = plugins.make(provider, own, "[executor]")
    try:
        return f"{choice.use} is ready: {executor.workers} at once"
    finally:
        executor.close()


def _receiver(name: str, choice: Choice, settings: Settings, plugins: Plugins, folder: Path) -> str:
    where = f"[receivers.{name}]"
    provider = plugins.find(plugins.receivers, choice.use, f"{where} use")
    own = provider_settings(provider, choice, folder.absolute(), where, project=settings.project)
    plugins.make(provider, own, where).close()
    return f"{name} is ready: {choice.use}"


def _project(folder: Path, settings: Settings, plugins: Plugins, as_of: datetime | None) -> Iterator[Finding]:
    try:
        campaigns = read_campaigns(folder)
    except RelationshipError as error:
        yield _problem("campaigns", str(error))
        campaigns = ()
    try:
        relationships = Relationships(settings=settings, campaigns=campaigns, plugins=plugins, folder=folder.absolute())
    except RelationshipError as error:
        yield _problem("store", str(error))
        return
    with relationships:
        yield _good("store", f"{settings.store.use} opens, and its schema is current")
        yield from _left_out(relationships.plugins, plugins)
        yield _parameters(relationships)
        yield _tried("campaigns", partial(_rules, relationships, campaigns))
        for told in relationships.campaign_life.seed_problems():
            yield Finding(check="campaigns", ok=True, found=told, look=True)
        yield _tried("measures", partial(_measures, relationships))
        yield _run(relationships)
        yield _due(relationships)
        yield from _messages(relationships, utc(as_of or relationships.clock()) - LATELY)


def _broken(plugin: BrokenPlugin) -> Finding:
    return _problem("plugins", f"{plugin.name} is left out: {plugin.reason}; repair or uninstall {plugin.distribution}")


def _left_out(in_force: Plugins, installed: Plugins) -> Iterator[Finding]:
    """The plugins that break only with the values that parameters have in this project."""
    told = {plugin.name for plugin in installed.broken}
    yield from (_broken(plugin) for plugin in in_force.broken if plugin.name not in told)


def _parameters(relationships: Relationships) -> Finding:
    chosen = [each for each in relationships.parameters if each.origin != "default"]
    if not chosen:
        return _good("parameters", "each has its own value")
    words = {"by hand": "set by hand", "fitted": "fitted", "set": f"of the set {relationships.settings.parameters.use}"}
    told = (
        f"{word}: " + ", ".join(f"{each.name} {each.value:g}" for each in chosen if each.origin == origin)
        for origin, word in words.items()
        if any(each.origin == origin for each in chosen)
    )
    return _good("parameters", "; ".join(told))


def _rules(relationships: Relationships, campaigns: tuple[Campaign, ...]) -> str:
    actions = len(relationships.rules.triggers)
    return f"{len(campaigns)} with {actions} actions: conditions, templates and channels are right"


def _measures(relationships: Relationships) -> str:
    check_measures(relationships.store, relationships.catalog.measures)
    check_zone(relationships.store, relationships.settings.project.zone)
    return "they are what history was folded with"


def _run(relationships: Relationships) -> Finding:
    cut_short = relationships.store.read(RUNS, where={"state": "running"})
    if cut_short.is_empty():
        return _good("runs", "none was cut short")
    as_of = cut_short["as_of"][0].isoformat()
    return _problem("runs", f"the run as of {as_of} was cut short; `relate run` takes it up")


def _due(relationships: Relationships) -> Finding:
    waiting = relationships.store.marked("review")
    who = "everybody waits" if waiting is None else f"{waiting:,} with news wait"
    return _good("reviews", f"{who} for `relate run`" if waiting != 0 else "nobody with news waits")


def _messages(relationships: Relationships, since: datetime) -> Iterator[Finding]:
    found = tuple(_come_to_nothing(relationships, since))
    counts = dict(relationships.store.count(MESSAGES, ["state"]).select("state", "rows").iter_rows())
    waiting, going = counts.get("queued", 0), sum(counts.get(state, 0) for state in _GOING)
    if waiting:
        yield _good("messages", f"{waiting:,} wait in the outbox")
    if going:
        left = f"{going:,} that a delivery is at, or has left; `relate deliver` goes on"
        yield Finding(check="messages", ok=True, found=left, look=True)
    if not waiting and not going and not found:
        yield _good("messages", "none waits, failed, was rejected, or is unknown")
    yield from found


def _come_to_nothing(relationships: Relationships, since: datetime) -> Iterator[Finding]:
    """What failed, was rejected or is unknown: lately, to look at; before, as a sum."""
    older = []
    for state, advice in _CAME_TO_NOTHING.items():
        columns = ["customer", "campaign", "channel", "detail", "queued_at", "settled_at"]
        rows = relationships.store.read(MESSAGES, where={"state": state}, columns=columns)
        lately = rows.filter(pl.coalesce("settled_at", "queued_at") >= since)
        if lately.height:
            yield _to_look_at(state, advice, lately)
        if lately.height < rows.height:
            older.append(f"{rows.height - lately.height:,} {state}")
    if older:
        yield _good("messages", f"older than {LATELY.days} days: {', '.join(older)}")


def _to_look_at(state: str, advice: str, messages: pl.DataFrame) -> Finding:
    customers = messages["customer"].unique().sort()
    named = tuple(customers.head(NAMED))
    others = f" and {len(customers) - NAMED:,} more" if len(customers) > NAMED else ""
    lines = (
        f"{messages.height:,} {state} in the last {LATELY.days} days: {advice}",
        *_causes(messages.group_by("campaign", "channel", "detail").len("rows")),
        f"of {', '.join(named)}{others}; `relate explain ID` tells what happened",
    )
    return Finding(check="messages", ok=True, found="\n".join(lines), look=True, customers=named)


def causes(relationships: Relationships, state: str) -> str:
    """Why messages are in a state: a line for each of the most common causes."""
    columns = ["campaign", "channel", "detail"]
    return "\n".join(_causes(relationships.store.count(MESSAGES, columns, where={"state": state})))


def _causes(counts: pl.DataFrame) -> Iterator[str]:
    ranked = counts.sort("rows", "campaign", "channel", "detail", descending=[True, False, False, False])
    for row in ranked.head(SHOWN).iter_rows(named=True):
        yield f"{row['rows']:,} of {row['campaign']} on {row['channel']}: {row['detail'] or 'no cause is known'}"
    if ranked.height > SHOWN:
        yield "..."
