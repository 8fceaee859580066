"""What the plugin declares: the store ``postgres``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_postgres.settings import PostgresSettings

if TYPE_CHECKING:
    from relationship_core import Store


def _open(settings: PostgresSettings) -> Store:
    from relationship_postgres.store import PostgresStore

    return PostgresStore(settings)


@hookimpl
def relationship_stores() -> tuple[Provider[Store], ...]:
    """The store ``postgres``."""
    return (
        Provider(
            name="postgres",
            factory=_open,
            settings=PostgresSettings,
            summary="A schema in a PostgreSQL database, for many customers and any number of workers.",
        ),
    )
