"""What the configuration chose: store, renderer and channels, each made when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from relationship_core.config import Choice, Settings, provider_settings
from relationship_core.errors import ConfigurationError
from relationship_core.plugins import Plugins

if TYPE_CHECKING:
    from relationship_core.model.campaign import Campaign, Variant
    from relationship_core.model.message import Message, Price
    from relationship_core.ports import Channel, Executor, Receiver, Renderer, Store
    from relationship_core.providers import Provider

P = TypeVar("P")

_CLOSED = "the project is closed, and nothing can be done with it; open it again"


class _ClosedStore:
    """What a closed project has for a store, whatever its store would do."""

    def __getattr__(self, name: str) -> object:
        raise ConfigurationError(_CLOSED)


def closed_store() -> Store:
    """A store of which every use is refused, because its project is closed."""
    return cast("Store", _ClosedStore())


class Chosen:
    """The objects that a project's settings name.

    Attributes:
        plugins: what is installed; whoever opens a project sets it anew when the values of parameters are known.

    Raises, from every member: ConfigurationError where nothing of that name is installed, its settings are
    wrong, or its plugin fails.
    """

    def __init__(self, settings: Settings, plugins: Plugins, folder: Path) -> None:
        """Relative paths in the settings are taken against ``folder``."""
        self.plugins = plugins
        self._settings = settings
        self._folder = folder
        self._channels: dict[str, Channel] = {}
        self._receivers: dict[str, Receiver] = {}
        self._is_closed = False

    @cached_property
    def store(self) -> Store:
        """Where the project lives."""
        return self._make(self.plugins.stores, self._settings.store, "[store]")

    @cached_property
    def renderer(self) -> Renderer:
        """The language of templates."""
        return self._make(self.plugins.renderers, self._settings.renderer, "[renderer]")

    @cached_property
    def executor(self) -> Executor:
        """Where pages of customers are judged."""
        if self._is_closed:
            raise ConfigurationError(_CLOSED)
        return self._make(self.plugins.executors, self._settings.executor, "[executor]")

    def check_executor(self) -> None:
        """Refuse an executor that is not there, or whose settings are wrong; it is not made."""
        self._read(self.plugins.executors, self._settings.executor, "[executor]")

    def channel(self, name: str) -> Channel:
        """A channel instance, by the name that the configuration gives it."""
        if self._is_closed:
            raise ConfigurationError(_CLOSED)
        if name not in self._channels:
            where = f"[channels.{name}]"
            choice = self.plugins.find(self._settings.channels, name, "channel")
            self._channels[name] = self._make(self.plugins.channels, choice, where)
        return self._channels[name]

    def receiver(self, name: str) -> Receiver:
        """A receiver instance, by the name that the configuration gives it."""
        if self._is_closed:
            raise ConfigurationError(_CLOSED)
        if name not in self._receivers:
            choice = self.plugins.find(self._settings.receivers, name, "receiver")
            self._receivers[name] = self._make(self.plugins.receivers, choice, f"[receivers.{name}]")
        return self._receivers[name]

    def provider_of(self, channel: str) -> Provider[Channel]:
        """What the plugin says of the kind of a channel instance, without making it."""
        choice = self.plugins.find(self._settings.channels, channel, "channel")
        return self.plugins.find(self.plugins.channels, choice.use, f"[channels.{channel}] use")

    def price(self, message: Message) -> Price | None:
        """What sending a message would cost; None where its channel does not tell."""
        from relationship_core.ports import Priced

        channel = self.channel(message.channel)
        if not isinstance(channel, Priced):
            return None
        try:
            return channel.price(message)
        except Exception as error:  # a plugin may raise anything
            told = f"the channel {message.channel!r} could not say what a message costs: {type(error).__name__}"
            raise ConfigurationError(told) from error

    def media(self, campaigns: Iterable[Campaign]) -> Mapping[str, str]:
        """The medium of each channel instance that campaigns name."""
        named = {variant.channel for campaign in campaigns for _where, variant in variants_of(campaign)}
        return {name: self.channel(name).medium for name in sorted(named)}

    def every_medium(self) -> frozenset[str]:
        """The media of all configured channels."""
        return frozenset(self.channel(name).medium for name in self._settings.channels)

    def check(self, campaign: Campaign) -> None:
        """Refuse a campaign whose templates do not parse or whose channels are not there."""
        self.check_channels(campaign)
        for where, variant in variants_of(campaign):
            for template in (variant.subject, variant.text, variant.html):
                self._check_template(template, where)
        for where, template in assignees_of(campaign):
            self._check_template(template, where)

    def check_channels(self, campaign: Campaign) -> None:
        """Refuse a campaign whose channels are not there."""
        for where, variant in variants_of(campaign):
            self._check_channel(variant, where)

    def close(self) -> None:
        """Let go of the store, the channels and the workers; may be called twice. None can be had afterwards."""
        self._is_closed = True
        if "executor" in vars(self):
            self.executor.close()
        made: tuple[Channel | Receiver, ...] = (*self._channels.values(), *self._receivers.values())
        for each in made:
            each.close()
        self._channels.clear()
        self._receivers.clear()
        self.store.close()

    def _make(self, providers: Mapping[str, Provider[P]], choice: Choice, where: str) -> P:
        return self.plugins.make(*self._read(providers, choice, where), where)

    def _read(self, providers: Mapping[str, Provider[P]], choice: Choice, where: str) -> tuple[Provider[P], Any]:
        """What a choice names, and its settings."""
        provider = self.plugins.find(providers, choice.use, f"{where} use")
        return provider, provider_settings(provider, choice, self._folder, where, project=self._settings.project)

    def _check_channel(self, variant: Variant, where: str) -> None:
        choice = self.plugins.find(self._settings.channels, variant.channel, f"{where}, channel")
        provider = self.plugins.find(self.plugins.channels, choice.use, f"[channels.{variant.channel}] use")
        for name, word in (("html", "HTML"), ("attachments", "attachments")):
            if getattr(variant, name) and name not in provider.capabilities:
                message = (
                    f"{where}: the channel {variant.channel!r} delivers no {word}; leave {name} out of its variant, "
                    "or choose another channel"
                )
                raise ConfigurationError(message)

    def _check_template(self, template: str, where: str) -> None:
        try:
            self.renderer.check(template)
        except ConfigurationError as error:
            message = f"{where}: {error}"
            raise ConfigurationError(message) from error


def variants_of(campaign: Campaign) -> Iterable[tuple[str, Variant]]:
    """Every variant of a campaign, with its place in words."""
    for action in campaign.actions:
        for variant in action.variants:
            yield f"campaign {campaign.name!r}, action {action.name!r}", variant


def assignees_of(campaign: Campaign) -> Iterable[tuple[str, str]]:
    """The templates of those who do its tasks, each with its place in words."""
    for action in campaign.actions:
        if action.task is not None:
            yield f"campaign {campaign.name!r}, action {action.name!r}, task assignee", action.task.assignee
