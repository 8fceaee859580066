"""Sheets of address labels."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from relationship_core import RejectedError
from relationship_post.addresses import Label
from relationship_post.faces import Faces
from relationship_post.page import Page, Text, address_texts
from relationship_post.windows import A4, INCH, MM


@frozen(kw_only=True)
class LabelSheet:
    """How labels lie on a sheet, in points.

    Attributes:
        columns: how many stand beside each other.
        rows: how many stand below each other.
        left: where the first begins.
        top: where the first begins.
        width: of one label.
        height: of one label.
        pitch: from the left edge of one to that of the next.
    """

    columns: int
    rows: int
    left: float
    top: float
    width: float
    height: float
    pitch: float


# 21 of 63.5 x 38.1 mm, as Avery L7160 and many others.
ON_A4 = LabelSheet(
    columns=3, rows=7, left=7.25 * MM, top=15.15 * MM, width=63.5 * MM, height=38.1 * MM, pitch=66.04 * MM
)
# 30 of 2 5/8 x 1 inch, as Avery 5160 and many others.
ON_LETTER = LabelSheet(
    columns=3, rows=10, left=0.1875 * INCH, top=0.5 * INCH, width=2.625 * INCH, height=1 * INCH, pitch=2.75 * INCH
)
_INSET = 3.5 * MM


def labels_on(paper: tuple[float, float]) -> LabelSheet:
    """The usual labels of a sheet."""
    return ON_A4 if paper == A4 else ON_LETTER


def per_sheet(form: LabelSheet) -> int:
    """How many labels a sheet has."""
    return form.columns * form.rows


def label_texts(label: Label, faces: Faces, form: LabelSheet, place: int) -> list[Text]:
    """One label.

    Args:
        label: the address.
        faces: the fonts.
        form: how labels lie on the sheet.
        place: which label of the sheet, from 0, row by row.

    Raises:
        RejectedError: the address does not fit.
    """
    row, column = divmod(place, form.columns)
    try:
        return address_texts(
            label.lines,
            faces,
            left=form.left + column * form.pitch + _INSET,
            top=form.top + row * form.height + _INSET,
            width=form.width - 2 * _INSET,
            height=form.height - 2 * _INSET,
        )
    except RejectedError as error:
        message = "the address has too many or too long lines for a label"
        raise RejectedError(message) from error


def label_pages(addresses: Sequence[Label], faces: Faces, form: LabelSheet) -> list[Page]:
    """The sheets of labels, in the order of the addresses."""
    size = per_sheet(form)
    return [
        Page(
            texts=[
                text
                for place, each in enumerate(addresses[first : first + size])
                for text in label_texts(each, faces, form, place)
            ]
        )
        for first in range(0, len(addresses), size)
    ]
