"""The public names: exactly these, each documented, and none of them loaded before it is asked for."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import relationship_core

STUB = Path(relationship_core.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
HEAVY = ("click", "liquid", "polars", "rich", "sqlglot")

PUBLIC = [
    "ALIASES",
    "Account",
    "Accounts",
    "Action",
    "ActionView",
    "After",
    "Assignment",
    "AtomView",
    "AttachedFile",
    "Attachment",
    "Bounded",
    "BrokenPlugin",
    "CALIBRATIONS",
    "CAMPAIGNS",
    "CAMPAIGN_ACTS",
    "CAPABILITIES",
    "CONSENTS",
    "CONTACTS",
    "CONTACT_POINTS",
    "CUSTOMERS",
    "Calibrated",
    "Calibration",
    "Campaign",
    "CampaignAct",
    "CampaignGoalView",
    "CampaignLife",
    "CampaignMove",
    "CampaignSettings",
    "CampaignState",
    "CampaignTest",
    "CampaignVersion",
    "CampaignView",
    "Candidate",
    "Candidates",
    "Cap",
    "Case",
    "CaseMeasure",
    "Channel",
    "Choice",
    "ClearedBy",
    "Clock",
    "ClosedTask",
    "ConfigurationError",
    "Consent",
    "ConsentAct",
    "ConsentEntry",
    "ConsentSettings",
    "ConsentState",
    "ConsentView",
    "Contact",
    "ContactPoint",
    "Copied",
    "Cost",
    "Costs",
    "Coupon",
    "CouponState",
    "Course",
    "Customer",
    "CustomerView",
    "DECISIONS",
    "DELIVERY_EVENTS",
    "Daily",
    "Decision",
    "DecisionCount",
    "Delivered",
    "DeliveryEvent",
    "DeliverySettings",
    "Direction",
    "ERASED",
    "Engagement",
    "EventType",
    "Executor",
    "Explanation",
    "Export",
    "FACTS",
    "Favourite",
    "Feature",
    "FittedParameter",
    "FittedTable",
    "FollowUpView",
    "Forgotten",
    "Goal",
    "HOOK_VERSION",
    "Halving",
    "Heard",
    "HoldoutSettings",
    "IMPORTS",
    "INSTANT",
    "INTERACTIONS",
    "Identities",
    "Identity",
    "Influence",
    "InstalledPlugin",
    "Interaction",
    "InteractionKind",
    "KEYED_MEASURES",
    "KeyedMeasure",
    "LONGEST_DAYS",
    "Ladder",
    "LadderSettings",
    "LadderView",
    "LedgerSettings",
    "LedgerView",
    "LeftOut",
    "LifeAct",
    "Limits",
    "Linear",
    "Listener",
    "Lookup",
    "MERGES",
    "MESSAGES",
    "Mailbox",
    "Measure",
    "Merge",
    "Message",
    "MessageCount",
    "MessageState",
    "MessageView",
    "Migration",
    "Money",
    "Motion",
    "Movement",
    "Nature",
    "ORDER_LINE",
    "Occasion",
    "Offer",
    "OfferCount",
    "Offers",
    "OffersView",
    "OrderLine",
    "Outbox",
    "Outlook",
    "OwnedItem",
    "PERMITTED_STATES",
    "PLUGIN_KINDS",
    "PREFERENCES",
    "PROJECT",
    "Page",
    "Parameter",
    "ParameterSettings",
    "ParameterView",
    "Part",
    "PartPreview",
    "PermissionView",
    "Permissions",
    "Planned",
    "PluginSettings",
    "Plugins",
    "Policy",
    "PolicyAnswer",
    "PolicyView",
    "Preference",
    "PreferenceEntry",
    "PreferenceSettings",
    "Preset",
    "PresetPart",
    "Preview",
    "Price",
    "Priced",
    "Progress",
    "ProjectSettings",
    "Provider",
    "Purpose",
    "QuietHours",
    "RUNS",
    "Ran",
    "RawRequest",
    "ReadyCampaign",
    "Reason",
    "Rebuilt",
    "Receipt",
    "ReceiptState",
    "Received",
    "Receiver",
    "Receivers",
    "Recorded",
    "Refusal",
    "RejectedError",
    "RelationshipError",
    "Relationships",
    "Renderer",
    "Reply",
    "ReplyWish",
    "Report",
    "Restored",
    "RetriableError",
    "Reviewed",
    "SETTINGS_FILE",
    "STATES",
    "SUPPRESSIONS",
    "Score",
    "ScoringRule",
    "Secret",
    "Settings",
    "Stage",
    "StatedPreference",
    "Step",
    "Steps",
    "Still",
    "Store",
    "Suppression",
    "SuppressionReason",
    "SuppressionView",
    "TABLES",
    "TASKS",
    "TRANSITIONS",
    "Table",
    "TableCalibration",
    "Task",
    "TaskState",
    "Tasks",
    "Tie",
    "TimelineEntry",
    "Transition",
    "Uncompared",
    "UnsupportedError",
    "Upcoming",
    "Variant",
    "Verdict",
    "WITHOUT_MARKETING",
    "Wish",
    "another_measure_type",
    "attached_file",
    "check_measures",
    "check_zone",
    "copy_project",
    "copy_ready_campaign",
    "declared",
    "distribution_of",
    "eml",
    "hookimpl",
    "is_file_name",
    "is_outbox_id",
    "load_plugins",
    "measure_types",
    "microseconds",
    "minor_digits",
    "new_plugin",
    "packaged_migrations",
    "parse_instant",
    "prepared_measure",
    "provider_settings",
    "read_campaigns",
    "read_settings",
    "ready_campaigns",
    "refusal",
    "refuse_attachments",
    "retry_after",
    "utc",
    "without_collection",
]


def imported_for_types(source: str) -> dict[str, str]:
    """The names that a stub imports, each with the module it is from."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name
                found[alias.name] = str(node.module).removeprefix("relationship_core.")
    return found


def test_the_public_names_are_these() -> None:
    assert relationship_core.__all__ == PUBLIC


def test_names_and_their_homes_are_written_alike_twice() -> None:
    assert imported_for_types(STUB) == relationship_core._HOME_OF


def test_no_name_has_two_homes() -> None:
    written = [name for names in relationship_core._HOMES.values() for name in names.split()]
    assert len(written) == len(set(written))


@pytest.mark.parametrize("name", relationship_core.__all__)
def test_every_name_can_be_had_and_is_documented(name: str) -> None:
    value = getattr(relationship_core, name)
    home = sys.modules[f"relationship_core.{relationship_core._HOME_OF[name]}"]
    assert getattr(home, name) is value
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value)
        assert value.__module__ == home.__name__
    else:
        assert name in documented_constants(Path(str(home.__file__)).read_text(encoding="utf-8"))


def documented_constants(source: str) -> set[str]:
    """The names assigned at the top of a module with a docstring right below."""
    body = ast.parse(source).body
    return {
        ast.unparse(target)
        for node, below in zip(body, [*body[1:], None], strict=True)
        for target in assigned(node)
        if is_text(below)
    }


def assigned(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def is_text(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Customers'"):
        _ = relationship_core.Customers  # type: ignore[attr-defined]  # there is none, which is the point


def test_dir_lists_the_public_names() -> None:
    assert dir(relationship_core) == relationship_core.__all__


@pytest.mark.parametrize(
    "statement",
    [
        "import relationship_core",
        "from relationship_core import hookimpl, Provider, Message",
        "import relationship_core.hookspecs",
    ],
)
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    script = f"{statement}; import sys; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    result = subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []


def test_plugins_are_loaded_without_anything_heavy() -> None:
    script = (
        "import sys; from relationship_core import load_plugins;"
        "plugins = load_plugins(disabled=['relationship-demo']); plugins.listens('relationship_recorded');"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []
