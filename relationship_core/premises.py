"""What planning takes as given of a project, from its settings and its store: here, and in a worker, the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.salt import project_salt

if TYPE_CHECKING:
    from relationship_core.config import Settings
    from relationship_core.flow.plan.selecting import Premises
    from relationship_core.model.campaign import Campaign
    from relationship_core.ports import Store


def terms_of(settings: Settings, store: Store, *, keep: bool) -> Terms:
    """What permission is judged by; ``keep`` says whether a salt may be made for it."""
    return Terms(
        consent=settings.consent,
        preference=settings.preference,
        salt=project_salt(store, keep=keep),
        country=settings.project.country,
    )


def premises_of(settings: Settings, campaigns: Iterable[Campaign], media: Mapping[str, str], terms: Terms) -> Premises:
    """What planning takes as given.

    Args:
        settings: the project's configuration.
        campaigns: all its campaigns.
        media: the medium of each channel instance that they name.
        terms: what permission is judged by.
    """
    from relationship_core.flow.plan.circumstances import ContactSettings
    from relationship_core.flow.plan.outbox import salted_message_id
    from relationship_core.flow.plan.selecting import Premises
    from relationship_core.flow.versions import versions_of

    contact = ContactSettings(
        terms=terms,
        intervals=settings.minimum_interval_days,
        caps=settings.caps,
        quiet_hours=settings.quiet_hours,
        ledger=settings.ledger,
    )
    return Premises(
        media=media,
        contact=contact,
        versions=versions_of(campaigns),
        message_id=salted_message_id(terms.salt),
        share=settings.holdout.share,
        approval=settings.campaigns.approval,
    )
