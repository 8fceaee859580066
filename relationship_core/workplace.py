"""What a worker does: it opens the project once, by its own means, and judges page after page. It writes nothing."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable, Mapping
from importlib import metadata
from itertools import starmap
from typing import TYPE_CHECKING, cast

from relationship_core.chosen import Chosen
from relationship_core.errors import ConfigurationError, RelationshipError
from relationship_core.flow.campaigns.life import of_campaigns
from relationship_core.flow.catalog import make_catalog
from relationship_core.flow.rules import Rules, make_rules
from relationship_core.flow.standing import Moment
from relationship_core.flow.united import refreshed, united
from relationship_core.model.instants import parse_instant
from relationship_core.plugins import Plugins
from relationship_core.plugins.sources import Source, builtin_sources, handed_in_sources, installed_sources
from relationship_core.premises import premises_of, terms_of
from relationship_core.workers import Blueprint, Content, Need, Task, state_of

if TYPE_CHECKING:
    from relationship_core.flow.plan.selecting import Premises, Selection
    from relationship_core.flow.review import Judged
    from relationship_core.ports import Store

_here = threading.local()  # a store belongs to the thread that opened it


def open_project(task: Task) -> None:
    """Open the project, so that it is open when there is a page."""
    _workplace(task)


def review_page(task: Task) -> Judged:
    """What a review finds of a page."""
    from relationship_core.flow.review import judge_page

    workplace = _workplace(task)
    return judge_page(workplace.store, workplace.rules, task.page, workplace.moment(task))


def select_page(task: Task) -> tuple[Selection, Mapping[str, str]]:
    """What there is to decide about a page, and the campaigns that a failing policy has stopped there."""
    from relationship_core.flow.plan.selecting import select

    workplace = _workplace(task)
    stopped = dict(task.stopped)
    selection = select(
        task.page,
        store=workplace.store,
        rules=workplace.rules_without(task.inactive),
        moment=workplace.moment(task),
        premises=workplace.premises(task.media),
        stopped=stopped,
    )
    return selection, {name: why for name, why in stopped.items() if name not in task.stopped}


def _workplace(task: Task) -> Workplace:
    """The project, opened; the last one stays open."""
    known = getattr(_here, "workplace", None)
    if known is None or known.blueprint != task.blueprint:
        if known is not None:
            del _here.workplace
            known.store.close()
        known = _here.workplace = Workplace(task.blueprint)
    workplace = cast("Workplace", known)
    refreshed(workplace.store)
    _refuse_another_store(workplace.store, task)
    return workplace


def _refuse_another_store(store: Store, task: Task) -> None:
    """Where nobody holds the write lock, as in a dry run, somebody may have recorded since: the store may be ahead."""
    (salt, *instants), (known, *since) = state_of(store), task.state
    if known not in {None, salt} or any(starmap(_is_before, zip(instants, since, strict=True))):
        message = (
            "a worker's store is another one than this program's, or is behind it: let [store] name a place that all "
            "of them reach, such as the address of a server, or a file on this machine"
        )
        raise ConfigurationError(message)


def _is_before(instant: str | None, since: str | None) -> bool:
    return since is not None and (instant is None or parse_instant(instant) < parse_instant(since))


class Workplace:
    """A project as a worker has it: its store and its rules.

    Attributes:
        blueprint: what it was opened with.
        store: where it lives, with merged customers as one.
        rules: the rules in force.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        """Open the project.

        Raises:
            ConfigurationError: something is missing here, or is not as the program has it.
            RetriableError: the store cannot be opened now.
        """
        self.blueprint = blueprint
        _refuse_other_versions(blueprint.needs)
        self._content = content = _content_of(blueprint)
        plugins = _plugins(blueprint.needs, content)
        try:
            self.store: Store = united(Chosen(content.settings, plugins, content.folder).store)
        except RelationshipError as error:
            message = f"a worker cannot open the store: {error}"
            raise type(error)(message) from error
        try:
            self.rules = self._made(plugins.with_parameters(content.values, content.tables))
        except BaseException:  # Ctrl-C leaves no open store behind either
            self.store.close()
            raise
        self._less = (frozenset[str](), self.rules)

    def moment(self, task: Task) -> Moment:
        """The instant of the step, in the project's zone."""
        return Moment(now=task.now, zone=self._content.settings.project.zone)

    def rules_without(self, inactive: frozenset[str]) -> Rules:
        """The rules without these campaigns; of the next page the same are asked for."""
        if self._less[0] != inactive:
            self._less = inactive, of_campaigns(self.rules, inactive)
        return self._less[1]

    def premises(self, media: Mapping[str, str]) -> Premises:
        """What planning takes as given; the salt is the store's own of now."""
        settings = self._content.settings
        return premises_of(settings, self._content.campaigns, media, terms_of(settings, self.store, keep=False))

    def _made(self, plugins: Plugins) -> Rules:
        catalog = make_catalog(self._content.settings, plugins)
        rules = make_rules(catalog, self._content.campaigns, plugins.policies)
        if rules.signature() != self.blueprint.signature:
            message = (
                "a worker's rules are not those of this program, although both have the same versions installed; "
                "start the workers again, with the same code"
            )
            raise ConfigurationError(message)
        self.store.prepare(catalog.measures)
        return rules


def _refuse_other_versions(needs: Iterable[Need]) -> None:
    there = {(each.name, each.distribution): each for each in _sources()}
    for need in needs:
        if not need.plugin:
            version = metadata.version(need.distribution)
        elif (need.plugin, need.distribution) in there:
            version = there[need.plugin, need.distribution].version
        else:
            message = (
                f"a worker lacks the plugin {need.plugin!r} of {need.distribution} {need.version}, which this program "
                "has; install it there"
            )
            raise ConfigurationError(message)
        if version != need.version:
            message = (
                f"a worker has {need.distribution} {version}, and this program {need.distribution} {need.version}; "
                "install the same version on both"
            )
            raise ConfigurationError(message)


def _sources() -> tuple[Source, ...]:
    return (*builtin_sources(), *installed_sources())


def _content_of(blueprint: Blueprint) -> Content:
    try:
        content: Content = pickle.loads(blueprint.content)  # noqa: S301  who ordered the work wrote it
    except Exception as error:  # whatever is not there
        message = (
            f"a worker cannot load what the project is made of: {type(error).__name__}: {error}; install there what is "
            "installed here, and hand plugins in from modules that it can import"
        )
        raise ConfigurationError(message) from error
    return content


def _plugins(needs: Iterable[Need], content: Content) -> Plugins:
    """Those plugins that the program has, and no other that happens to be installed here."""
    names = {(need.plugin, need.distribution) for need in needs}
    sources = [each for each in _sources() if (each.name, each.distribution) in names]
    required = {need.plugin for need in needs if need.plugin}
    return Plugins([*sources, *handed_in_sources(content.handed_in)], required=required)
