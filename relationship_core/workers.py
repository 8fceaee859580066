"""Workers of a project: what travels to them, so that they judge pages by the very same rules.

No object of a project goes there, least of all a secret: a worker makes them anew, from the settings, the campaigns
and the plugins that are installed with it, and takes secrets from its own environment variables.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from copyreg import dispatch_table
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.columns import Page
from relationship_core.config import Choice, Settings
from relationship_core.errors import ConfigurationError
from relationship_core.flow.facts import LAST_RECORDED_FACT
from relationship_core.flow.last_review import INSTANT_FACT
from relationship_core.flow.salt import SALT_FACT
from relationship_core.flow.standing import Moment
from relationship_core.model.campaign import Campaign
from relationship_core.model.validation import read_only
from relationship_core.plugins import Plugins
from relationship_core.ports import Executor, Store
from relationship_core.providers import Secret

if TYPE_CHECKING:
    from relationship_core.flow.plan.selecting import Selection
    from relationship_core.flow.review import Judged
    from relationship_core.flow.rules import Rules

T = TypeVar("T")

JUDGING = frozenset(
    {
        "relationship_stores",
        "relationship_parameters",
        "relationship_interaction_kinds",
        "relationship_measures",
        "relationship_scores",
        "relationship_ladders",
        "relationship_calibrations",
        "relationship_policies",
    }
)
"""The hooks through which a plugin takes part in judging; who implements others alone need not be with the workers."""


@frozen(kw_only=True, order=True)
class Need:
    """Something that a worker must have as the program has it.

    Attributes:
        distribution: what brings it.
        version: which one the program has.
        plugin: the plugin in it; empty for a library.
    """

    distribution: str
    version: str
    plugin: str = ""


@frozen(kw_only=True)
class Content:
    """What a worker opens a project with.

    Attributes:
        settings: the configuration, as far as judging needs it.
        folder: against which relative paths are taken.
        campaigns: all its campaigns.
        handed_in: the plugins that the program handed in itself.
        values: the parameters' values in force.
        tables: the fitted tables.
    """

    settings: Settings
    folder: Path
    campaigns: tuple[Campaign, ...]
    handed_in: tuple[object, ...]
    values: Mapping[str, float]
    tables: Mapping[str, pl.DataFrame]


@frozen(kw_only=True)
class Blueprint:
    """A project as it travels; equal ones make the same.

    Attributes:
        needs: what must be installed with the worker; looked at before anything else is read.
        content: a Content, pickled.
        signature: that of the rules which come of it.
    """

    needs: tuple[Need, ...]
    content: bytes = field(repr=False)
    signature: str


@frozen(kw_only=True)
class Task:
    """One page for a worker.

    Attributes:
        blueprint: the project.
        state: what the store has to tell of itself, so that no worker reads another one.
        page: the customers.
        now: the instant of the step; a worker's own clock is never asked.
        media: the medium of each channel instance; for a plan.
        inactive: the campaigns that a plan leaves out.
        stopped: those that a failing policy has stopped so far.
    """

    blueprint: Blueprint
    state: tuple[str | None, ...] = field(repr=False)
    page: Page = field(repr=False)
    now: datetime
    media: Mapping[str, str] = field(factory=dict)
    inactive: frozenset[str] = frozenset()
    stopped: Mapping[str, str] = field(factory=dict)


def state_of(store: Store) -> tuple[str | None, ...]:
    """What tells one project's store from another's, and from a copy that is not up to date."""
    return tuple(store.fact(name) for name in (SALT_FACT, LAST_RECORDED_FACT, INSTANT_FACT))


@frozen(kw_only=True)
class ProjectWorkers:
    """The workers of one project.

    Attributes:
        executor: makes what they are reached by, or gives it when it is made.
        blueprint: what they open the project with.
        store: where it lives here.
        media: tells the medium of each channel instance that campaigns name.
    """

    executor: Callable[[], Executor]
    blueprint: Blueprint
    store: Store
    media: Callable[[], Mapping[str, str]]

    @property
    def at_once(self) -> int:
        """As many pages as make every worker busy twice: what comes first is written while the rest is judged."""
        return 2 * self.executor().workers

    def begin(self, moment: Moment, pages: int) -> None:
        """Have as many open the project as there is work for."""
        from relationship_core.workplace import open_project

        nobody = Task(blueprint=self.blueprint, state=state_of(self.store), page=Page.of(()), now=moment.now)
        for _ in self._answers(open_project, [nobody] * min(pages, self.executor().workers)):
            pass

    def review(self, pages: Sequence[Page], moment: Moment) -> Generator[Judged, None, None]:
        """What a review finds of each page."""
        from relationship_core.workplace import review_page

        state = state_of(self.store)
        tasks = (Task(blueprint=self.blueprint, state=state, page=page, now=moment.now) for page in pages)
        yield from self._answers(review_page, tasks)

    def select(
        self, pages: Sequence[Page], moment: Moment, *, inactive: Collection[str], stopped: Mapping[str, str]
    ) -> Generator[tuple[Selection, Mapping[str, str]], None, None]:
        """What there is to decide about each page, and the campaigns that were stopped there."""
        from relationship_core.workplace import select_page

        state, media = state_of(self.store), self.media()
        tasks = (
            Task(
                blueprint=self.blueprint,
                state=state,
                page=page,
                now=moment.now,
                media=media,
                inactive=frozenset(inactive),
                stopped=stopped,
            )
            for page in pages
        )
        yield from self._answers(select_page, tasks)

    def _answers(self, function: Callable[[Task], T], tasks: Iterable[Task]) -> Generator[T, None, None]:
        """The answers in order; ``yield from`` closes the executor's iterator where this one is closed."""
        yield from self.executor().map(function, tasks)


def blueprint_of(
    settings: Settings, campaigns: tuple[Campaign, ...], plugins: Plugins, rules: Rules, folder: Path
) -> Blueprint:
    """What workers open this project with.

    Raises:
        ConfigurationError: it lives in this process alone, or has a part that cannot travel.
    """
    where = f"[executor] use = {settings.executor.use!r}"
    if settings.store.use == "memory":
        message = (
            f'{where}: the store "memory" lives in one process, where no worker can read it; choose another store, or '
            "leave [executor] out"
        )
        raise ConfigurationError(message)
    _refuse_secrets(settings.store, where)
    # Channels and whatever they need stay here: a worker sends nothing.
    bare = evolve(settings, channels={}, delivery={}, receivers={}, renderer=Choice(use=""), executor=Choice(use=""))
    handed_in = plugins.handed_in(JUDGING)
    for plugin in handed_in:
        _pickled(plugin, f"{where}: the plugin {_name_of(plugin)} that this program hands in")
    content = Content(
        settings=bare,
        folder=folder.absolute(),
        campaigns=campaigns,
        handed_in=handed_in,
        values=dict(plugins.values),
        tables=dict(plugins.tables),
    )
    return Blueprint(
        needs=_needs(plugins), content=_pickled(content, f"{where}: the project"), signature=rules.signature()
    )


def _needs(plugins: Plugins) -> tuple[Need, ...]:
    needs = {Need(distribution="polars", version=pl.__version__)}
    for each in plugins.installed:
        if each.distribution and (JUDGING & set(each.hooks) or each.name.startswith("builtin.")):
            needs.add(Need(distribution=each.distribution, version=each.version, plugin=each.name))
    return tuple(sorted(needs))


def _refuse_secrets(store: Choice, where: str) -> None:
    for name, value in store.settings.items():
        if any(isinstance(each, Secret) for each in (value if isinstance(value, (list, tuple)) else (value,))):
            message = (
                f"{where}: [store] {name} is a Secret, which does not travel to workers; name an environment variable "
                f'that they have, {name} = {{ env = "NAME" }}'
            )
            raise ConfigurationError(message)


def _name_of(plugin: object) -> str:
    return plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__


_REDUCED: Mapping[type, Callable[[Any], tuple[Any, ...]]] = {
    MappingProxyType: lambda mapping: (read_only, (dict(mapping),)),
    ModuleType: lambda module: (import_module, (module.__name__,)),
}
"""How what settings and plugins are made of is pickled, beside what pickle knows."""


def _pickled(value: object, what: str) -> bytes:
    written = io.BytesIO()
    try:
        pickler = pickle.Pickler(written, protocol=pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {**dispatch_table, **_REDUCED}
        pickler.dump(value)
    except Exception as error:  # pickle raises whatever an object raises
        message = (
            f"{what} cannot be taken to workers: {type(error).__name__}: {error}; put what it is made of into a module "
            "that they can import, or leave [executor] out"
        )
        raise ConfigurationError(message) from error
    return written.getvalue()
