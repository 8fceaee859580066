"""A store that keeps the projects of a machine in one folder, each as a SQLite file.

A database in a folder that is synchronized, or shared over a network, is soon a broken one. With this store a project's
settings and campaigns may lie in such a folder, and its data do not.
"""

from pathlib import Path

from attrs import field, frozen, validators
from relationship_core import Provider, Store, hookimpl, load_plugins


@frozen(kw_only=True)
class AcornSettings:
    """Settings of ``[store] use = "acorn"``.

    Attributes:
        name: the name of the file, without its ending.
        folder: where the files are; it is made where it is missing, for its owner alone.
    """

    name: str = field(validator=validators.matches_re(r"[A-Za-z0-9][A-Za-z0-9_-]*"))
    folder: Path = field(factory=lambda: Path.home() / ".local" / "share" / "relationship")


def open_store(settings: AcornSettings) -> Store:
    """Open the file with the built-in store. A store of another kind is a class with the methods of ``Store``."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite = load_plugins().stores["sqlite"]
    return sqlite.factory(sqlite.settings(path=settings.folder / f"{settings.name}.db"))


@hookimpl
def relationship_stores() -> tuple[Provider[Store], ...]:
    """The store ``acorn``."""
    provider: Provider[Store] = Provider(
        name="acorn",
        factory=open_store,
        settings=AcornSettings,
        summary="SQLite files in one folder of the machine.",
    )
    return (provider,)
