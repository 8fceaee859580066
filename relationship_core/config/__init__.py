"""The configuration of a project: ``relationship.toml``, or the same classes made in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import attrs
from attrs import field, frozen

from relationship_core.config.campaigns import CampaignSettings
from relationship_core.config.contact import (
    DEFAULT_QUIET_HOURS,
    Cap,
    ConsentSettings,
    HoldoutSettings,
    LedgerSettings,
    PreferenceSettings,
    QuietHours,
    refuse_needless_quiet,
)
from relationship_core.config.delivery import DeliverySettings
from relationship_core.config.project import ProjectSettings, sender_complaint
from relationship_core.config.tables import Reader, document, refuse
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.model.validation import declared, read_only, texts

if TYPE_CHECKING:
    from relationship_core.providers import Provider

SETTINGS_FILE = "relationship.toml"
"""The file in a project's folder that configures it."""
DATABASE = "relationships.db"
"""Where a project in a folder lives unless it says otherwise."""

AttributeType: TypeAlias = Literal["text", "number", "boolean"]

IN_PROCESS = "in_process"
"""The executor that is none: the process that opened the project works by itself."""

DEFAULT_INTERVAL_DAYS = 14.0
"""How long a customer is left alone after a message, unless the project says otherwise."""


def _installed(_owner: object, attribute: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not value:
        return
    from relationship_core.plugins.sources import builtin_sources, installed_sources

    sources = (*builtin_sources(), *installed_sources())
    known = sorted({name for source in sources for name in (source.name, source.distribution) if name})
    for name in value:
        if name not in known:
            hint = nearest(name, known) or f"; installed are {', '.join(known)}"
            message = f"{attribute.name}: the plugin {name!r} is not installed{hint}"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class PluginSettings:
    """``[plugins]``: which plugins must be there, and which are left alone.

    Attributes:
        required: names of plugins or of distributions; nothing works without them.
        disabled: names of plugins or of distributions that are not loaded; they must be installed.
    """

    required: tuple[str, ...] = field(default=(), converter=texts)
    disabled: tuple[str, ...] = field(default=(), converter=texts, validator=_installed)


def _read_only(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(values))


@frozen(kw_only=True)
class LadderSettings:
    """``[ladder]``: where relationships stand, and how they move.

    Attributes:
        use: the name of the ladder.
        accounts: the name of the ladder of accounts, with the same stages; empty for the one that people have.
    """

    use: str = "b2c"
    accounts: str = ""


def _ladder(value: str | LadderSettings) -> LadderSettings:
    return LadderSettings(use=value) if isinstance(value, str) else value


@frozen(kw_only=True)
class ParameterSettings:
    """``[parameters]``: the numbers that measures, scores and ladders are declared with.

    Attributes:
        use: the set of values to take, such as ``b2b``; empty for each parameter's own value.
        values: what single parameters are instead, by name.
    """

    use: str = field(default="", validator=declared.text)
    values: Mapping[str, float] = field(factory=dict, converter=read_only, validator=declared.values_by_name)


@frozen(kw_only=True)
class Choice:
    """Which plugin to use for something, with its settings.

    Attributes:
        use: the provider's name.
        settings: the provider's own settings, unchecked until it is made.
    """

    use: str
    settings: Mapping[str, object] = field(factory=dict, converter=_read_only, repr=False)


def _attribute_types(_owner: object, _attribute: object, value: Mapping[str, str]) -> None:
    for name, kind in value.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            message = f"attributes: {name!r} must be lower case letters, digits and underscores"
            raise ConfigurationError(message)
        if kind not in get_args(AttributeType):
            message = f"attributes {name}: must be text, number or boolean, not {kind!r}"
            raise ConfigurationError(message)


def _instance_names(_owner: object, attribute: attrs.Attribute[Any], value: Mapping[str, Choice]) -> None:
    for name in value:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            message = f"{attribute.name}: {name!r} must be lower case letters, digits, underscores and hyphens"
            raise ConfigurationError(message)


def _intervals(_owner: object, _attribute: object, value: Mapping[str, float]) -> None:
    for stage, days in value.items():
        if days < 0:
            message = f"minimum_interval_days {stage}: must not be negative"
            raise ConfigurationError(message)


def _with_quiet_hours(values: Mapping[str, QuietHours]) -> Mapping[str, QuietHours]:
    return _read_only({**DEFAULT_QUIET_HOURS, **values})


def _with_default(values: Mapping[str, float]) -> Mapping[str, float]:
    return _read_only({"default": DEFAULT_INTERVAL_DAYS, **values})


@frozen(kw_only=True)
class Settings:
    """Everything that a project configures; the defaults make a project that lives in memory.

    Attributes:
        project: what holds for everything.
        store: where the project lives; a file without ``[store]`` means SQLite, ``relationships.db``.
        renderer: the language of templates.
        executor: where pages of customers are reviewed and planned.
        channels: channel instances by name; two may use one provider.
        delivery: how each channel instance is used, by its name.
        receivers: what hears of messages and replies, by name; the receiver ``links`` needs no table.
        attributes: the declared attributes of customers, by name, each with its type.
        ladder: the ladders of people and of accounts; a text alone names the one for both.
        parameters: the numbers that measures, scores and ladders are declared with.
        minimum_interval_days: the shortest time between two contacts with a customer, by stage; the key
            ``default`` is for stages that are not named, 14 days unless given. 0 is no interval.
        consent: what marketing needs.
        preference: which relationship is assumed, and how often it is asked about.
        caps: how many messages a customer gets in a window, by a name of yours; none unless given.
        quiet_hours: when nobody is disturbed, by medium; SMS from 21:00 to 8:00 unless given.
        ledger: what gives and asks weigh.
        holdout: who is left out of every campaign.
        campaigns: whether campaigns must be approved, and where their tests go.
        plugins: which plugins must be there, and which are left alone.
    """

    project: ProjectSettings = field(factory=ProjectSettings)
    store: Choice = Choice(use="memory")
    renderer: Choice = Choice(use="liquid")
    executor: Choice = Choice(use=IN_PROCESS)
    channels: Mapping[str, Choice] = field(factory=dict, converter=_read_only, validator=_instance_names)
    delivery: Mapping[str, DeliverySettings] = field(factory=dict, converter=_read_only)
    receivers: Mapping[str, Choice] = field(factory=dict, converter=_read_only, validator=_instance_names)
    attributes: Mapping[str, AttributeType] = field(factory=dict, converter=_read_only, validator=_attribute_types)
    ladder: LadderSettings = field(factory=LadderSettings, converter=_ladder)
    parameters: ParameterSettings = field(factory=ParameterSettings)
    minimum_interval_days: Mapping[str, float] = field(factory=dict, converter=_with_default, validator=_intervals)
    consent: ConsentSettings = field(factory=ConsentSettings)
    preference: PreferenceSettings = field(factory=PreferenceSettings)
    caps: Mapping[str, Cap] = field(factory=dict, converter=_read_only)
    quiet_hours: Mapping[str, QuietHours] = field(
        factory=dict, converter=_with_quiet_hours, validator=refuse_needless_quiet
    )
    ledger: LedgerSettings = field(factory=LedgerSettings)
    holdout: HoldoutSettings = field(factory=HoldoutSettings)
    campaigns: CampaignSettings = field(factory=CampaignSettings)
    plugins: PluginSettings = field(factory=PluginSettings)

    def __attrs_post_init__(self) -> None:
        """Refuse delivery settings of a channel that there is not, and a receiver under the name of the links."""
        if "links" in self.receivers:
            message = "[receivers.links]: this name is that of clicks on links, which need no table; choose another one"
            raise ConfigurationError(message)
        for name in self.delivery.keys() - self.channels.keys():
            message = f"[delivery.{name}]: there is no channel {name!r}{nearest(name, self.channels)}"
            raise ConfigurationError(message)


def read_settings(folder: Path) -> Settings:
    """Read ``relationship.toml``. What a provider's own keys mean is checked when the provider is made.

    Args:
        folder: the project folder.

    Raises:
        ConfigurationError: there is no such file, or something in it is wrong; a line for each mistake.
    """
    path = folder / SETTINGS_FILE
    if not path.is_file():
        message = f"there is no {SETTINGS_FILE} in {folder}; run `relate init` there, or choose a folder with --project"
        raise ConfigurationError(message)
    reader = Reader(SETTINGS_FILE, folder)
    settings = reader.make(Settings, _prepared(reader, document(path, SETTINGS_FILE), folder), "")
    refuse(reader.problems)
    return cast("Settings", settings)


def provider_settings(
    provider: Provider[Any],
    choice: Choice,
    folder: Path,
    where: str,
    *,
    project: ProjectSettings | None = None,
) -> Any:
    """An instance of a provider's settings class, from what the configuration says.

    A field of that class with the metadata ``{"project": "sender"}`` takes the project's ``sender`` where the
    configuration does not give it, and must be an address like it; likewise every other key of ``[project]``.

    Args:
        provider: the provider that was chosen.
        choice: the choice.
        folder: what relative paths are relative to.
        where: the choice's table in the configuration: ``[channels.news]``.
        project: the project's own settings.

    Raises:
        ConfigurationError: something is unknown, missing or of the wrong type, or an environment variable is
            not set; a line for each mistake.
    """
    inherited = {
        each.name: value
        for each in attrs.fields(provider.settings)
        if (value := getattr(project, each.metadata.get("project", ""), ""))
    }
    reader = Reader("", folder)
    settings = reader.make(provider.settings, {**inherited, **choice.settings}, where)
    for each in attrs.fields(provider.settings):
        given = choice.settings.get(each.name)
        if each.metadata.get("project") == "sender" and isinstance(given, str) and (wrong := sender_complaint(given)):
            reader.note(f"{where} {each.name}", wrong)
    refuse(reader.problems)
    return settings


def _prepared(reader: Reader, content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The document with its choices made, and the defaults that only a file has."""
    prepared = {"store": {"use": "sqlite", "path": DATABASE}, **content}
    for name in ("store", "renderer", "executor"):
        if name in prepared:
            prepared[name] = _choice(reader, prepared[name], f"[{name}]")
    if isinstance(prepared.get("parameters"), dict):
        prepared["parameters"] = _parameters(reader, prepared["parameters"])
    for kind in ("channels", "receivers"):
        if isinstance(prepared.get(kind), dict):
            tables = prepared[kind].items()
            prepared[kind] = {name: _choice(reader, each, f"[{kind}.{name}]") for name, each in tables}
    if isinstance(prepared.get("project", {}), dict):
        prepared["project"] = {"name": folder.resolve().name, **prepared.get("project", {})}
    return prepared


def _parameters(reader: Reader, table: dict[str, Any]) -> ParameterSettings:
    """The set and the values of a table; which parameters there are is known when plugins are."""
    before = len(reader.problems)
    kinds = {name: str if name == "use" else float for name in table}
    values = {name: reader.value(kind, table[name], f"[parameters] {name}") for name, kind in kinds.items()}
    if len(reader.problems) > before:
        return ParameterSettings()
    return ParameterSettings(use=values.pop("use", ""), values=values)


def _choice(reader: Reader, table: object, where: str) -> object:
    """The choice in a table; what is no such table is left for the reader to complain about."""
    if not isinstance(table, dict):
        return table
    if not isinstance(table.get("use"), str):
        reader.note(where, "the key 'use' must name what to use, such as use = \"name\"")
    return Choice(use=str(table.get("use")), settings={key: each for key, each in table.items() if key != "use"})
