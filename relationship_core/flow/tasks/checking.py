"""Checking: whether what campaigns say of tasks can be done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from relationship_core.errors import ConfigurationError, nearest
from relationship_core.model.campaign import Campaign
from relationship_core.model.words import TASK_MEDIUM


def check_outcomes(campaign: Campaign, kinds: Collection[str]) -> None:
    """Refuse outcomes that are to be recorded as interactions of a kind that there is not.

    Raises:
        ConfigurationError: there is no such kind.
    """
    for action in campaign.actions:
        for outcome, kind in action.task.outcomes.items() if action.task is not None else ():
            if kind and kind not in kinds:
                message = (
                    f"campaign {campaign.name!r}, action {action.name!r}, task outcomes: {outcome!r} is to be recorded "
                    f"as {kind!r}, and there is no such kind of interaction{nearest(kind, kinds)}; "
                    "the reference of interaction kinds lists them"
                )
                raise ConfigurationError(message)


def refuse_idle_assignments(campaigns: Iterable[Campaign], media: Mapping[str, str]) -> None:
    """Refuse what is said of a task where no channel of the action gives work to people.

    Args:
        campaigns: what is to be planned.
        media: the medium of each channel instance.

    Raises:
        ConfigurationError: an action says who does it, and only writes to customers.
    """
    for campaign in campaigns:
        for action in campaign.actions:
            if action.task is not None and all(media[each.channel] != TASK_MEDIUM for each in action.variants):
                message = (
                    f"campaign {campaign.name!r}, action {action.name!r} has a table task, and none of its variants is "
                    "on a channel of tasks; name a channel with use = 'task', or remove [actions.task]"
                )
                raise ConfigurationError(message)
