"""Sheets, and where the window of an envelope shows the address of a letter on them.

Lengths are in points; positions are measured from the left and from the top edge of the sheet.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from relationship_post.settings import Paper, Window

MM = 72 / 25.4
INCH = 72.0
A4 = (210 * MM, 297 * MM)
US_LETTER = (8.5 * INCH, 11 * INCH)


@frozen(kw_only=True)
class Frame:
    """What an envelope shows of a letter that lies on its lower edge.

    Attributes:
        left: where the window begins.
        top: where it begins.
        width: how wide it is, as far as the letter may slide sideways.
        height: how high it is.
        address_top: where the lines of the address may begin; above them is room for the sender.
        lines_from_below: whether the last line stands at the lower edge: then the letter may slide upwards.
        sender: whether a line with the sender's address belongs into the window.
        body: where the letter's text begins.
        folds: where the sheet is folded.
    """

    left: float
    top: float
    width: float
    height: float
    address_top: float
    lines_from_below: bool
    sender: bool
    body: float
    folds: tuple[float, ...]


FRAMES: Mapping[str, Frame] = {
    # DIN 5008, form B: the field of 85 x 45 mm begins 20 mm from the left and 45 mm from the top: 5 mm for the
    # sender, 12.7 mm for marks, 27.3 mm for the address.
    "din-5008-b": Frame(
        left=20 * MM,
        top=45 * MM,
        width=85 * MM,
        height=45 * MM,
        address_top=62.7 * MM,
        lines_from_below=False,
        sender=True,
        body=105 * MM,
        folds=(105 * MM, 210 * MM),
    ),
    # DL, 110 x 220 mm, with a window of 35 x 90 mm, 20 mm from the left and 18 mm from the bottom; the folded sheet is
    # 99 mm high and 210 mm wide, so that it may slide by 11 mm and 10 mm.
    "uk-dl": Frame(
        left=20 * MM,
        top=46 * MM,
        width=80 * MM,
        height=35 * MM,
        address_top=46 * MM,
        lines_from_below=True,
        sender=False,
        body=104 * MM,
        folds=(99 * MM, 198 * MM),
    ),
    # No. 10, 4 1/8 x 9 1/2 inches, with a window of 1 1/8 x 4 1/2 inches, 7/8 from the left and 1/2 from the bottom;
    # the folded sheet is 3 2/3 inches high and 8 1/2 wide.
    "us-10": Frame(
        left=0.875 * INCH,
        top=(11 / 3 - 1.625) * INCH,
        width=3.5 * INCH,
        height=1.125 * INCH,
        address_top=(11 / 3 - 1.625) * INCH,
        lines_from_below=True,
        sender=False,
        body=3.9 * INCH,
        folds=(11 / 3 * INCH, 22 / 3 * INCH),
    ),
}

_BRITISH = frozenset({"GB", "IE", "IM", "JE", "GG"})
_WITH_LETTER_PAPER = frozenset({"US", "CA", "MX", "PH", "CL", "CO", "VE", "PR"})


def frame_of(window: Window, country: str) -> Frame:
    """The window of a setting, or the usual one of a country."""
    if window != "auto":
        return FRAMES[window]
    if country in _WITH_LETTER_PAPER:
        return FRAMES["us-10"]
    return FRAMES["uk-dl" if country in _BRITISH else "din-5008-b"]


def paper_of(paper: Paper, country: str) -> tuple[float, float]:
    """Width and height of the sheet of a setting, or of the usual one of a country."""
    if paper == "auto":
        return US_LETTER if country in _WITH_LETTER_PAPER else A4
    return US_LETTER if paper == "letter" else A4
