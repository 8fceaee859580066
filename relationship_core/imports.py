"""Files from elsewhere: ``Relationships.imports``, and what a program says of a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from relationship_core import arguments

if TYPE_CHECKING:
    from relationship_core.flow.record.presets import How, PartPreview
    from relationship_core.flow.record.rows import What
    from relationship_core.plugins import Plugins
    from relationship_core.presets import Preset
    from relationship_core.project import Project


class Imports:
    """What becomes of files of other systems: ``Relationships.imports``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    @property
    def presets(self) -> Mapping[str, Preset]:
        """How exports of other systems are read, by name."""
        return self._project.plugins.presets

    def preview(
        self,
        what: What | None = None,
        path: Path | str | None = None,
        *,
        preset: str | None = None,
        columns: Mapping[str, str] | None = None,
        source: str | None = None,
        kind: str | None = None,
        zone: str | None = None,
        encoding: str | None = None,
        decimal: str | None = None,
        consent_at: datetime | None = None,
    ) -> tuple[PartPreview, ...]:
        """What ``Relationships.import_file`` would do with a file; nothing is written.

        What only the store can tell is not seen: what was recorded before, and counts as a row here, too; who was
        erased; and what contradicts what is kept.

        Args:
            what: what the rows are; may be left out with a preset.
            path: the file.
            preset: as for ``import_file``, like all that follow.
            columns: the file's column for each of ours that is called otherwise there.
            source: the source of interactions, where no column says it.
            kind: their kind, where no column says it.
            zone: the zone of times that have none.
            encoding: how a text file is written.
            decimal: the mark of decimals.
            consent_at: when those had agreed of whom the export says no date.

        Raises:
            ConfigurationError: the file is not there, or what was said of it is wrong.
            RejectedError: the file cannot be read at all, or lacks a column.
            UnsupportedError: no file with this extension can be read.
        """
        from relationship_core.flow.record.presets import preview

        how = how_of(
            self._project.plugins, what, preset=preset, columns=columns, source=source, kind=kind, zone=zone,
            encoding=encoding, decimal=decimal, consent_at=consent_at,
        )  # fmt: skip
        return preview(self._project.recorder, arguments.path(path, "path"), how)


def how_of(
    plugins: Plugins,
    what: object,
    *,
    preset: object = None,
    columns: object = None,
    source: object = None,
    kind: object = None,
    zone: object = None,
    encoding: object = None,
    decimal: object = None,
    consent_at: object = None,
    rejects: object = None,
) -> How:
    """What a program says of a file, checked before anything is done; the arguments are those of ``import_file``.

    Raises:
        ConfigurationError: something of it is wrong, or there is no such preset.
    """
    from relationship_core.flow.record.presets import How

    name = arguments.optional_text(preset, "preset", "the name of a preset, as text")
    return How(
        what=None if what is None else arguments.rows_of(what),
        preset=None if name is None else plugins.find(plugins.presets, name, "preset"),
        columns=arguments.columns(columns) or {},
        source=arguments.optional_text(source, "source"),
        kind=arguments.optional_text(kind, "kind", "the name of an interaction kind, as text"),
        zone=arguments.optional_text(zone, "zone", "the name of a time zone, as text"),
        encoding=arguments.optional_text(encoding, "encoding", "the name of an encoding, as text"),
        decimal=arguments.optional_text(decimal, "decimal", "the mark of decimals, a point or a comma"),
        consent_at=arguments.instant(consent_at, "consent_at"),
        rejects=arguments.optional_path(rejects, "rejects"),
    )
