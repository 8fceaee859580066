"""Moving a project to another store, as a program has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core.flow.progress import Listener, silent

if TYPE_CHECKING:
    from relationship_core.flow.copying import Copied
    from relationship_core.relationships import Relationships


def copy_project(source: Relationships, target: Relationships, *, progress: Listener = silent) -> Copied:
    """Copy everything that a project keeps into the empty store of another one, compared row by row.

    Nobody can write to the source meanwhile. All of the copy counts, or nothing. Afterwards close the target and open
    it again, and deliver from one of the two alone: both have the same outbox.

    Args:
        source: what is copied.
        target: a project with the same plugins and settings, but for its store.
        progress: told how many customers are done.

    Raises:
        ConfigurationError: the projects declare different measures, currencies or zones, or the source has to be
            rebuilt first.
        RejectedError: the target is not empty, or its store cannot keep a row.
        RetriableError: a message is being delivered from the source; or a store fails for a while.
    """
    from relationship_core.flow.copying import copy, refuse_other_ground, refuse_other_measures

    measures = source.catalog.measures
    refuse_other_ground(source.settings.project, target.settings.project)
    refuse_other_measures(measures, target.catalog.measures)
    return copy(source.store, target.store, measures, progress=progress)
