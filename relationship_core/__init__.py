"""Relationships with customers: know where each one stands, and act at the right moment.

Every public name of the package, loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "campaign_files": "read_campaigns",
    "campaign_life": "CampaignLife",
    "columns": (
        "ALIASES CALIBRATIONS CAMPAIGNS CAMPAIGN_ACTS CONSENTS CONTACTS CONTACT_POINTS CUSTOMERS DECISIONS "
        "DELIVERY_EVENTS ERASED FACTS IMPORTS INTERACTIONS KEYED_MEASURES MERGES MESSAGES PREFERENCES Page RUNS "
        "STATES SUPPRESSIONS TABLES TASKS TRANSITIONS"
    ),
    "config": (
        "Choice LadderSettings ParameterSettings PluginSettings SETTINGS_FILE Settings provider_settings read_settings"
    ),
    "config.campaigns": "CampaignSettings",
    "config.contact": "Cap ConsentSettings HoldoutSettings LedgerSettings PreferenceSettings QuietHours",
    "config.delivery": "DeliverySettings",
    "config.project": "ProjectSettings",
    "copying": "copy_project",
    "declarations": "CaseMeasure Feature KeyedMeasure Measure Part Policy ScoringRule",
    "errors": "ConfigurationError RejectedError RelationshipError RetriableError UnsupportedError",
    "flow.calibrate": "Calibrated FittedParameter FittedTable",
    "flow.accounts": "Account Contact",
    "flow.campaigns.moving": "CampaignMove",
    "flow.campaigns.seeds": "CampaignTest",
    "flow.campaigns.view": "CampaignVersion CampaignView",
    "flow.copying": "Copied",
    "flow.deliver.delivering": "Delivered",
    "flow.deliver.restored": "Restored",
    "flow.ground": "check_zone",
    "flow.identities.candidates": "Candidate Candidates Uncompared",
    "flow.identities.merging": "Identity Merge",
    "flow.offers.coupons": "Coupon CouponState",
    "flow.offers.view": "OfferCount OffersView",
    "flow.permission.view": "ConsentEntry ConsentView PermissionView PreferenceEntry SuppressionView",
    "flow.plan.planned": "Planned",
    "flow.privacy.export": "Export",
    "flow.privacy.forget": "Forgotten",
    "flow.progress": "Listener Progress",
    "flow.rebuild": "Rebuilt",
    "flow.receive.received": "Received",
    "flow.record.presets": "PartPreview",
    "flow.record.recorder": "Recorded",
    "flow.record.signature": "check_measures",
    "flow.report.costs": "Costs",
    "flow.report.customers": "CustomerView",
    "flow.report.customers.ahead": "Upcoming",
    "flow.report.customers.cases": "Case",
    "flow.report.customers.course": "Course",
    "flow.report.customers.influence": "Influence",
    "flow.report.customers.ties": "Tie",
    "flow.report.customers.timeline": "TimelineEntry",
    "flow.report.customers.wishes": "Favourite Goal OwnedItem StatedPreference",
    "flow.report.explained": (
        "ActionView AtomView CampaignGoalView Explanation FollowUpView LedgerView MessageView Outlook PolicyAnswer "
        "PolicyView"
    ),
    "flow.report.preview": "Preview",
    "flow.report.summary": "DecisionCount LadderView MessageCount Movement Report",
    "flow.review": "Reviewed",
    "flow.runs": "Ran",
    "flow.tasks.closing": "ClosedTask",
    "hookspecs": "HOOK_VERSION PROJECT hookimpl",
    "mail": "eml",
    "model.attached_file": "AttachedFile attached_file",
    "model.campaign": "Action After Campaign ClearedBy Cost Limits Occasion Variant",
    "model.customer": "ContactPoint Customer",
    "model.engagement": "Decision Engagement Verdict",
    "model.instants": "parse_instant utc",
    "model.interaction": "Direction Interaction InteractionKind Nature OrderLine",
    "model.life": "CampaignAct CampaignState LifeAct",
    "model.message": (
        "Attachment DeliveryEvent EventType Message MessageState Price Receipt ReceiptState Reply ReplyWish "
        "is_outbox_id"
    ),
    "model.money": "Money minor_digits",
    "model.offer": "Offer",
    "model.permission": "Consent ConsentAct Preference Suppression SuppressionReason",
    "model.reasons": "Reason",
    "model.received": "Heard RawRequest Refusal",
    "model.relationship": "Ladder Score Stage Transition",
    "model.task": "Assignment Task TaskState",
    "model.validation": "LONGEST_DAYS declared",
    "model.words": "ConsentState PERMITTED_STATES Purpose WITHOUT_MARKETING Wish",
    "motions": "Bounded Daily Halving Linear Motion Steps Still",
    "offers": "Offers",
    "outbox": "Outbox",
    "parameters": "Calibration Parameter ParameterView TableCalibration",
    "people": "Accounts Identities Permissions",
    "plugins": "Plugins",
    "plugins.loading": "load_plugins",
    "plugins.sources": "BrokenPlugin InstalledPlugin",
    "ports": "Channel Clock Executor Lookup Mailbox Priced Receiver Renderer Step Store",
    "presets": "LeftOut Preset PresetPart",
    "providers": "CAPABILITIES Provider Secret",
    "ready": "ReadyCampaign copy_ready_campaign ready_campaigns",
    "receivers": "Receivers",
    "refusals": "is_file_name refusal refuse_attachments",
    "relationships": "Relationships",
    "retry": "retry_after",
    "storing": (
        "Migration another_measure_type measure_types microseconds packaged_migrations prepared_measure "
        "without_collection"
    ),
    "table": "INSTANT ORDER_LINE Table",
    "tasks": "Tasks",
    "templates": "PLUGIN_KINDS distribution_of new_plugin",
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
