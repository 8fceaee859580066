"""What the caller says beside a preset: which parts, columns and zone are meant, and whether the preset allows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.record.convert import check_zone
from relationship_core.flow.record.mapping import check_given
from relationship_core.presets import Preset, PresetPart


def chosen_parts(preset: Preset, what: str | None) -> tuple[PresetPart, ...]:
    """The parts that are wanted: all of them, or those whose rows the caller names.

    Raises:
        ConfigurationError: there are none, or the preset only guesses and the caller names nothing.
    """
    kinds = list(dict.fromkeys(part.what for part in preset.parts))
    if what is None and not preset.guesses:
        return preset.parts
    parts = tuple(part for part in preset.parts if part.what == what)
    if not parts:
        wanted = "say what the rows are" if what is None else f"the preset {preset.name!r} makes no {what}"
        message = f"{wanted}: {' or '.join(kinds)}"
        raise ConfigurationError(message)
    return parts


def check_words(preset: Preset, parts: Sequence[PresetPart], columns: Collection[str], given: Collection[str]) -> None:
    """Refuse what the caller says of columns that no part has, or that the preset says itself.

    Raises:
        ConfigurationError: there is such a one.
    """
    ours = {our for part in parts for our in part.columns}
    for our in columns:
        if not any(is_of(part, our) for part in parts):
            message = f"the preset {preset.name!r} reads no column {our!r}{nearest(our, ours)}"
            raise ConfigurationError(message)
    check_given([part.what for part in parts], given)
    if "kind" in given and any("kind" in part.given for part in parts):
        message = f"the preset {preset.name!r} says the kind itself; leave it out"
        raise ConfigurationError(message)


def is_of(part: PresetPart, our: str) -> bool:
    """Whether a part reads one of our columns; whoever records customers reads any contact point of theirs."""
    return our in part.columns or (part.what == "customers" and our.startswith("contact."))


def zone_of(preset: Preset, zone: str | None) -> str | None:
    """The zone of times without an offset.

    Raises:
        ConfigurationError: the caller names another than the preset, or one that does not exist.
    """
    if zone is not None:
        check_zone(zone)
    if preset.zone and zone not in {None, preset.zone}:
        message = f"the times of {preset.name!r} are in {preset.zone}, not in {zone}; leave the zone out"
        raise ConfigurationError(message)
    return preset.zone or zone
