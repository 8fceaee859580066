"""What the steps work with: a project's store, and what plugins declare by the values in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relationship_core import arguments
from relationship_core.campaign_files import FoundCampaigns
from relationship_core.chosen import Chosen, closed_store
from relationship_core.config import IN_PROCESS, SETTINGS_FILE, Settings
from relationship_core.config.contact import named_media
from relationship_core.errors import ConfigurationError
from relationship_core.flow.candidate_columns import refuse_candidate_names
from relationship_core.flow.catalog import make_catalog
from relationship_core.flow.fitted_tables import fitted_tables
from relationship_core.flow.ground import check_currency, check_zone, keep_ground
from relationship_core.flow.in_force import parameters_in_force
from relationship_core.flow.progress import Listener
from relationship_core.flow.record.addresses import media_problems
from relationship_core.flow.record.checks import AHEAD
from relationship_core.flow.standing import Moment, last_recorded, refuse_the_future
from relationship_core.flow.united import united
from relationship_core.model.instants import utc
from relationship_core.plugins import Plugins
from relationship_core.premises import premises_of, terms_of

if TYPE_CHECKING:
    from relationship_core.flow.calibrate import Calibrated
    from relationship_core.flow.deliver.epoch import Witness
    from relationship_core.flow.deliver.outlets import Outlet
    from relationship_core.flow.deliver.permission import Gate
    from relationship_core.flow.deliver.render import Studio
    from relationship_core.flow.permission.terms import Terms
    from relationship_core.flow.plan.selecting import Premises
    from relationship_core.flow.rebuild import Rebuilt
    from relationship_core.flow.record.recorder import Recorder
    from relationship_core.flow.report.costs import CostTerms
    from relationship_core.flow.rules import Rules
    from relationship_core.flow.waves import Workers
    from relationship_core.model.campaign import Campaign
    from relationship_core.ports import Clock, Store


class Project:
    """A project that is open.

    Its plugins are asked for stores and parameters first, and for all else when the store is open: values that
    were fitted lie there.

    Attributes:
        settings: its configuration.
        found: its campaigns, as far as their files can be read.
        clock: tells the present instant.
        folder: against which relative paths are taken.
        chosen: the objects that the settings name.
        store: where it lives, with merged customers as one.
        parameters: every parameter with its value in force.
        plugins: what is installed, declared with these values.
        catalog: every column, declared with these values.
    """

    def __init__(
        self, settings: Settings, campaigns: tuple[Campaign, ...], clock: Clock, plugins: Plugins, folder: Path
    ) -> None:
        """Open the store; relative paths in the settings are taken against ``folder``.

        Raises:
            ConfigurationError: something is declared wrongly.
            RetriableError: the store cannot be opened now.
        """
        self.settings = settings
        self.found = FoundCampaigns(sound=campaigns)
        self.clock = clock
        self.folder = folder
        self.chosen = Chosen(settings, plugins, folder)
        self.store: Store = united(self.chosen.store)
        try:
            self.declare(plugins)
            self._check_media()
            check_currency(self.store, settings.project.currency)
        except BaseException:  # Ctrl-C leaves no open store behind either
            self.close()
            raise

    def declare(self, installed: Plugins) -> None:
        """Take what plugins declare by the values that are in force now.

        Raises:
            ConfigurationError: something is declared wrongly, or the store's own plugin breaks with these values.
        """
        self.parameters = parameters_in_force(self.store, installed, self.settings.parameters)
        values = {each.name: each.value for each in self.parameters}
        self.plugins = installed.with_parameters(values, fitted_tables(self.store))
        self.catalog = make_catalog(self.settings, self.plugins)
        refuse_candidate_names(self.catalog)
        # Now that everything was asked for: whether the plugin that brought the store works with these values.
        self.plugins.find(self.plugins.stores, self.settings.store.use, "[store] use")
        self.store.prepare(self.catalog.measures)
        self.chosen.plugins = self.plugins
        self._rules: Rules | None = None
        self._are_checked = False

    def _check_media(self) -> None:
        """Whether the settings about contact name media that there are; a channel is made only for one that is not.

        Raises:
            ConfigurationError: one is neither standard nor that of a configured channel.
        """
        named = [
            *named_media(self.settings.consent, self.settings.caps, self.settings.quiet_hours),
            *(("[campaigns] seeds", medium) for medium in self.settings.campaigns.seeds),
        ]
        problems = media_problems((medium for _, medium in named), self.chosen.every_medium)
        for where, medium in named:
            if medium in problems:
                message = f"{where}: {problems[medium]}"
                raise ConfigurationError(message)

    def calibrate(
        self, name: str | None, as_of: datetime | None, *, dry_run: bool, page_size: int, progress: Listener
    ) -> Calibrated:
        """Fit parameters, and declare everything anew where a value in force changed."""
        from relationship_core.flow.calibrate import calibrate

        calibrated = calibrate(
            self.store,
            self.catalog,
            self.plugins,
            self.settings.parameters,
            self.moment(as_of, step="" if dry_run else "calibrate"),
            name=name,
            dry_run=dry_run,
            page_size=page_size,
            progress=progress,
        )
        if calibrated.everybody_due:
            self.declare(self.plugins)
        return calibrated

    def rebuild(self, *, progress: Listener) -> Rebuilt:
        """Fold the whole history again; from then on it stands on the currency and the zone of the settings."""
        from relationship_core.flow.rebuild import rebuild

        rebuilt = rebuild(self.recorder, progress=progress)
        keep_ground(self.store, self.settings.project.currency, self.settings.project.zone)
        return rebuilt

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """All its campaigns.

        Raises:
            ConfigurationError: the file of one of them is wrong.
        """
        return self.found.all

    def campaign(self, name: str) -> Campaign:
        """One of the campaigns.

        Raises:
            ConfigurationError: there is none of that name.
        """
        return self.plugins.find({each.name: each for each in self.campaigns}, name, "campaign")

    def close(self) -> None:
        """Let go of the store, the channels and the workers; may be called twice."""
        self.chosen.close()
        self.store = closed_store()

    @property
    def rules(self) -> Rules:
        """Ladder and campaigns, parsed and checked.

        Raises:
            ConfigurationError: a condition or a template is wrong, or a campaign names a channel that is not
                configured.
        """
        if not self._are_checked:
            for campaign in self.campaigns:
                self._check_words(campaign)
            self._are_checked = True
        return self.rules_alone

    @property
    def rules_alone(self) -> Rules:
        """The same without a look at templates, for who judges and writes nothing: that waits for no renderer.

        Raises:
            ConfigurationError: as ``rules``, but for templates.
        """
        if self._rules is None:
            self._rules = self._rules_of(self.campaigns)
        return self._rules

    def check(self, campaign: Campaign) -> None:
        """Whether a campaign can be planned.

        Raises:
            ConfigurationError: as ``rules``.
        """
        self._check_words(campaign)
        self._rules_of((campaign,))

    def _check_words(self, campaign: Campaign) -> None:
        """Whether what a campaign writes can be filled in, and there are the channels for it."""
        from relationship_core.flow.deliver.render import check_variables

        self.chosen.check(campaign)
        check_variables(campaign, self.chosen.renderer, self.catalog, self.settings.project.links)

    def _rules_of(self, campaigns: tuple[Campaign, ...]) -> Rules:
        from relationship_core.flow.rules import make_rules
        from relationship_core.flow.tasks.checking import check_outcomes

        for campaign in campaigns:
            self.chosen.check_channels(campaign)
            check_outcomes(campaign, self.plugins.kinds)
        return make_rules(self.catalog, campaigns, self.plugins.policies)

    @property
    def recorder(self) -> Recorder:
        """What history is folded with."""
        from relationship_core.flow.announce import interactions_to
        from relationship_core.flow.record.recorder import Recorder

        return Recorder(
            store=self.store,
            measures=self.catalog.measures,
            kinds=self.plugins.kinds,
            currency=self.settings.project.currency,
            zone=self.settings.project.zone,
            clock=self.clock,
            attributes=self.settings.attributes,
            media=self.chosen.every_medium,
            announce=interactions_to(self.plugins, self.settings.project.currency),
            terms=self.terms(keep=False),
        )

    def recording(self) -> Recorder:
        """What something new is recorded with, on the ground that history stands on."""
        check_zone(self.store, self.settings.project.zone)
        keep_ground(self.store, self.settings.project.currency, self.settings.project.zone)
        self.terms(keep=True)
        return self.recorder

    @property
    def gate(self) -> Gate:
        """What permission is asked by when a message is claimed."""
        from relationship_core.flow.contact.quiet import Clocks
        from relationship_core.flow.deliver.permission import Gate

        project, hours = self.settings.project, self.settings.quiet_hours
        clocks = Clocks(hours=hours, zone=project.zone, country=project.country)
        return Gate(
            terms=self.terms(keep=True),
            policies=self.plugins.policies,
            clocks=clocks,
            approval=self.settings.campaigns.approval,
            followed=frozenset(each.name for each in self.found.sound if each.has_follow_ups),
        )

    def terms(self, *, keep: bool) -> Terms:
        """What permission is judged by; ``keep`` says whether a salt may be made for it."""
        return terms_of(self.settings, self.store, keep=keep)

    def premises(self, *, keep: bool) -> Premises:
        """What planning takes as given; ``keep`` says whether campaigns' versions are kept, and a salt may be made."""
        from relationship_core.flow.versions import keep_versions

        if keep:
            keep_versions(self.store, self.campaigns, utc(self.clock()))
        return premises_of(self.settings, self.campaigns, self.chosen.media(self.campaigns), self.terms(keep=keep))

    @property
    def workers(self) -> Workers | None:
        """Who judges pages beside this process; None where ``[executor]`` names nobody.

        Raises:
            ConfigurationError: what the project is made of cannot be had in another process.
        """
        if self.settings.executor.use == IN_PROCESS:
            return None
        from relationship_core.workers import ProjectWorkers, blueprint_of

        self.chosen.check_executor()
        return ProjectWorkers(
            executor=lambda: self.chosen.executor,  # it may import a lot, and a lone page needs none
            blueprint=blueprint_of(self.settings, self.campaigns, self.plugins, self.rules_alone, self.folder),
            store=self.store,
            media=partial(self.chosen.media, self.campaigns),
        )

    def check_sender(self) -> None:
        """Whether the project may send what its campaigns want to.

        Raises:
            ConfigurationError: marketing must show a postal address, and there is none; or a task is for nobody.
        """
        from relationship_core.flow.plan.outbox import refuse_without_postal_address
        from relationship_core.flow.tasks.checking import refuse_idle_assignments

        media, own = self.chosen.media(self.campaigns), self.settings.project
        refuse_idle_assignments(self.campaigns, media)
        refuse_without_postal_address(self.campaigns, media, own.postal_address)

    @property
    def outlets(self) -> Mapping[str, Callable[[], Outlet]]:
        """How to get each configured channel with how it is used, by its name; it is made when it is first sent to."""
        return {name: partial(self._outlet, name) for name in self.settings.channels}

    def _outlet(self, name: str) -> Outlet:
        from relationship_core.config.delivery import DeliverySettings
        from relationship_core.flow.deliver.outlets import Outlet

        provider = self.chosen.provider_of(name)
        return Outlet(
            name=name,
            opened=partial(self.chosen.channel, name),
            capabilities=provider.capabilities,
            batch=provider.batch,
            settings=self.settings.delivery.get(name, DeliverySettings()),
        )

    def witness(self, salt: str) -> Witness:
        """What remembers beside ``relationship.toml`` how often messages were claimed.

        Nothing does for a store in memory, nor where there is no such file.

        Args:
            salt: the project's, by which a store is told from another one.
        """
        from relationship_core.flow.deliver.epoch import FileWitness, NoWitness

        is_kept = self.settings.store.use != "memory" and (self.folder / SETTINGS_FILE).is_file()
        return FileWitness(self.folder, salt) if is_kept else NoWitness()

    def studio(self, as_of: datetime | None, *, step: str = "") -> Studio:
        """What messages are rendered with; ``step`` as for ``moment``."""
        from relationship_core.flow.deliver.render import Studio
        from relationship_core.flow.salt import project_salt

        return Studio(
            renderer=self.chosen.renderer,
            catalog=self.catalog,
            project=self.settings.project,
            moment=self.moment(as_of, step=step),
            # What is not sent shows a sample: nobody redeems the code of a preview.
            salt=project_salt(self.store, keep=True) if step else "",
        )

    @property
    def cost_terms(self) -> CostTerms:
        """What costs are counted by, and coupons told."""
        from relationship_core.flow.offers.coupons import CouponTerms
        from relationship_core.flow.report.costs import CostTerms
        from relationship_core.flow.salt import project_salt

        coupons = CouponTerms(
            salt=project_salt(self.store, keep=False),
            renderer=lambda: self.chosen.renderer,
            zone=self.settings.project.zone,
        )
        return CostTerms(coupons=coupons, minute=self.settings.ledger.minute)

    def moment(self, as_of: datetime | None, *, step: str = "") -> Moment:
        """The instant to act as of; without one, the present.

        Args:
            as_of: the instant.
            step: the step that keeps what it does, if there is one; an instant that is far ahead of the clock is
                for questions.

        Raises:
            RejectedError: the step is to be as of an instant more than a day ahead of the clock.
        """
        check_zone(self.store, self.settings.project.zone)
        now = arguments.instant(as_of) or self._now()
        if step:
            refuse_the_future(utc(self.clock()), now, step)
        return Moment(now=now, zone=self.settings.project.zone)

    def _now(self) -> datetime:
        """The present; or the last recorded instant, where the clock it came from is a little ahead of ours."""
        now, last = utc(self.clock()), last_recorded(self.store)
        return last if last is not None and now < last <= now + AHEAD else now
