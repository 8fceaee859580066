"""What the pages about the plugin say is what its settings are."""

import re
from pathlib import Path

import attrs
import pytest

from relationship_core import ProjectSettings, Secret, provider_settings, read_settings
from relationship_postgres.plugin import relationship_stores
from relationship_postgres.settings import PostgresSettings

FOLDER = Path(__file__).resolve().parents[1]
PAGES = (FOLDER / "README.md", FOLDER.parents[1] / "docs" / "how-to" / "use-postgresql.md")
(PROVIDER,) = relationship_stores()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_key_is_told_with_its_default(page: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\|", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    defaults = {
        each.name: "" if each.default in {attrs.NOTHING, None, ""} else f"{each.default}"
        for each in attrs.fields(PostgresSettings)
    }
    told = {name: default.strip("`").replace("true", "True") for name, default in rows}
    assert told == {name: default.removesuffix(".0") for name, default in defaults.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_configures_is_right(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKERY_DATABASE", "postgresql://shop:horse@example.com/shop")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "relationship.toml").write_text(block, encoding="utf-8")
    settings = read_settings(tmp_path)
    assert settings.store.use == PROVIDER.name
    made = provider_settings(PROVIDER, settings.store, tmp_path, "[store]", project=settings.project)
    assert made.project == "Corner Bakery"
    assert "horse" not in repr(made)


def test_a_project_without_a_name_is_nobody_elses() -> None:
    assert PostgresSettings(url=Secret("postgresql://example.com/shop")).project == ProjectSettings().name
