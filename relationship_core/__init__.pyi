# The public names, for type checkers: each as itself, since they take a name imported otherwise for a private one.

from relationship_core.campaign_files import (
    read_campaigns as read_campaigns,
)
from relationship_core.campaign_life import (
    CampaignLife as CampaignLife,
)
from relationship_core.columns import (
    ALIASES as ALIASES,
    CALIBRATIONS as CALIBRATIONS,
    CAMPAIGN_ACTS as CAMPAIGN_ACTS,
    CAMPAIGNS as CAMPAIGNS,
    CONSENTS as CONSENTS,
    CONTACT_POINTS as CONTACT_POINTS,
    CONTACTS as CONTACTS,
    CUSTOMERS as CUSTOMERS,
    DECISIONS as DECISIONS,
    DELIVERY_EVENTS as DELIVERY_EVENTS,
    ERASED as ERASED,
    FACTS as FACTS,
    IMPORTS as IMPORTS,
    INTERACTIONS as INTERACTIONS,
    KEYED_MEASURES as KEYED_MEASURES,
    MERGES as MERGES,
    MESSAGES as MESSAGES,
    PREFERENCES as PREFERENCES,
    RUNS as RUNS,
    STATES as STATES,
    SUPPRESSIONS as SUPPRESSIONS,
    TABLES as TABLES,
    TASKS as TASKS,
    TRANSITIONS as TRANSITIONS,
    Page as Page,
)
from relationship_core.config import (
    SETTINGS_FILE as SETTINGS_FILE,
    Choice as Choice,
    LadderSettings as LadderSettings,
    ParameterSettings as ParameterSettings,
    PluginSettings as PluginSettings,
    Settings as Settings,
    provider_settings as provider_settings,
    read_settings as read_settings,
)
from relationship_core.config.campaigns import (
    CampaignSettings as CampaignSettings,
)
from relationship_core.config.contact import (
    Cap as Cap,
    ConsentSettings as ConsentSettings,
    HoldoutSettings as HoldoutSettings,
    LedgerSettings as LedgerSettings,
    PreferenceSettings as PreferenceSettings,
    QuietHours as QuietHours,
)
from relationship_core.config.delivery import (
    DeliverySettings as DeliverySettings,
)
from relationship_core.config.project import (
    ProjectSettings as ProjectSettings,
)
from relationship_core.copying import (
    copy_project as copy_project,
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
    FittedTable as FittedTable,
)
from relationship_core.flow.campaigns.moving import (
    CampaignMove as CampaignMove,
)
from relationship_core.flow.campaigns.seeds import (
    CampaignTest as CampaignTest,
)
from relationship_core.flow.campaigns.view import (
    CampaignVersion as CampaignVersion,
    CampaignView as CampaignView,
)
from relationship_core.flow.copying import (
    Copied as Copied,
)
from relationship_core.flow.deliver.delivering import (
    Delivered as Delivered,
)
from relationship_core.flow.deliver.restored import (
    Restored as Restored,
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
from relationship_core.flow.offers.coupons import (
    Coupon as Coupon,
    CouponState as CouponState,
)
from relationship_core.flow.offers.view import (
    OfferCount as OfferCount,
    OffersView as OffersView,
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
from relationship_core.flow.receive.received import (
    Received as Received,
)
from relationship_core.flow.record.presets import (
    PartPreview as PartPreview,
)
from relationship_core.flow.record.recorder import (
    Recorded as Recorded,
)
from relationship_core.flow.record.signature import (
    check_measures as check_measures,
)
from relationship_core.flow.report.costs import (
    Costs as Costs,
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
    CampaignGoalView as CampaignGoalView,
    Explanation as Explanation,
    FollowUpView as FollowUpView,
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
from relationship_core.flow.tasks.closing import (
    ClosedTask as ClosedTask,
)
from relationship_core.hookspecs import (
    HOOK_VERSION as HOOK_VERSION,
    PROJECT as PROJECT,
    hookimpl as hookimpl,
)
from relationship_core.mail import (
    eml as eml,
)
from relationship_core.model.attached_file import (
    AttachedFile as AttachedFile,
    attached_file as attached_file,
)
from relationship_core.model.campaign import (
    Action as Action,
    After as After,
    Campaign as Campaign,
    ClearedBy as ClearedBy,
    Cost as Cost,
    Limits as Limits,
    Occasion as Occasion,
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
from relationship_core.model.life import (
    CampaignAct as CampaignAct,
    CampaignState as CampaignState,
    LifeAct as LifeAct,
)
from relationship_core.model.message import (
    Attachment as Attachment,
    DeliveryEvent as DeliveryEvent,
    EventType as EventType,
    Message as Message,
    MessageState as MessageState,
    Price as Price,
    Receipt as Receipt,
    ReceiptState as ReceiptState,
    Reply as Reply,
    ReplyWish as ReplyWish,
    is_outbox_id as is_outbox_id,
)
from relationship_core.model.money import (
    Money as Money,
    minor_digits as minor_digits,
)
from relationship_core.model.offer import (
    Offer as Offer,
)
from relationship_core.model.permission import (
    Consent as Consent,
    ConsentAct as ConsentAct,
    Preference as Preference,
    Suppression as Suppression,
    SuppressionReason as SuppressionReason,
)
from relationship_core.model.reasons import (
    Reason as Reason,
)
from relationship_core.model.received import (
    Heard as Heard,
    RawRequest as RawRequest,
    Refusal as Refusal,
)
from relationship_core.model.relationship import (
    Ladder as Ladder,
    Score as Score,
    Stage as Stage,
    Transition as Transition,
)
from relationship_core.model.task import (
    Assignment as Assignment,
    Task as Task,
    TaskState as TaskState,
)
from relationship_core.model.validation import (
    LONGEST_DAYS as LONGEST_DAYS,
    declared as declared,
)
from relationship_core.model.words import (
    PERMITTED_STATES as PERMITTED_STATES,
    WITHOUT_MARKETING as WITHOUT_MARKETING,
    ConsentState as ConsentState,
    Purpose as Purpose,
    Wish as Wish,
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
from relationship_core.offers import (
    Offers as Offers,
)
from relationship_core.outbox import (
    Outbox as Outbox,
)
from relationship_core.parameters import (
    Calibration as Calibration,
    Parameter as Parameter,
    ParameterView as ParameterView,
    TableCalibration as TableCalibration,
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
    Executor as Executor,
    Lookup as Lookup,
    Mailbox as Mailbox,
    Priced as Priced,
    Receiver as Receiver,
    Renderer as Renderer,
    Step as Step,
    Store as Store,
)
from relationship_core.presets import (
    LeftOut as LeftOut,
    Preset as Preset,
    PresetPart as PresetPart,
)
from relationship_core.providers import (
    CAPABILITIES as CAPABILITIES,
    Provider as Provider,
    Secret as Secret,
)
from relationship_core.ready import (
    ReadyCampaign as ReadyCampaign,
    copy_ready_campaign as copy_ready_campaign,
    ready_campaigns as ready_campaigns,
)
from relationship_core.receivers import (
    Receivers as Receivers,
)
from relationship_core.refusals import (
    is_file_name as is_file_name,
    refusal as refusal,
    refuse_attachments as refuse_attachments,
)
from relationship_core.relationships import (
    Relationships as Relationships,
)
from relationship_core.retry import (
    retry_after as retry_after,
)
from relationship_core.storing import (
    Migration as Migration,
    another_measure_type as another_measure_type,
    measure_types as measure_types,
    microseconds as microseconds,
    packaged_migrations as packaged_migrations,
    prepared_measure as prepared_measure,
    without_collection as without_collection,
)
from relationship_core.table import INSTANT as INSTANT, ORDER_LINE as ORDER_LINE, Table as Table
from relationship_core.tasks import (
    Tasks as Tasks,
)
from relationship_core.templates import (
    PLUGIN_KINDS as PLUGIN_KINDS,
    distribution_of as distribution_of,
    new_plugin as new_plugin,
)

__all__: list[str]  # noqa: PYI035  computed from _HOMES; a test compares it with the imports above
_HOMES: dict[str, str]
_HOME_OF: dict[str, str]
