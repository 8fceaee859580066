"""What the pages about the plugin say is what its settings are."""

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from relationship_core import Choice, Provider, provider_settings
from relationship_twilio.plugin import relationship_channels, relationship_receivers
from relationship_twilio.settings import TwilioReceiverSettings, TwilioSettings

FOLDER = Path(__file__).parent.parent
PAGES = {
    "the readme": FOLDER / "README.md",
    "the guide": FOLDER.parent.parent / "docs" / "how-to" / "deliver-by-twilio.md",
}
PROVIDERS: dict[str, Provider[Any]] = {
    "channels": relationship_channels()[0],
    "receivers": relationship_receivers()[0],
}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param].read_text(encoding="utf-8")


@pytest.mark.parametrize("settings", [TwilioSettings, TwilioReceiverSettings])
def test_a_page_names_every_key_and_its_default(page: str, settings: type) -> None:
    rows = {key: row for row in re.findall(r"^\| `.*$", page, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    for each in attrs.fields(settings):
        assert each.name in rows
        if isinstance(each.default, (float, int)) and not isinstance(each.default, bool):
            assert f"| {each.default:g} |" in rows[each.name]


def test_a_page_configures_what_it_says(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret-of-a-test")
    made = []
    for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        document = tomllib.loads(block)
        for kind, provider in PROVIDERS.items():
            for name, table in document.get(kind, {}).items():
                choice = Choice(use=table.pop("use"), settings=table)
                assert choice.use == provider.name
                settings = provider_settings(provider, choice, tmp_path, f"[{kind}.{name}]")
                provider.factory(settings).close()
                assert "secret-of-a-test" not in repr(settings)
                made.append(kind)
    assert sorted(made) == ["channels", "receivers"]
