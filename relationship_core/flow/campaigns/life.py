"""The life of campaigns, as the acts tell that are kept: which are planned, and whose messages go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

from attrs import evolve, frozen

from relationship_core.columns import CAMPAIGN_ACTS, CAMPAIGNS
from relationship_core.flow.facts import read_fact
from relationship_core.flow.rules import Rules
from relationship_core.model.life import CampaignState, LifeAct
from relationship_core.ports import Store

ACTS_FACT = "campaign_acts"
"""Under this name the store keeps how many acts there are."""
NOT_ACTIVE = "not_active"
"""What is told of a campaign that no plan looks at; no decision has it for a reason."""


@frozen(kw_only=True)
class Life:
    """Where one campaign is in its life.

    Attributes:
        state: where the last act left it.
        approved: the version of its content that was approved last; empty for none since it was a draft.
        ever_approved: every version that was approved since then.
        approval: whether the project asks for approvals.
    """

    state: CampaignState
    approved: str
    ever_approved: frozenset[str]
    approval: bool

    def lacks_approval(self, version: str) -> bool:
        """Whether this content may not be planned before somebody approves it."""
        return self.approval and self.approved != version

    def state_with(self, version: str) -> CampaignState:
        """Where it is with this content: a draft where that has changed since it was approved."""
        drafted = self.state in {"approved", "active"} and self.lacks_approval(version)
        return "draft" if drafted else self.state

    def sends(self, version: str) -> bool:
        """Whether what was planned with this content may go: it goes on while the content is edited."""
        return self.state == "active" and (not self.approval or version in self.ever_approved)

    def moves(self, version: str) -> tuple[LifeAct, ...]:
        """What may be done with it, with this content."""
        if self.state == "archived":
            return ("draft",)
        acts: list[LifeAct] = []
        if self.state == "draft" or self.lacks_approval(version):
            acts.append("approve")
        if self.state == "active":
            acts.append("pause")
        elif not self.lacks_approval(version):
            acts.append("activate")
        return (*acts, "archive")

    def after(self, act: LifeAct) -> CampaignState:
        """Where an act takes it, if it may be done."""
        taken: Mapping[LifeAct, CampaignState] = {
            "draft": "draft",
            "activate": "active",
            "pause": "paused",
            "archive": "archived",
        }
        if act == "approve" and self.state == "draft":
            return "approved"
        return taken.get(act, self.state)


def moves_without_file(life: Life) -> tuple[LifeAct, ...]:
    """What may be done with a campaign whose file is gone or wrong: what waits of it goes on, unless it is stopped."""
    ends: tuple[LifeAct, ...] = () if life.state == "archived" else ("archive",)
    return ("pause", *ends) if life.state == "active" else ends


@frozen(kw_only=True)
class Lives:
    """The lives of all campaigns of a project.

    Attributes:
        known: those with whom something was done, by name.
        contents: every content of which the store knows, as a campaign's name and a version.
        approval: whether the project asks for approvals.
        acts: how many acts there are: with another number, something was done.
    """

    known: Mapping[str, Life]
    contents: frozenset[tuple[str, str]]
    approval: bool
    acts: int

    def of(self, campaign: str) -> Life:
        """That of one campaign; one with which nothing was done is as the configuration says."""
        state: CampaignState = "draft" if self.approval else "active"
        untouched = Life(state=state, approved="", ever_approved=frozenset(), approval=self.approval)
        return self.known.get(campaign, untouched)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every campaign of which the store knows."""
        return frozenset(name for name, _version in self.contents) | self.known.keys()

    def inactive(self, versions: Mapping[str, str]) -> Mapping[str, CampaignState]:
        """Of these campaigns, each with the version of its content, those that are not planned, with their state."""
        states = {name: self.of(name).state_with(version) for name, version in versions.items()}
        return {name: state for name, state in states.items() if state != "active"}

    @cached_property
    def archived(self) -> frozenset[str]:
        """Those that are over: none of their messages goes any more."""
        return frozenset(name for name, life in self.known.items() if life.state == "archived")

    @cached_property
    def held(self) -> frozenset[tuple[str, str]]:
        """The contents, each as name and version, whose messages wait in the outbox."""
        return frozenset(
            (name, version)
            for name, version in self.contents
            if name not in self.archived and not self.of(name).sends(version)
        )


def read_lives(store: Store, *, approval: bool) -> Lives:
    """What is kept of the lives of all campaigns.

    Args:
        store: where the acts are.
        approval: whether the project asks for approvals.
    """
    rows = store.read(CAMPAIGN_ACTS, columns=["campaign", "entry", "act", "state", "version"])
    known: dict[str, Life] = {}
    for campaign, _entry, act, state, version in rows.iter_rows():
        if act == "test":
            continue
        before = known.get(campaign)
        ever = before.ever_approved if before and act != "draft" else frozenset()
        approved = before.approved if before and act != "draft" else ""
        if act == "approve":
            approved, ever = version, ever | {version}
        known[campaign] = Life(state=state, approved=approved, ever_approved=ever, approval=approval)
    contents = frozenset(store.read(CAMPAIGNS, columns=["campaign", "version"]).iter_rows())
    return Lives(known=known, contents=contents, approval=approval, acts=count_acts(store))


def count_acts(store: Store) -> int:
    """How many acts there are; asked before every message that goes."""
    return int(read_fact(store, ACTS_FACT) or 0)


def of_campaigns(rules: Rules, inactive: Collection[str]) -> Rules:
    """The rules without the campaigns that are not active."""
    if not inactive:
        return rules
    return evolve(rules, triggers=tuple(each for each in rules.triggers if each.campaign.name not in inactive))
