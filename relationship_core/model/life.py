"""The life of a campaign: from a draft to the archive, and who moved it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen

from relationship_core.model.validation import data

CampaignState: TypeAlias = Literal["draft", "approved", "active", "paused", "archived"]
"""Where a campaign is in its life.

``draft`` is being written; ``approved`` may be activated; ``active`` is planned and delivered; ``paused`` is neither,
and what waits in the outbox stays there; ``archived`` is over, and what waited was stopped.
"""

LifeAct: TypeAlias = Literal["draft", "approve", "activate", "pause", "archive", "test"]
"""What people do with a campaign."""


@frozen(kw_only=True)
class CampaignAct:
    """One thing that somebody did with a campaign.

    Attributes:
        campaign: its name.
        act: what was done.
        state: the campaign's state from then on.
        version: the version of its content at that moment.
        at: when.
        actor: who.
        reason: why.
        detail: of a test, how many messages went by which medium, and what became of them; otherwise empty.
    """

    campaign: str = field(validator=data.text)
    act: LifeAct = field(validator=data.one_of(get_args(LifeAct)))
    state: CampaignState = field(validator=data.one_of(get_args(CampaignState)))
    version: str = field(validator=data.text)
    at: datetime = field(validator=data.aware)
    actor: str = field(validator=data.text)
    reason: str = field(default="", validator=data.text)
    detail: str = field(default="", validator=data.text)
