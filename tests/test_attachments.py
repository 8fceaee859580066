"""Attachments: a campaign's file names them, what was approved is what is sent, and no channel leaves them out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from relationship_core import (
    Attachment,
    Choice,
    ConfigurationError,
    Variant,
    attached_file,
    read_campaigns,
)
from relationship_core.campaign_files import campaign_content, campaign_from_content, campaign_version

CAMPAIGN = """\
name = "terms"
owner = "shop"
purpose = "service"
nature = "give"

[[actions]]
name = "write"
occasion = { name = "once" }

[[actions.variants]]
channel = "letters"
subject = "Terms"
text = "Please read them."
attachments = [FILES]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "campaigns" / "terms").mkdir(parents=True)
    (tmp_path / "campaigns" / "terms" / "terms.pdf").write_bytes(b"%PDF-1.4\x00\xff")
    return tmp_path


def written(folder: Path, files: str) -> Path:
    (folder / "campaigns" / "terms" / "campaign.toml").write_text(CAMPAIGN.replace("FILES", files))
    return folder


def test_a_campaign_holds_its_files_whole(folder: Path) -> None:
    (campaign,) = read_campaigns(written(folder, '"terms.pdf"'))
    (file,) = campaign.actions[0].variants[0].attachments
    assert file.attachment == Attachment(name="terms.pdf", type="application/pdf", content=b"%PDF-1.4\x00\xff")
    assert campaign_from_content(campaign_content(campaign)) == campaign


def test_a_changed_file_is_another_version(folder: Path) -> None:
    (before,) = read_campaigns(written(folder, '"terms.pdf"'))
    (folder / "campaigns" / "terms" / "terms.pdf").write_bytes(b"%PDF-1.5")
    (after,) = read_campaigns(folder)
    assert campaign_version(before) != campaign_version(after)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ('"missing.pdf"', "'missing.pdf' cannot be read"),
        ('"../../relationship.toml"', "must lie in the folder of the campaign file"),
        ("7", "must be a table"),
        ('""', "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(folder: Path, files: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_campaigns(written(folder, files))
    assert "campaigns/terms/campaign.toml, actions[1].variants[1].attachments" in str(caught.value)


def test_a_file_that_no_server_would_take_is_refused(folder: Path) -> None:
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    with pytest.raises(ConfigurationError, match="larger than 10 MiB"):
        attached_file(large)


def test_a_channel_that_delivers_none_is_refused_before_anything_is_planned(
    folder: Path, make_project: Callable[..., object], make_campaign: Callable[..., object]
) -> None:
    file = attached_file(folder / "campaigns" / "terms" / "terms.pdf")
    campaign = make_campaign("terms", variants=[Variant(channel="letters", text="Read.", attachments=[file])])
    project = make_project(campaign, channels={"letters": Choice(use="null")})
    with pytest.raises(ConfigurationError, match="the channel 'letters' delivers no attachments"):
        project.rules  # type: ignore[attr-defined]  # noqa: B018  the builder's type is that of every test


def test_relate_names_the_mistake(folder: Path, relate: Callable[..., Result], tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (folder / "campaigns").rename(shop / "campaigns")
    (shop / "relationship.toml").write_text('[channels.letters]\nuse = "folder"\npath = "outbox"\n')
    written(shop, '"terms.pdf"')
    (tmp_path / "people.csv").write_text("customer,contact.email\nada,ada@example.com\n")
    assert relate("import", "customers", tmp_path / "people.csv").exit_code == 0
    told = relate("review")
    assert told.exit_code == 1
    assert "the channel 'letters' delivers no attachments" in told.stderr
