"""What a command imports: whoever asks about one customer waits for no step that is not taken."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from relationship_core import Relationships

Make = Callable[..., Any]
Relate = Callable[..., Result]

DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)

STEPS = (
    "accounts calibrate campaigns.moving deliver.delivering deliver.desk identities permission.tokens permission.view "
    "plan.planning plan.writing privacy rebuild record.importing record.recording record.said report.preview "
    "report.summary review runs tasks.closing"
)
PLANNING = "permission.standing plan reach rules rungs"
PAGE_NEEDS_NO = [
    *("conditions", "crossing", "liquid", "model.message", "model.permission", "phonenumbers", "sqlglot"),
    *(f"flow.{name}" for name in f"{STEPS} {PLANNING} deliver record.commit report.explain".split()),
]
EXPLANATION_NEEDS_NO = ["phonenumbers", "rich.progress", *(f"flow.{name}" for name in STEPS.split())]


@pytest.fixture
def shop(relate: Relate, tmp_path: Path, make_customer: Make, make_interaction: Make) -> Path:
    """A project as ``relate init`` makes it, with campaigns and one reviewed customer."""
    assert relate("init").exit_code == 0
    folder = tmp_path / "shop"
    with Relationships.open(folder) as project:
        project.record_customers([make_customer("ada")])
        deeds = (("order", None), ("promise_made", "a"))
        project.record([make_interaction("ada", kind, DAY, reference=reference) for kind, reference in deeds])
        project.review()
    return folder


def imported(folder: Path, *arguments: str) -> tuple[str, set[str]]:
    """What a command prints, and the modules that it has imported in the end; ours without the package's name."""
    probe = (
        "import sys\nfrom relationship_core.cli import cli\n"
        "sys.argv = ['relate', *sys.argv[1:]]\n"
        "try:\n    cli()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    command = [sys.executable, "-c", probe, "--project", str(folder), *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return told.stdout, {name.removeprefix("relationship_core.") for name in told.stderr.split("\n")}


def found(modules: set[str], unwanted: list[str]) -> Iterator[str]:
    return (name for name in unwanted if name in modules)


def test_the_page_of_a_customer_waits_for_no_step(shop: Path) -> None:
    page, modules = imported(shop, "customer", "ada")
    assert "promise" in page
    assert "flow.report.customers" in modules
    assert list(found(modules, PAGE_NEEDS_NO)) == []


def test_an_explanation_waits_for_no_other_step(shop: Path) -> None:
    told, modules = imported(shop, "explain", "ada")
    assert "ada" in told
    assert "flow.report.explain" in modules
    assert list(found(modules, EXPLANATION_NEEDS_NO)) == []


@pytest.mark.parametrize("name", sorted({*PAGE_NEEDS_NO, *EXPLANATION_NEEDS_NO}))
def test_what_is_not_waited_for_is_there(name: str) -> None:
    """A module that was renamed would be looked for in vain."""
    from importlib.util import find_spec

    ours = name.startswith(("conditions", "crossing", "flow.", "model."))
    assert find_spec(f"relationship_core.{name}" if ours else name) is not None
