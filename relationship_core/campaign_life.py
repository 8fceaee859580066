"""The life of campaigns, as a program has it: ``Relationships.campaign_life``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relationship_core import arguments
from relationship_core.errors import WrongArgumentError
from relationship_core.model.instants import utc

if TYPE_CHECKING:
    from relationship_core.flow.campaigns.moving import CampaignMove, Doing
    from relationship_core.flow.campaigns.seeds import CampaignTest
    from relationship_core.flow.campaigns.view import CampaignView
    from relationship_core.model.life import LifeAct
    from relationship_core.project import Project


class CampaignLife:
    """Brings campaigns from a draft to the archive: ``Relationships.campaign_life``.

    Everything that is done is somebody's decision, and kept with their name. Plan looks at active campaigns alone, and
    deliver leaves in the outbox what waits of the others.
    """

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def list(self) -> tuple[CampaignView, ...]:
        """Where each campaign is, by name; among them those whose file is gone while something of them is left."""
        from relationship_core.flow.campaigns.view import view_campaigns

        return view_campaigns(self._project.store, self._project.found.sound, approval=self._approval)

    def show(self, campaign: str) -> CampaignView:
        """Where one campaign is, with what was done with it and every content that it had.

        Raises:
            ConfigurationError: there is no such campaign, and never was.
        """
        from relationship_core.flow.campaigns.view import view_campaign

        name = arguments.campaign_name(campaign)
        return view_campaign(self._project.store, self._project.found.sound, name, approval=self._approval)

    def approve(self, campaign: str, *, actor: str, reason: str = "", version: str = "") -> CampaignMove:
        """Say that the content as it is now may go out: a draft is approved, and an active campaign goes on with it.

        Args:
            campaign: the campaign's name.
            actor: who approves it.
            reason: why.
            version: the version that they have looked at; empty for whatever it is now.

        Raises:
            ConfigurationError: there is no such campaign, or what it says cannot be planned.
            RejectedError: the content is approved already, or has another version by now; the campaign is archived,
                or no draft where no approvals are asked for; or nobody says who approves it.
        """
        seen = arguments.text(version, "version", "the version of a campaign's content, as text")
        return self._move("approve", campaign, actor, reason, seen=seen)

    def activate(self, campaign: str, *, actor: str, reason: str = "") -> CampaignMove:
        """Let it be planned, and let what waits of it go.

        Raises:
            ConfigurationError: there is no such campaign, or what it says cannot be planned.
            RejectedError: it is active or archived, its content must be approved first, or nobody says who does it.
        """
        return self._move("activate", campaign, actor, reason)

    def pause(self, campaign: str, *, actor: str, reason: str = "") -> CampaignMove:
        """Plan it no more, and leave in the outbox what waits of it; a message that is being sent is the last.

        Raises:
            ConfigurationError: there is no such campaign.
            RejectedError: it is not active, or nobody says who does it.
        """
        return self._move("pause", campaign, actor, reason)

    def archive(self, campaign: str, *, actor: str, reason: str = "") -> CampaignMove:
        """End it, also where its file is gone: what waits of it is stopped, and not planned again for its occasion.

        Raises:
            ConfigurationError: there is no such campaign, and never was.
            RejectedError: it is archived, or nobody says who does it.
        """
        return self._move("archive", campaign, actor, reason)

    def draft(self, campaign: str, *, actor: str, reason: str = "") -> CampaignMove:
        """Take it out of the archive, to begin anew; whatever was approved is so no more.

        Raises:
            ConfigurationError: there is no such campaign.
            RejectedError: it is not archived, or nobody says who does it.
        """
        return self._move("draft", campaign, actor, reason)

    def test(
        self, campaign: str, *, customers: Sequence[str] = (), action: str | None = None, actor: str, reason: str = ""
    ) -> CampaignTest:
        """Send what it would say to addresses of our own, the ``seeds`` of ``[campaigns]``; no customer gets any of it.

        Each variant is filled in for each customer and goes to each seed of its medium. It is no contact: nothing of
        it is in the outbox, in the ledger or in caps. That it was done is kept, without an address.

        Args:
            campaign: the campaign's name; it may be in any state.
            customers: for whom it is filled in; the first three of its audience when none are named.
            action: one action alone.
            actor: who does it.
            reason: why.

        Raises:
            ConfigurationError: there is no such campaign or action, no seed for it, or a seed is no address; or a
                template names what is not known of a customer.
            RejectedError: nobody has such an id, or nobody is in the audience; a seed is suppressed; or nobody says
                who does it.
        """
        from relationship_core.flow.campaigns.seeds import SeedTerms, send_test

        project, settings = self._project, self._project.settings.campaigns
        if isinstance(customers, str):
            message = "customers must be a list of customers' ids, not text; put it in a list"
            raise WrongArgumentError(message)
        doing = self._doing("test", campaign, actor, reason)
        chosen = project.campaign(doing.name)
        terms = SeedTerms(
            store=project.store,
            rules=project.rules,
            studio=project.studio(None),
            permission=project.terms(keep=True),
            media=project.chosen.media(project.campaigns),
            outlets=project.outlets,
            seeds=settings.seeds,
            approval=settings.approval,
        )
        who = [arguments.customer_id(each) for each in customers]
        return send_test(terms, doing, chosen, customers=who, action=arguments.optional_text(action, "action") or "")

    def seed_problems(self) -> tuple[str, ...]:
        """What is wrong with the ``seeds`` of ``[campaigns]``: no address, or suppressed; a sentence for each."""
        from relationship_core.flow.campaigns.seeds import seed_problems

        project = self._project
        return seed_problems(project.store, project.terms(keep=False), project.settings.campaigns.seeds)

    def _move(self, act: LifeAct, campaign: str, actor: str, reason: str, *, seen: str = "") -> CampaignMove:
        from relationship_core.flow.campaigns.moving import move

        doing = self._doing(act, campaign, actor, reason)
        if act in {"approve", "activate"} and doing.campaign is not None:
            self._project.check(doing.campaign)
        return move(self._project.store, doing, approval=self._approval, seen=seen)

    def _doing(self, act: LifeAct, campaign: str, actor: str, reason: str) -> Doing:
        from relationship_core.flow.campaigns.life import read_lives
        from relationship_core.flow.campaigns.moving import Doing
        from relationship_core.flow.campaigns.view import refuse_unknown_campaign

        project, name = self._project, arguments.campaign_name(campaign)
        there = {each.name: each for each in project.found.sound}
        known = there.keys() | (
            read_lives(project.store, approval=self._approval).names if act in {"archive", "pause"} else ()
        )
        refuse_unknown_campaign(name, known)
        return Doing(
            name=name,
            campaign=there.get(name),
            act=act,
            actor=arguments.text(actor, "actor", "the name of whoever does it, as text"),
            reason=arguments.text(reason, "reason"),
            at=utc(project.clock()),
        )

    @property
    def _approval(self) -> bool:
        return self._project.settings.campaigns.approval
