"""What the pages about the plugin say is what its settings are."""

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from relationship_core import Choice, Provider, provider_settings
from relationship_smtp.plugin import relationship_channels, relationship_receivers
from relationship_smtp.settings import MailboxSettings, SmtpSettings

FOLDER = Path(__file__).parent.parent
PAGES = {
    "the readme": FOLDER / "README.md",
    "the guide": FOLDER.parent.parent / "docs" / "how-to" / "deliver-by-smtp.md",
}
PROVIDERS: dict[str, Provider[Any]] = {
    "channels": relationship_channels()[0],
    "receivers": relationship_receivers()[0],
}
SECRET = "secret-of-a-test"  # noqa: S105  of nothing


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param].read_text(encoding="utf-8")


def rows_of(page: str, settings: type) -> dict[str, str]:
    """The rows of the table that has the keys of these settings, by key."""
    names = {each.name for each in attrs.fields(settings)}
    tables = [re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE) for table in page.split("\n\n")]
    (found,) = [table for table in tables if {key for key, _default in table} == names]
    return {key: default.strip() for key, default in found}


@pytest.mark.parametrize("settings", [SmtpSettings, MailboxSettings])
def test_a_page_names_every_key_and_its_default(page: str, settings: type) -> None:
    rows = rows_of(page, settings)
    for each in attrs.fields(settings):
        if isinstance(each.default, bool):
            assert rows[each.name] == str(each.default).lower()
        elif isinstance(each.default, int | float):
            assert rows[each.name] == f"{each.default:.0f}"
    assert "starttls" in rows.get("tls", "starttls")


def test_a_page_configures_what_it_says(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", SECRET)
    made = set()
    for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        document = tomllib.loads(block)
        for kind, provider in PROVIDERS.items():
            for name, table in document.get(kind, {}).items():
                # [project] gives the sender, where the page shows it.
                choice = Choice(use=table.pop("use"), settings={"sender": "a@example.com", **table})
                assert choice.use == provider.name
                settings = provider_settings(provider, choice, tmp_path, f"[{kind}.{name}]")
                provider.factory(settings).close()
                assert SECRET not in repr(settings)
                made.add(kind)
    assert made == {"channels", "receivers"}
