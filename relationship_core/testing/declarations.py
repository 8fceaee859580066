"""What the contracts of scores and policies share: what happened, and plugins of which one is somebody's own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pytest

from relationship_core.model.interaction import Interaction
from relationship_core.model.money import Money
from relationship_core.plugins import Plugins
from relationship_core.plugins.sources import builtin_sources, handed_in_sources


class DeclarationContract:
    """A plugin that declares something about customers, beside what is built in.

    Attributes:
        plugin: the module, or object, that implements the hooks.
        without: what is built in and left out.
    """

    plugin: object
    without: Collection[str] = ()

    def interaction(self, number: int, customer: str, kind: str, at: datetime) -> Interaction:
        """One interaction, an order with an amount. To be overridden where a kind needs more, such as data."""
        amount = Money(minor=1_000, currency="EUR") if kind == "order" else None
        return Interaction(source="test", id=str(number), customer=customer, kind=kind, at=at, amount=amount)

    @pytest.fixture
    def plugins(self) -> Plugins:
        """What is built in, and the plugin; what else is installed is left alone."""
        built_in = [source for source in builtin_sources() if source.name not in self.without]
        return Plugins([*built_in, *handed_in_sources([self.plugin])])
