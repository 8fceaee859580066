"""The checks of ``relate doctor``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from attrs import frozen

from relationship_core import (
    MESSAGES,
    RUNS,
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
)

SHOWN = 5
"""So many causes of messages that failed are told."""


@frozen(kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at.
        ok: whether it is in order.
        found: one sentence; where it is not in order, with what to do.
    """

    check: str
    ok: bool
    found: str


def examine(folder: Path) -> Iterator[Finding]:
    """Check after check; what needs something that is broken is left out."""
    try:
        settings = read_settings(folder)
    except RelationshipError as error:
        yield _problem("configuration", str(error))
        return
    yield _good("configuration", "relationship.toml is right")
    yield _folder(folder)
    try:
        plugins = load_plugins(disabled=settings.plugins.disabled, required=settings.plugins.required)
        broken = plugins.broken
    except RelationshipError as error:
        yield _problem("plugins", str(error))
        return
    yield _good("plugins", f"{len(plugins.installed)} work")
    for plugin in broken:
        yield _problem(
            "plugins", f"{plugin.name} is left out: {plugin.reason}; repair or uninstall {plugin.distribution}"
        )
    for name, choice in settings.channels.items():
        yield _tried("channels", partial(_channel, name, choice, settings, plugins, folder))
    yield from _project(folder, settings, plugins)


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


def _project(folder: Path, settings: Settings, plugins: Plugins) -> Iterator[Finding]:
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
        yield _tried("campaigns", partial(_rules, relationships, campaigns))
        yield _tried("measures", partial(_measures, relationships))
        yield _run(relationships)
        yield _due(relationships)
        yield from _messages(relationships)


def _rules(relationships: Relationships, campaigns: tuple[Campaign, ...]) -> str:
    actions = len(relationships.rules.steps)
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


def _messages(relationships: Relationships) -> Iterator[Finding]:
    counts = dict(relationships.store.count(MESSAGES, ["state"]).iter_rows())
    if not counts.keys() & {"unknown", "failed", "rejected"}:
        waiting = counts.get("queued", 0)
        yield _good(
            "messages",
            f"{waiting:,} wait in the outbox" if waiting else "none waits, failed, was rejected, or is unknown",
        )
    advice = {
        "unknown": "the channel may have sent them, and they are not sent again by themselves; look there",
        "failed": "they are not tried again; correct the cause before the next campaign",
        "rejected": "the channel will never take them; look at their addresses",
    }
    for state, what in advice.items():
        if state in counts:
            yield _problem("messages", f"{counts[state]:,} {state}: {what}\n{causes(relationships, state)}")


def causes(relationships: Relationships, state: str) -> str:
    """Why messages are in a state: a line for each of the most common causes."""
    columns = ["campaign", "channel", "detail"]
    rows = relationships.store.count(MESSAGES, columns, where={"state": state}).sort("rows", descending=True)
    lines = [
        f"{row['rows']:,} of {row['campaign']} on {row['channel']}: {row['detail'] or 'no cause is known'}"
        for row in rows.head(SHOWN).iter_rows(named=True)
    ]
    return "\n".join([*lines, "..."] if rows.height > SHOWN else lines)
