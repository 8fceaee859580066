"""Relationships with customers: know where each one stands, and act at the right moment.

Every public name of the package, loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # as itself: otherwise mypy takes an imported name for a private one
    from relationship_core.campaign_files import (
        read_campaigns as read_campaigns,
    )
    from relationship_core.columns import (
        ALIASES as ALIASES,
        CALIBRATIONS as CALIBRATIONS,
        CAMPAIGNS as CAMPAIGNS,
        CONSENTS as CONSENTS,
        CONTACT_POINTS as CONTACT_POINTS,
        CONTACTS as CONTACTS,
        CUSTOMERS as CUSTOMERS,
        DECISIONS as DECISIONS,
        ERASED as ERASED,
        FACTS as FACTS,
        IMPORTS as IMPORTS,
        INSTANT as INSTANT,
        INTERACTIONS as INTERACTIONS,
        KEYED_MEASURES as KEYED_MEASURES,
        MERGES as MERGES,
        MESSAGES as MESSAGES,
        ORDER_LINE as ORDER_LINE,
        PREFERENCES as PREFERENCES,
        RUNS as RUNS,
        STATES as STATES,
        SUPPRESSIONS as SUPPRESSIONS,
        TABLES as TABLES,
        TRANSITIONS as TRANSITIONS,
        Page as Page,
        Table as Table,
    )
    from relationship_core.config import (
        Choice as Choice,
        LadderSettings as LadderSettings,
        ParameterSettings as ParameterSettings,
        PluginSettings as PluginSettings,
        ProjectSettings as ProjectSettings,
        Settings as Settings,
        provider_settings as provider_settings,
        read_settings as read_settings,
    )
    from relationship_core.config.contact import (
        Cap as Cap,
        ConsentSettings as ConsentSettings,
        HoldoutSettings as HoldoutSettings,
        LedgerSettings as LedgerSettings,
        PreferenceSettings as PreferenceSettings,
        QuietHours as QuietHours,
    )
    from relationship_core.declarations import (
        CaseMeasure as CaseMeasure,
        Feature as Feature,
        KeyedMeasure as KeyedMeasure,
        Measure as Measure,
        Part as Part,
        Policy as Policy,
        ScoringRule as ScoringRule,
    )
    from relationship_core.errors import (
        ConfigurationError as ConfigurationError,
        RejectedError as RejectedError,
        RelationshipError as RelationshipError,
        RetriableError as RetriableError,
        UnsupportedError as UnsupportedError,
    )
    from relationship_core.flow.accounts import (
        Account as Account,
        Contact as Contact,
    )
    from relationship_core.flow.calibrate import (
        Calibrated as Calibrated,
        FittedParameter as FittedParameter,
    )
    from relationship_core.flow.deliver import (
        Delivered as Delivered,
    )
    from relationship_core.flow.ground import (
        check_zone as check_zone,
    )
    from relationship_core.flow.identities.candidates import (
        Candidate as Candidate,
        Candidates as Candidates,
        Uncompared as Uncompared,
    )
    from relationship_core.flow.identities.merging import (
        Identity as Identity,
        Merge as Merge,
    )
    from relationship_core.flow.permission.view import (
        ConsentEntry as ConsentEntry,
        ConsentView as ConsentView,
        PermissionView as PermissionView,
        PreferenceEntry as PreferenceEntry,
        SuppressionView as SuppressionView,
    )
    from relationship_core.flow.plan.planned import (
        Planned as Planned,
    )
    from relationship_core.flow.privacy.export import (
        Export as Export,
    )
    from relationship_core.flow.privacy.forget import (
        Forgotten as Forgotten,
    )
    from relationship_core.flow.progress import (
        Listener as Listener,
        Progress as Progress,
    )
    from relationship_core.flow.rebuild import (
        Rebuilt as Rebuilt,
    )
    from relationship_core.flow.record.recorder import (
        Recorded as Recorded,
    )
    from relationship_core.flow.record.signature import (
        check_measures as check_measures,
    )
    from relationship_core.flow.report.customers import (
        CustomerView as CustomerView,
    )
    from relationship_core.flow.report.customers.ahead import (
        Upcoming as Upcoming,
    )
    from relationship_core.flow.report.customers.cases import (
        Case as Case,
    )
    from relationship_core.flow.report.customers.course import (
        Course as Course,
    )
    from relationship_core.flow.report.customers.influence import (
        Influence as Influence,
    )
    from relationship_core.flow.report.customers.ties import (
        Tie as Tie,
    )
    from relationship_core.flow.report.customers.timeline import (
        TimelineEntry as TimelineEntry,
    )
    from relationship_core.flow.report.customers.wishes import (
        Favourite as Favourite,
        Goal as Goal,
        OwnedItem as OwnedItem,
        StatedPreference as StatedPreference,
    )
    from relationship_core.flow.report.explained import (
        ActionView as ActionView,
        AtomView as AtomView,
        Explanation as Explanation,
        LedgerView as LedgerView,
        MessageView as MessageView,
        Outlook as Outlook,
        PolicyAnswer as PolicyAnswer,
        PolicyView as PolicyView,
    )
    from relationship_core.flow.report.preview import (
        Preview as Preview,
    )
    from relationship_core.flow.report.summary import (
        DecisionCount as DecisionCount,
        LadderView as LadderView,
        MessageCount as MessageCount,
        Movement as Movement,
        Report as Report,
    )
    from relationship_core.flow.review import (
        Reviewed as Reviewed,
    )
    from relationship_core.flow.runs import (
        Ran as Ran,
    )
    from relationship_core.hookspecs import (
        PROJECT as PROJECT,
        hookimpl as hookimpl,
    )
    from relationship_core.model.campaign import (
        Action as Action,
        Campaign as Campaign,
        Cost as Cost,
        Limits as Limits,
        Occasion as Occasion,
        Purpose as Purpose,
        Variant as Variant,
    )
    from relationship_core.model.customer import (
        ContactPoint as ContactPoint,
        Customer as Customer,
    )
    from relationship_core.model.engagement import (
        Decision as Decision,
        Engagement as Engagement,
        Verdict as Verdict,
    )
    from relationship_core.model.instants import (
        parse_instant as parse_instant,
        utc as utc,
    )
    from relationship_core.model.interaction import (
        Direction as Direction,
        Interaction as Interaction,
        InteractionKind as InteractionKind,
        Nature as Nature,
        OrderLine as OrderLine,
    )
    from relationship_core.model.message import (
        DeliveryEvent as DeliveryEvent,
        Message as Message,
        MessageState as MessageState,
        Receipt as Receipt,
    )
    from relationship_core.model.money import (
        Money as Money,
        minor_digits as minor_digits,
    )
    from relationship_core.model.permission import (
        Consent as Consent,
        ConsentAct as ConsentAct,
        ConsentState as ConsentState,
        Preference as Preference,
        Suppression as Suppression,
        Wish as Wish,
    )
    from relationship_core.model.relationship import (
        Ladder as Ladder,
        Score as Score,
        Stage as Stage,
        Transition as Transition,
    )
    from relationship_core.motions import (
        Bounded as Bounded,
        Daily as Daily,
        Halving as Halving,
        Linear as Linear,
        Motion as Motion,
        Steps as Steps,
        Still as Still,
    )
    from relationship_core.parameters import (
        Calibration as Calibration,
        Parameter as Parameter,
        ParameterView as ParameterView,
    )
    from relationship_core.people import (
        Accounts as Accounts,
        Identities as Identities,
        Permissions as Permissions,
    )
    from relationship_core.plugins import (
        Plugins as Plugins,
    )
    from relationship_core.plugins.loading import (
        load_plugins as load_plugins,
    )
    from relationship_core.plugins.sources import (
        BrokenPlugin as BrokenPlugin,
        InstalledPlugin as InstalledPlugin,
    )
    from relationship_core.ports import (
        Channel as Channel,
        Clock as Clock,
        Lookup as Lookup,
        Provider as Provider,
        Renderer as Renderer,
        Secret as Secret,
        Step as Step,
        Store as Store,
    )
    from relationship_core.relationships import (
        Relationships as Relationships,
    )

_HOMES = {
    "campaign_files": "read_campaigns",
    "columns": (
        "ALIASES CALIBRATIONS CAMPAIGNS CONSENTS CONTACTS CONTACT_POINTS CUSTOMERS DECISIONS ERASED FACTS IMPORTS "
        "INSTANT INTERACTIONS KEYED_MEASURES MERGES MESSAGES ORDER_LINE PREFERENCES Page RUNS STATES SUPPRESSIONS "
        "TABLES TRANSITIONS Table"
    ),
    "config": (
        "Choice LadderSettings ParameterSettings PluginSettings ProjectSettings Settings "
        "provider_settings read_settings"
    ),
    "config.contact": "Cap ConsentSettings HoldoutSettings LedgerSettings PreferenceSettings QuietHours",
    "declarations": "CaseMeasure Feature KeyedMeasure Measure Part Policy ScoringRule",
    "errors": "ConfigurationError RejectedError RelationshipError RetriableError UnsupportedError",
    "flow.calibrate": "Calibrated FittedParameter",
    "flow.accounts": "Account Contact",
    "flow.deliver": "Delivered",
    "flow.ground": "check_zone",
    "flow.identities.candidates": "Candidate Candidates Uncompared",
    "flow.identities.merging": "Identity Merge",
    "flow.permission.view": "ConsentEntry ConsentView PermissionView PreferenceEntry SuppressionView",
    "flow.plan.planned": "Planned",
    "flow.privacy.export": "Export",
    "flow.privacy.forget": "Forgotten",
    "flow.progress": "Listener Progress",
    "flow.rebuild": "Rebuilt",
    "flow.record.recorder": "Recorded",
    "flow.record.signature": "check_measures",
    "flow.report.customers": "CustomerView",
    "flow.report.customers.ahead": "Upcoming",
    "flow.report.customers.cases": "Case",
    "flow.report.customers.course": "Course",
    "flow.report.customers.influence": "Influence",
    "flow.report.customers.ties": "Tie",
    "flow.report.customers.timeline": "TimelineEntry",
    "flow.report.customers.wishes": "Favourite Goal OwnedItem StatedPreference",
    "flow.report.explained": "ActionView AtomView Explanation LedgerView MessageView Outlook PolicyAnswer PolicyView",
    "flow.report.preview": "Preview",
    "flow.report.summary": "DecisionCount LadderView MessageCount Movement Report",
    "flow.review": "Reviewed",
    "flow.runs": "Ran",
    "hookspecs": "PROJECT hookimpl",
    "model.campaign": "Action Campaign Cost Limits Occasion Purpose Variant",
    "model.customer": "ContactPoint Customer",
    "model.engagement": "Decision Engagement Verdict",
    "model.instants": "parse_instant utc",
    "model.interaction": "Direction Interaction InteractionKind Nature OrderLine",
    "model.message": "DeliveryEvent Message MessageState Receipt",
    "model.money": "Money minor_digits",
    "model.permission": "Consent ConsentAct ConsentState Preference Suppression Wish",
    "model.relationship": "Ladder Score Stage Transition",
    "motions": "Bounded Daily Halving Linear Motion Steps Still",
    "parameters": "Calibration Parameter ParameterView",
    "people": "Accounts Identities Permissions",
    "plugins": "Plugins",
    "plugins.loading": "load_plugins",
    "plugins.sources": "BrokenPlugin InstalledPlugin",
    "ports": "Channel Clock Lookup Provider Renderer Secret Step Store",
    "relationships": "Relationships",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  computed; a test compares it with the imports above


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
