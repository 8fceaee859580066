"""One wrong campaign file stops planning, and nothing that stops, forgets, delivers or tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]
WAITS = """
name = "hello"
owner = "desk"
purpose = "service"
nature = "give"
[[actions]]
name = "write"
[actions.occasion]
name = "visit"
[[actions.variants]]
channel = "mail"
subject = "Hello"
text = "Hello"
"""


@pytest.fixture
def spoilt(tmp_path: Path, relate: Call) -> Path:
    """A project with a message that waits, after somebody spoilt the file of another campaign."""
    folder = tmp_path / "shop"
    relate("init")
    for path in (folder / "campaigns").iterdir():
        path.unlink()
    (folder / "campaigns" / "hello.toml").write_text(WAITS, encoding="utf-8")
    (folder / "people.csv").write_text("customer,contact.email\nada,ada@example.com\n", encoding="utf-8")
    relate("import", "customers", folder / "people.csv")
    for step in ("review", "plan"):
        relate(step)
    (folder / "campaigns" / "other.toml").write_text("x = = 1\n", encoding="utf-8")
    return folder


@pytest.mark.usefixtures("spoilt")
@pytest.mark.parametrize(
    "arguments",
    [
        ["campaign", "list"],
        ["campaign", "show", "hello"],
        ["campaign", "pause", "hello", "--actor", "me"],
        ["campaign", "archive", "hello", "--actor", "me"],
        ["consent", "withdraw", "ada", "--medium", "email", "--method", "phone", "--source", "desk"],
        ["consent", "suppress", "email", "ada@example.com", "--reason", "manual"],
        ["consent", "show", "ada"],
        ["forget", "ada", "--yes"],
        ["export", "ada"],
        ["deliver"],
        ["tasks"],
        ["offers"],
        ["report"],
        ["customer", "ada"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_needs_no_campaign_works(relate: Call, arguments: list[str]) -> None:
    done = relate(*arguments)
    assert done.exit_code == 0, done.stderr


@pytest.mark.usefixtures("spoilt")
@pytest.mark.parametrize("arguments", [["review"], ["plan"], ["run"], ["explain", "ada"]], ids=lambda each: each[0])
def test_what_needs_all_campaigns_says_which_file_is_wrong(relate: Call, arguments: list[str]) -> None:
    done = relate(*arguments)
    assert (done.exit_code, "campaigns/other.toml" in done.stderr) == (1, True)


def test_a_campaign_whose_own_file_is_wrong_is_paused_all_the_same(spoilt: Path, relate: Call) -> None:
    (spoilt / "campaigns" / "hello.toml").write_text("x = = 1\n", encoding="utf-8")
    assert relate("campaign", "pause", "hello", "--actor", "me").exit_code == 0
    delivered: Any = relate("deliver", "--json")
    assert '"accepted": 0' in delivered.stdout


def test_what_cannot_be_planned_is_neither_approved_nor_activated(spoilt: Path, relate: Call) -> None:
    (spoilt / "campaigns" / "other.toml").unlink()
    file = spoilt / "campaigns" / "hello.toml"
    file.write_text(WAITS.replace('text = "Hello"', 'text = "{{ offer.code }}"'), encoding="utf-8")
    relate("campaign", "pause", "hello", "--actor", "me")
    for act in ("approve", "activate"):
        done = relate("campaign", act, "hello", "--actor", "me")
        assert (done.exit_code, "names 'offer'" in done.stderr) == (1, True), act
