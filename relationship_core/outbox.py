"""What waits to be sent, or came to nothing, as a program has it: ``Relationships.outbox``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relationship_core import arguments

if TYPE_CHECKING:
    from relationship_core.flow.deliver.restored import Restored
    from relationship_core.project import Project


class Outbox:
    """The outbox of a project: ``Relationships.outbox``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def retry(self, channel: str | None = None, *, unknown: bool = False) -> Mapping[str, int]:
        """Put messages that were rejected or failed back into the outbox; their ids stay as they are.

        What has expired meanwhile is left.

        Args:
            channel: only the messages of this channel; None for all.
            unknown: whether those go again, too, of which nobody knows whether they went; they are marked so.

        Returns:
            How many, by the state that they had: ``rejected``, ``failed``, ``unknown``.

        Raises:
            ConfigurationError: there is no such channel.
        """
        from relationship_core.flow.deliver.dead_letters import put_back

        project = self._project
        name = arguments.optional_text(channel, "channel", "the name of a channel, as text")
        if name is not None:
            project.plugins.find(project.settings.channels, name, "channel")
        with_unknown = arguments.yes_or_no(unknown, "unknown")
        return put_back(project.store, project.settings.channels, name, project.moment(None).now, unknown=with_unknown)

    def restored(self) -> Restored:
        """Say that the store was restored from a backup, so that what may have gone since is not sent again.

        What waits becomes unknown; but a channel that can look tells what it has sent, and a provider that knows a
        message again by its id gets it once more. Deliveries begin again afterwards.
        """
        from relationship_core.flow.deliver.restored import accept_restored

        project = self._project
        studio = project.studio(None, step="deliver")
        followed = project.gate.followed
        return accept_restored(project.store, project.outlets, studio, project.witness(studio.salt), followed=followed)
