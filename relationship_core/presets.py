"""Presets: how the export of another system is read, as data: what ``relationship_import_presets`` declares.

A preset has parts. Each part makes rows of one table out of the lines of the export: its orders, its refunds, what it
says of consent. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, cast, get_args

from attrs import field, frozen

from relationship_core.errors import WrongArgumentError
from relationship_core.model.validation import declared, listed, texts, texts_by_name

PartRows: TypeAlias = Literal["customers", "interactions", "consents"]
"""What the rows of a part may be."""

Names: TypeAlias = "tuple[str | tuple[str, ...], ...]"
"""What the export may call a column, or several columns whose texts are put together with a space between."""


def _names(values: object) -> Mapping[str, Names]:
    columns = cast("Mapping[str, Sequence[str | Sequence[str]]]", values)
    return {
        our: (their,)
        if isinstance(their, str)
        else tuple(each if isinstance(each, str) else tuple(each) for each in their)
        for our, their in columns.items()
    }


def _values(values: object) -> Mapping[str, Mapping[str, str]]:
    read = cast("Mapping[str, Mapping[str, str]]", values)
    return {our: {their.lower(): value for their, value in each.items()} for our, each in read.items()}


def _left_out(values: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    return cast("tuple[LeftOut, ...]", listed(values))


def _parts(values: Iterable[PresetPart]) -> tuple[PresetPart, ...]:
    return cast("tuple[PresetPart, ...]", listed(values))


@frozen(kw_only=True)
class LeftOut:
    """Lines of an export that are not recorded; they are counted and told.

    Attributes:
        column: the export's column that tells them.
        values: what it holds there; capitals do not matter.
        reason: why, in a few words: ``was never paid``.
    """

    column: str = field(validator=declared.text)
    values: tuple[str, ...] = field(converter=texts, validator=declared.each(str))
    reason: str = field(validator=declared.text)


@frozen(kw_only=True)
class PresetPart:
    """The rows that one part of a preset makes.

    Attributes:
        name: unique in the preset, such as ``orders``; the file of rejects is named after it.
        what: ``customers``, ``interactions`` or ``consents``.
        columns: for each of our columns what the export may call it; the first that holds something is taken. Capitals,
            spaces and punctuation do not matter.
        given: a value for each of our columns that no column of the export says, such as ``kind``.
        values: for each of our columns that is read from a list of words: what each word means. A word that is not
            there is nothing.
        needs: our columns of which a line must hold something, and of ``amount`` something else than zero; any other
            line is no row of this part.
        required: our columns that the file must have, beside those without which there is no row at all; a row that
            holds nothing there is refused.
        left_out: lines that are not recorded, and why.
        joined: neighbouring lines with one value of our column ``id`` are one interaction.
        lines: of joined lines, what the export calls ``product``, ``category``, ``quantity``, ``price`` (of one piece),
            ``discount`` (of the whole line) and ``total`` (of the whole line, in place of the price).
        suffix: what is added to every ``id``, so that a refund has another than its order.
        latest: what the export calls a column: of the lines of one customer only the one with the latest time in it
            counts.
        undated: of consents, the export says no date: what was given is dated by ``consent_at``, what was refused by
            the clock.
        optional: an export that lacks a column of this part is read without it.
    """

    name: str = field(validator=declared.text)
    what: PartRows = field(validator=declared.one_of(get_args(PartRows)))
    columns: Mapping[str, Names] = field(converter=_names)
    given: Mapping[str, str] = field(factory=dict, converter=texts_by_name)
    values: Mapping[str, Mapping[str, str]] = field(factory=dict, converter=_values)
    needs: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    required: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    left_out: tuple[LeftOut, ...] = field(default=(), converter=_left_out, validator=declared.each(LeftOut))
    joined: bool = field(default=False, validator=declared.yes_or_no)
    lines: Mapping[str, Names] = field(factory=dict, converter=_names)
    suffix: str = field(default="", validator=declared.text)
    latest: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    undated: bool = field(default=False, validator=declared.yes_or_no)
    optional: bool = field(default=False, validator=declared.yes_or_no)


@frozen(kw_only=True)
class Preset:
    """How the export of another system is read.

    Attributes:
        name: what ``--preset`` names, such as ``shopify-orders``.
        summary: one line for people.
        parts: what is made of it, in the order in which it is recorded.
        zone: the zone that its times mean; empty where they have offsets, or where the caller says it.
        times: how it writes times, beside ISO 8601, as ``strptime`` has it.
        hint: what to say where it lacks a column, as a sentence goes on: ``take the file of Orders, Export``.
        guesses: whether it only guesses: of several names the first that is in the file is taken for every line, and
            the caller says which part is wanted.

    Raises:
        WrongArgumentError: it has no parts, or two of one name.
    """

    name: str = field(validator=declared.matching(r"[a-z][a-z0-9-]*", "lower-case letters, digits and hyphens"))
    summary: str = field(validator=declared.text)
    parts: tuple[PresetPart, ...] = field(converter=_parts, validator=declared.each(PresetPart))
    zone: str = field(default="", validator=declared.text)
    times: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    hint: str = field(default="", validator=declared.text)
    guesses: bool = field(default=False, validator=declared.yes_or_no)

    def __attrs_post_init__(self) -> None:
        """Refuse parts that cannot be told apart."""
        names = [part.name for part in self.parts]
        if not names or len(set(names)) < len(names):
            message = f"the preset {self.name!r} must have parts, each of another name"
            raise WrongArgumentError(message)
