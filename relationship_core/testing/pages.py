"""The contract of the pages that tell of a plugin. A plugin inherits it in a few lines and gets every test of it.

    class TestMyPages(PagesContract):
        pages = (FOLDER / "README.md", FOLDER / "docs" / "guide.md")
        channels = relationship_channels()
        receivers = relationship_receivers()
        environment = {"MY_API_KEY": "a key"}

A page has a table for each channel, receiver and executor, of three columns: key, default and meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from relationship_core.config import Choice, provider_settings, read_settings
from relationship_core.config.project import ProjectSettings
from relationship_core.ports import Channel, Executor, Receiver
from relationship_core.providers import Provider

if TYPE_CHECKING:
    import pytest


class PagesContract:
    """What a page says of a plugin's settings is what they are.

    Attributes:
        pages: the pages.
        channels: the channels that they tell of.
        receivers: the receivers that they tell of.
        executors: the executors that they tell of.
        environment: the variables that the pages take secrets from, each with a value that fits.
        project: what a block that has no ``[project]`` of its own inherits.
    """

    pages: ClassVar[Sequence[Path]]
    channels: ClassVar[Sequence[Provider[Channel]]] = ()
    receivers: ClassVar[Sequence[Provider[Receiver]]] = ()
    executors: ClassVar[Sequence[Provider[Executor]]] = ()
    environment: ClassVar[Mapping[str, str]] = {}
    project: ClassVar[ProjectSettings] = ProjectSettings(
        sender="Corner Bakery <hello@example.com>", postal_address="Corner Bakery, 1 Main St, Springfield, IL 62701"
    )

    def prepare(self, folder: Path) -> None:
        """Put the files that settings name into a project's folder. To be overridden where there are some."""

    def test_every_provider_has_a_table_of_its_keys_and_defaults(self) -> None:
        """No key is missing, none is there that does not exist, and no number is another one."""
        for page in self.pages:
            tables = list(_tables(page.read_text(encoding="utf-8")))
            for provider in self._providers():
                fields = attrs.fields(provider.settings)
                table = next((each for each in tables if each.keys() == {field.name for field in fields}), None)
                assert table is not None, (page.name, provider.settings.__name__)
                for field in fields:
                    if isinstance(field.default, (bool, int, float)):
                        assert table[field.name] == _shown(field.default), (page.name, field.name)
            assert len(tables) == len(self._providers()), page.name

    def test_every_page_configures_what_it_tells_of(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each block of settings is right as it stands, and shows no secret."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        self.prepare(tmp_path)
        for page in self.pages:
            told = {provider.name for block in _blocks(page) for provider in self._opened(block, tmp_path)}
            assert told == {provider.name for provider in self._providers()}, page.name

    def _providers(self) -> Sequence[Provider[Any]]:
        return (*self.channels, *self.receivers, *self.executors)

    def _opened(self, block: str, folder: Path) -> Iterator[Provider[Any]]:
        """The providers of what a block configures, each after it was made."""
        (folder / "relationship.toml").write_text(block, encoding="utf-8")
        settings = read_settings(folder)
        project = settings.project if "[project]" in block else self.project
        chosen: list[tuple[str, Choice, Sequence[Provider[Any]]]]
        chosen = [(f"[channels.{name}]", choice, self.channels) for name, choice in settings.channels.items()]
        chosen += [(f"[receivers.{name}]", choice, self.receivers) for name, choice in settings.receivers.items()]
        if "[executor]" in block:
            chosen.append(("[executor]", settings.executor, self.executors))
        for where, choice, providers in chosen:
            provider = {each.name: each for each in providers}[choice.use]
            made = provider_settings(provider, choice, folder, where, project=project)
            assert not any(secret in repr(made) for secret in self.environment.values())
            provider.factory(made).close()
            yield provider


def _blocks(page: Path) -> Iterator[str]:
    """The blocks of TOML that configure a channel, a receiver or the executor."""
    for block in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if re.search(r"^\[(channels\.|receivers\.|executor\])", block, re.MULTILINE):
            yield block


def _tables(page: str) -> Iterator[dict[str, str]]:
    """The tables of settings: each key with its default as it is shown."""
    for table in re.findall(r"^\| key \|.*\n(?:\|.*\n)*", page, re.MULTILINE):
        rows = [row.split("|")[1:3] for row in table.splitlines()[2:]]
        yield {key: default.strip() for keys, default in rows for key in re.findall(r"`(\w+)`", keys)}


def _shown(default: float) -> str:
    """A default as a page shows it; True and False as TOML does."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(int(default)) if default == int(default) else f"{default:g}"
