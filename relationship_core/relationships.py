"""Relationships: the one object that an embedder holds, a thin face over the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Literal, Self

from relationship_core import arguments, steps
from relationship_core.campaign_files import found_campaigns
from relationship_core.campaign_life import CampaignLife
from relationship_core.clock import system_clock
from relationship_core.config import Settings, read_settings
from relationship_core.flow.progress import Listener, silent
from relationship_core.flow.united import plain, united
from relationship_core.imports import Imports, how_of
from relationship_core.offers import Offers
from relationship_core.outbox import Outbox
from relationship_core.parameters import ParameterView
from relationship_core.people import Accounts, Identities, Permissions, said
from relationship_core.plugins import Plugins
from relationship_core.plugins.loading import load_plugins
from relationship_core.project import Project
from relationship_core.receivers import Receivers
from relationship_core.tasks import Tasks

# Each step is imported when it is taken: whoever asks for one customer waits for no other.
if TYPE_CHECKING:
    import polars as pl

    from relationship_core.flow.calibrate import Calibrated
    from relationship_core.flow.catalog import Catalog
    from relationship_core.flow.deliver.delivering import Delivered
    from relationship_core.flow.plan.planned import Planned
    from relationship_core.flow.privacy import Export, Forgotten
    from relationship_core.flow.rebuild import Rebuilt
    from relationship_core.flow.record.recorder import Recorded
    from relationship_core.flow.report.customers import CustomerView
    from relationship_core.flow.report.explained import Explanation
    from relationship_core.flow.report.preview import Preview
    from relationship_core.flow.report.summary import LadderView, Report
    from relationship_core.flow.review import Reviewed
    from relationship_core.flow.rules import Rules
    from relationship_core.flow.runs import Ran
    from relationship_core.model.campaign import Campaign
    from relationship_core.model.customer import Customer
    from relationship_core.model.interaction import Interaction
    from relationship_core.ports import Clock, Store


class Relationships:
    """A project: its store, its rules and its campaigns, and the steps that work on them.

    Use it as a context manager, or call ``close``. Every step takes ``as_of``, an aware instant; without it
    the clock tells. One object serves one thread.

    Attributes:
        imports: files of other systems: preview, presets.
        identities: who is one customer under several ids: merge, link, unmerge, show, candidates.
        accounts: who is a contact of which account: link, unlink, show.
        permissions: who allows and wishes what, and addresses not to use: record_consents, record_preferences,
            suppress, unsuppress, import_file, show.
        tasks: work for people: list, show, done, cancel.
        offers: what messages offered, and who took it up: show.
        outbox: what came to nothing, and what a restored store has: retry, restored.
        receivers: what is heard of messages: receive, read_mailbox.
        campaign_life: campaigns from draft to archive: list, show, approve, activate, pause, archive, draft, test.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        campaigns: Iterable[Campaign] = (),
        clock: Clock = system_clock,
        plugins: Plugins | None = None,
        folder: Path | str | None = None,
        page_size: int = 50_000,
    ) -> None:
        """Open a project from objects; without settings it lives in memory.

        Args:
            settings: the project's configuration.
            campaigns: its campaigns.
            clock: tells the present instant.
            plugins: what is installed; loaded from the entry points when None.
            folder: against which relative paths in settings are taken; the current folder when None.
            page_size: how many customers are reviewed and planned at once, in one process and transaction.

        Raises:
            ConfigurationError: something is declared wrongly.
            RetriableError: the store cannot be opened now.
        """
        settings = arguments.settings(settings)
        self._page_size = arguments.whole(page_size, "page_size", least=1)
        self._project = project = Project(
            settings,
            arguments.campaigns(campaigns),
            arguments.ticking(clock),
            arguments.plugins(plugins)
            or load_plugins(disabled=settings.plugins.disabled, required=settings.plugins.required),
            arguments.optional_path(folder, "folder") or Path.cwd(),
        )
        self.identities, self.accounts, self.tasks = Identities(project), Accounts(project), Tasks(project)
        self.receivers, self.outbox, self.imports = Receivers(project), Outbox(project), Imports(project)
        self.permissions, self.offers, self.campaign_life = Permissions(project), Offers(project), CampaignLife(project)

    @classmethod
    def open(cls, folder: Path | str, *, clock: Clock = system_clock, plugins: Plugins | None = None) -> Self:
        """Open the project in a folder: its ``relationship.toml`` and ``campaigns/*.toml``.

        Raises:
            ConfigurationError: the settings are missing or wrong. A wrong campaign is told by what needs all of them:
                what stops, forgets and delivers does not wait for somebody to mend it.
            RetriableError: the store cannot be opened now.
        """
        folder = arguments.path(folder, "folder")
        settings, found = read_settings(folder), found_campaigns(folder)
        opened = cls(settings=settings, campaigns=found.sound, clock=clock, plugins=plugins, folder=folder.absolute())
        opened._project.found = found
        return opened

    def __enter__(self) -> Self:
        """The project itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the store and the channels; may be called twice. Nothing can be done with it afterwards."""
        self._project.close()

    def record_customers(self, customers: Iterable[Customer] | pl.DataFrame) -> Recorded:
        """Keep customers with their contact points; known ones are brought up to date.

        Raises:
            RejectedError: a customer cannot be kept as it is; nothing of the batch was.
        """
        from relationship_core.flow.record.recording import record_customers
        from relationship_core.model.customer import Customer

        return record_customers(self._project.recording(), arguments.records(customers, Customer, "customer"))

    def record(self, interactions: Iterable[Interaction] | pl.DataFrame) -> Recorded:
        """Keep interactions once each, and bring measures up to date.

        Raises:
            RejectedError: an interaction cannot be kept as it is; nothing of its batch was.
        """
        from relationship_core.flow.record.recording import record
        from relationship_core.model.interaction import Interaction

        return record(self._project.recording(), arguments.records(interactions, Interaction, "interaction"))

    def import_file(
        self,
        what: Literal["customers", "interactions", "contacts"] | None = None,
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
        rejects: Path | str | None = None,
        progress: Listener = silent,
    ) -> Recorded:
        """Record a CSV, Parquet or JSON lines file; what cannot be kept goes to a file of rejects.

        Args:
            what: what the rows are; may be left out with a preset.
            path: the file; its extension says how to read it.
            preset: which system exported it, such as ``shopify-orders``; ``imports.preview`` shows what comes of it.
            columns: the file's column for each of ours that is called otherwise there.
            source: the source of interactions, where no column says it.
            kind: their kind, where no column says it.
            zone: the zone of times that have none.
            encoding: how a text file is written; UTF-8 when None.
            decimal: the mark of decimals, a point or a comma, where thousands have marks, too, or it is a comma.
            consent_at: when those had agreed, at the latest, of whom the export of a preset says no date.
            rejects: where rejected rows go; beside the file when None.
            progress: told how many rows are done.

        Raises:
            ConfigurationError: the file is not there, or what was said of it is wrong.
            RejectedError: the file cannot be read at all, or lacks a column.
            UnsupportedError: no file with this extension can be read.
        """
        how = how_of(
            self._project.plugins, what, preset=preset, columns=columns, source=source, kind=kind, zone=zone,
            encoding=encoding, decimal=decimal, consent_at=consent_at, rejects=rejects,
        )  # fmt: skip
        return steps.import_from(self._project, arguments.path(path, "path"), how, arguments.listener(progress))

    def rebuild(self, *, progress: Listener = silent) -> Rebuilt:
        """Fold the whole history again, after a measure was added or changed.

        Raises:
            ConfigurationError: the expression of a measure cannot be computed.
        """
        return self._project.rebuild(progress=arguments.listener(progress))

    def calibrate(
        self,
        name: str | None = None,
        *,
        as_of: datetime | None = None,
        dry_run: bool = False,
        progress: Listener = silent,
    ) -> Calibrated:
        """Fit the parameters of one calibration, or of all; with ``dry_run`` keep nothing.

        Everybody is due for review where a value in force changes. A changed half-life asks for a rebuild.

        Raises:
            ConfigurationError: there is no such calibration, or it fails or finds what a parameter may not be.
            RejectedError: something was recorded that happened after ``as_of``, or that is more than a day ahead.
        """
        return self._project.calibrate(
            arguments.optional_text(name, "name", "the name of a calibration, as text"),
            as_of,
            dry_run=arguments.yes_or_no(dry_run, "dry_run"),
            page_size=self._page_size,
            progress=arguments.listener(progress),
        )

    def review(
        self, *, as_of: datetime | None = None, everybody: bool = False, progress: Listener = silent
    ) -> Reviewed:
        """Judge every due customer: stage, transitions, next due time.

        Raises:
            ConfigurationError: a rule is wrong, or fails.
            RejectedError: something was recorded that happened after ``as_of``, or that is more than a day ahead.
        """
        return steps.review(
            self._project,
            as_of,
            everybody=arguments.yes_or_no(everybody, "everybody"),
            page_size=self._page_size,
            progress=arguments.listener(progress),
        )

    def plan(self, *, as_of: datetime | None = None, dry_run: bool = False, progress: Listener = silent) -> Planned:
        """Decide about every reviewed customer; with ``dry_run`` keep nothing.

        Raises:
            ConfigurationError: a campaign is marketing without a postal address.
            RejectedError: something was recorded that happened after ``as_of``, or that is more than a day ahead.
        """
        return steps.plan(
            self._project,
            as_of,
            dry_run=arguments.yes_or_no(dry_run, "dry_run"),
            page_size=self._page_size,
            progress=arguments.listener(progress),
        )

    def deliver(
        self, *, as_of: datetime | None = None, wait: Callable[[float], None] = sleep, progress: Listener = silent
    ) -> Delivered:
        """Hand the queued messages to their channels; the instant goes on with the clock, unless it is over a day old.

        ``wait`` waits for so many seconds where a channel has a rate.

        Raises:
            ConfigurationError: a channel or the renderer cannot be made.
            RejectedError: ``as_of`` is more than a day ahead, or the store was restored from a backup.
        """
        return steps.deliver(self._project, as_of, wait=wait, progress=arguments.listener(progress))

    def run(self, *, as_of: datetime | None = None, progress: Listener = silent) -> Ran:
        """Review and plan as of one instant, and deliver from then on.

        A run that was cut short is taken up first, as of its own instant, whatever ``as_of`` says; unless what
        happened after that instant has been recorded since. What it delivers late is judged by the time then.

        Raises:
            RejectedError: something was recorded that happened after ``as_of``, or that is more than a day ahead.
        """
        return steps.run(self._project, self, as_of, progress=progress)

    def customer(self, customer: str, *, as_of: datetime | None = None, entries: int = 20) -> CustomerView:
        """Everything about one customer.

        Raises:
            RejectedError: nobody has that id.
        """
        who, entries = arguments.customer_id(customer), arguments.whole(entries, "entries", least=0)
        return steps.customer(self._project, who, as_of, entries=entries)

    def explain(self, customer: str, campaign: str | None = None, *, as_of: datetime | None = None) -> Explanation:
        """Why a customer did, or did not, get the messages of the campaigns, and what a plan would decide.

        As of an instant before the last record: what was decided, sent and moved until then, as far as it is kept.

        Raises:
            RejectedError: nobody has that id.
            ConfigurationError: there is no such campaign.
        """
        who, which = arguments.customer_id(customer), arguments.optional_campaign_name(campaign)
        return steps.explain(self._project, who, which, as_of)

    def preview(
        self, campaign: str, customer: str | None = None, *, as_of: datetime | None = None
    ) -> Sequence[Preview]:
        """What a campaign would say to one customer on each of its channels; nothing is sent.

        Raises:
            ConfigurationError: there is no such campaign, or a template names what is not known.
            RejectedError: nobody has that id.
        """
        chosen = self._project.campaign(arguments.campaign_name(campaign))
        return steps.preview(self._project, chosen, arguments.optional_customer_id(customer), as_of)

    def ladder(self, *, as_of: datetime | None = None) -> LadderView:
        """Where customers stand on the ladder, or stood at an instant, and how they moved until then."""
        return steps.ladder(self._project, arguments.instant(as_of))

    def report(self, *, as_of: datetime | None = None) -> Report:
        """The project in numbers, as they are or were at an instant."""
        return steps.report(self._project, arguments.instant(as_of))

    def export(self, customer: str) -> Export:
        """Everything that is kept about one customer, under whichever of their ids.

        Raises:
            RejectedError: nobody has that id, or they were erased.
        """
        return steps.export(self._project, arguments.customer_id(customer))

    def forget(self, customer: str, *, actor: str = "", reason: str = "") -> Forgotten:
        """Erase everything about one customer, for ever; whoever does it and why is kept, without who it was.

        Raises:
            RejectedError: nobody has that id, and nobody had it who was erased.
            RetriableError: a message is being sent to them; or they are erased, but another process reads the file.
            ConfigurationError: they are a contact, and measures have changed since their account was folded.
        """
        return steps.forget(self._project, arguments.customer_id(customer), **said(actor, reason))

    @property
    def settings(self) -> Settings:
        """The project's configuration."""
        return self._project.settings

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """The project's campaigns.

        Raises:
            ConfigurationError: the file of one of them is wrong.
        """
        return self._project.campaigns

    @property
    def clock(self) -> Clock:
        """Tells the present instant."""
        return self._project.clock

    @property
    def store(self) -> Store:
        """Where the project lives; a program may put another store that holds the same project in its place."""
        return plain(self._project.store)

    @store.setter
    def store(self, store: Store) -> None:
        self._project.store = united(store)

    @property
    def parameters(self) -> tuple[ParameterView, ...]:
        """Every parameter with its value in force, and where that comes from."""
        return self._project.parameters

    @property
    def plugins(self) -> Plugins:
        """What is installed; measures, scores and ladders as the parameters in force make them."""
        return self._project.plugins

    @property
    def catalog(self) -> Catalog:
        """Every column that conditions may name."""
        return self._project.catalog

    @property
    def rules(self) -> Rules:
        """The rules in force: ladder and campaigns, parsed and checked.

        Raises:
            ConfigurationError: a condition or a template is wrong, or a channel of a campaign is not configured.
        """
        return self._project.rules
