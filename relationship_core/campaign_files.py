"""Campaigns as files, and as the canonical text that messages are pinned to.

A campaign is a file, ``campaigns/NAME.toml``, or a folder with its templates, ``campaigns/NAME/campaign.toml``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

from relationship_core.config.tables import Reader, document, refuse
from relationship_core.errors import ConfigurationError

if TYPE_CHECKING:
    from relationship_core.model.campaign import Campaign

FOLDER_NAME = "campaigns"
IN_FOLDER = "campaign.toml"
"""What the file of a campaign is called that has a folder to itself, with its templates."""

_VERSION_DIGITS = 12
_TEMPLATES = ("subject", "text", "html")


@attrs.frozen(kw_only=True)
class FoundCampaigns:
    """What the files of a project's campaigns say.

    Attributes:
        sound: the campaigns that can be read.
        mistakes: a line for each mistake in the other files.
    """

    sound: tuple[Campaign, ...]
    mistakes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Campaign, ...]:
        """All of them.

        Raises:
            ConfigurationError: something in the files is wrong.
        """
        refuse(list(self.mistakes))
        return self.sound


def read_campaigns(folder: Path | str) -> tuple[Campaign, ...]:
    """Read every campaign of a project, in order of their files' names: ``X.toml``, and ``X/campaign.toml``.

    Args:
        folder: the project folder.

    Raises:
        ConfigurationError: something in the files is wrong; a line for each mistake in each of them.
    """
    return found_campaigns(Path(folder)).all


def campaigns_in(folder: Path) -> tuple[Campaign, ...]:
    """The same for the folder that holds the campaigns.

    Raises:
        ConfigurationError: as ``read_campaigns``.
    """
    return _found_in(folder).all


def found_campaigns(folder: Path) -> FoundCampaigns:
    """The campaigns of a project folder, those whose files are wrong aside."""
    return _found_in(folder / FOLDER_NAME)


def _found_in(folder: Path) -> FoundCampaigns:
    campaigns: dict[str, Campaign] = {}
    files: dict[str, str] = {}
    problems: list[str] = []
    for path in sorted((*folder.glob("*.toml"), *folder.glob(f"*/{IN_FOLDER}"))):
        file = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            campaign = _read(path, file)
        except ConfigurationError as error:
            problems.append(str(error))
            continue
        if campaign.name in campaigns:
            problems.append(f"{files[campaign.name]} and {file} both have the name {campaign.name!r}; rename one")
        campaigns[campaign.name] = campaign
        files[campaign.name] = file
    return FoundCampaigns(sound=tuple(campaigns.values()), mistakes=tuple(problems))


def campaign_content(campaign: Campaign) -> str:
    """A campaign as canonical JSON: equal campaigns give equal text, also once campaigns can say more than today."""
    return json.dumps(_said(campaign), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _said(part: Any) -> object:
    """A part of a campaign as JSON has it, without what it leaves as it is when nothing is said."""
    if isinstance(part, tuple):
        return [_said(each) for each in part]
    if isinstance(part, Mapping):
        return dict(part)
    if not attrs.has(type(part)):
        return part
    values = ((each, getattr(part, each.name)) for each in attrs.fields(type(part)))
    return {each.name: _said(value) for each, value in values if value != _unsaid(each)}


def _unsaid(attribute: attrs.Attribute[Any]) -> object:
    factory = getattr(attribute.default, "factory", None)
    return attribute.default if factory is None else factory()


def campaign_version(campaign: Campaign) -> str:
    """A short stable hash of a campaign's content."""
    return hashlib.sha256(campaign_content(campaign).encode()).hexdigest()[:_VERSION_DIGITS]


def campaign_from_content(content: str) -> Campaign:
    """Read back what ``campaign_content`` wrote.

    Raises:
        ConfigurationError: it is something else, such as the content of a newer version.
    """
    return _made(Reader("a stored campaign", Path()), json.loads(content))


def _read(path: Path, file: str) -> Campaign:
    reader = Reader(file, path.parent)
    content = document(path, file)
    for number, action in _tables(content.get("actions")):
        for place, variant in _tables(action.get("variants")):
            for key in _TEMPLATES:
                if isinstance(variant.get(key), dict):
                    where = f"actions[{number}].variants[{place}].{key}"
                    variant[key] = _template(reader, variant[key], where)
            if isinstance(variant.get("attachments"), list):
                where = f"actions[{number}].variants[{place}].attachments"
                variant["attachments"] = [_attached(reader, each, where) for each in variant["attachments"]]
    return _made(reader, content)


def _made(reader: Reader, content: object) -> Campaign:
    from relationship_core.model.campaign import Campaign

    campaign = reader.make(Campaign, content, "")
    refuse(reader.problems)
    return cast("Campaign", campaign)


def _tables(value: object) -> list[tuple[int, dict[str, Any]]]:
    """The tables of a list, each with its number; the reader complains about what is no such table."""
    items = value if isinstance(value, list) else []
    return [(number, each) for number, each in enumerate(items, 1) if isinstance(each, dict)]


def _attached(reader: Reader, name: object, where: str) -> object:
    """The table that stands for a path; the reader complains about what is none."""
    from relationship_core.model.attached_file import attached_file

    if not isinstance(name, str):
        return name
    path = _inside(reader, name, where)
    if path is None:
        return {"name": name, "content": ""}
    try:
        return attrs.asdict(attached_file(path))
    except ConfigurationError as error:
        reader.note(where, str(error))
        return {"name": name, "content": ""}


def _inside(reader: Reader, name: str, where: str) -> Path | None:
    """The path of a file beside the campaign's; None, with a complaint, where it lies elsewhere."""
    # A link must not lead out of the folder either.
    path, folder = (reader.folder / name).resolve(), reader.folder.resolve()
    if path.is_relative_to(folder):
        return path
    reader.note(where, f"the file {name!r} must lie in the folder of the campaign file")
    return None


def _template(reader: Reader, table: dict[str, object], where: str) -> str:
    """The text of ``{ file = "thank-you.txt" }``, without the line feed that ends the file."""
    name = table.get("file")
    if table.keys() != {"file"} or not isinstance(name, str):
        reader.note(where, 'must be text, or { file = "name" }')
        return ""
    path = _inside(reader, name, where)
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except OSError as error:
        reader.note(where, f"the file {name!r} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        reader.note(where, f"the file {name!r} is not UTF-8 text; save it as UTF-8")
    return ""
