"""The settings of ``use = "post"``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from attrs import Attribute, field, frozen

from relationship_core import ConfigurationError, declared

Format: TypeAlias = Literal["letter", "card", "postcard", "labels"]
Paper: TypeAlias = Literal["auto", "a4", "letter"]
Window: TypeAlias = Literal["auto", "din-5008-b", "uk-dl", "us-10"]
QrContent: TypeAlias = Literal["none", "unsubscribe", "link"]

LARGEST_BLEED_MM = 10.0

_COUNTRY = "an ISO 3166-1 code of two capital letters such as DE"


def _link(owner: PostSettings, _attribute: Attribute[str], value: str) -> None:
    if owner.qr == "link" and not value:
        message = 'with qr = "link" the setting link must be the address that the QR code holds'
        raise ConfigurationError(message)


@frozen(kw_only=True)
class PostSettings:
    """Settings of ``use = "post"``.

    Attributes:
        path: the folder to write to; it is made when it is missing, and so is the folder around it, but nothing above.
        format: what is printed: ``letter``; ``card``, folded to A6, with a sheet of address labels; ``postcard``, A6;
            or ``labels`` alone.
        paper: the sheet of letters and labels: ``a4``, ``letter``, or by the country.
        window: where the address of a letter stands: ``din-5008-b`` (DL and C6/5 with a window of 45 x 90 mm),
            ``uk-dl`` (DL with a window of 35 x 90 mm), ``us-10`` (No. 10 with a window of 1 1/8 x 4 1/2 inches), or
            by the country.
        country: the ISO 3166-1 code of the country that the post leaves from; ``[project] country`` unless given
            here. Addresses elsewhere get the line of their country.
        sender_address: who it is from: lines, or one line that is broken at its commas; ``[project] postal_address``
            unless given here.
        check_addresses: whether an address must be complete and have a postal code of its country's form.
        fonts: TrueType files for letters that Noto Sans and Motoya L Cedar lack, in this order.
        qr: what a QR code holds: ``unsubscribe``, the message's own address for an end of such messages, where it has
            one; ``link``; or ``none``.
        link: what the code holds with ``qr = "link"``.
        qr_text: what stands beside the code.
        picture: a JPEG or PNG file for the front of cards and postcards; without, the front shows the subject.
        bleed_mm: how far the front of cards and postcards goes beyond the trim, in millimetres.
        crop_marks: whether cards and postcards have marks where to cut and fold.
        fold_marks: whether letters have marks where to fold.
    """

    path: Path
    format: Format = "letter"
    paper: Paper = "auto"
    window: Window = "auto"
    country: str = field(
        default="", validator=declared.matching(r"|[A-Z]{2}", _COUNTRY), metadata={"project": "country"}
    )
    sender_address: str = field(default="", metadata={"project": "postal_address"})
    check_addresses: bool = True
    fonts: tuple[Path, ...] = ()
    qr: QrContent = "unsubscribe"
    link: str = field(default="", validator=[declared.text, _link])
    qr_text: str = ""
    picture: Path | None = None
    bleed_mm: float = field(default=3.0, validator=declared.number(0, LARGEST_BLEED_MM))
    crop_marks: bool = False
    fold_marks: bool = True
